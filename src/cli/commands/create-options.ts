/** The options of `snapshot create`. */
export interface CreateOptions {
  readonly comment?: string;
  readonly accessPoint?: string;
  readonly json?: boolean;
}
