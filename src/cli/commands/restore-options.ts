import type { DeleteOptions } from './delete-options.ts';

/** The options of `snapshot restore`. */
export interface RestoreOptions extends DeleteOptions {
  readonly preserve?: string;
  readonly discard?: boolean;
  readonly properties?: boolean;
}
