/** The build that is measured: what was built here, or another one, whose command AMBERFS_CLI names. */
import { fileURLToPath, pathToFileURL } from 'node:url';

export const CLI = process.env.AMBERFS_CLI ?? fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Imports a module of that build; `file` is its path below `src`, as built ("store/index.js"). */
export function importBuilt(file) {
  return import(new URL(`../${file}`, pathToFileURL(CLI)).href);
}
