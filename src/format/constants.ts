/** The version of the on-disk format that this program writes. A store with a higher one refuses to open. */
export const FORMAT_VERSION = 3;

/** Bytes of a data block: the granularity of allocation, checksums and space figures. */
export const BLOCK_BYTES = 4096;

/** Blocks of the data file that one allocation bitmap covers: 32,768, so that the bitmap itself has 4 KiB. */
export const REGION_BLOCKS = 32_768;
