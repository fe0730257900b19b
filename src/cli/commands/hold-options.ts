/** The options of `snapshot hold`. */
export interface HoldOptions {
  readonly reason?: string;
  readonly expires?: string;
  readonly json?: boolean;
}
