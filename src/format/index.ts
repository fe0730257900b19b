// The on-disk format: keys and records as bytes. Pure functions, no I/O. FORMAT.md beside this file is the reference.
export { BLOCK_BYTES, FORMAT_VERSION, REGION_BLOCKS } from './constants.ts';
export { NODE_KEY_BYTES, REGION_KEY_BYTES, SPACE, nodeKey, regionKey, spaceKey } from './keys.ts';
