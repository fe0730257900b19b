export interface CheckOptions {
  readonly data?: boolean;
  readonly json?: boolean;
}
