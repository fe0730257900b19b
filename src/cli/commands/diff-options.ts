/** The options of `snapshot diff`. */
export interface DiffOptions {
  readonly json?: boolean;
  readonly null?: boolean;
  readonly stat?: boolean;
}
