export interface CheckOptions {
  readonly data?: boolean;
  readonly repair?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}
