/** The options of `snapshot run`. */
export interface RunOptions {
  readonly comment?: string;
  readonly lines: string;
}
