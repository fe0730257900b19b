/** Where a command that ran leaves its exit status. */
export interface Outcome {
  status: number;
}
