export interface ScrubOptions {
  readonly rate?: string;
  readonly wait?: boolean;
  readonly pause?: boolean;
  readonly resume?: boolean;
  readonly stop?: boolean;
  readonly status?: boolean;
  readonly json?: boolean;
}
