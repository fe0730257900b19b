import type { Key } from '../format/index.ts';
import { keyAt, keyLengthAt, pageCount, valueAt, valueLengthAt } from '../format/index.ts';
import type { TreeNode } from './nodes.ts';

/** Deeper than any tree can get: 40 entries a node and 2^48 entries need nine levels. */
export const DEPTH_MAX = 16;

/**
 * A place in a tree: the nodes from root to leaf with an index in each. Made once and reused, so that look-ups allocate nothing.
 * Any change of the tree makes it invalid, other than through the cursor's own value.
 */
export class Cursor {
  readonly nodes: (TreeNode | undefined)[] = new Array<TreeNode | undefined>(DEPTH_MAX).fill(undefined);
  readonly indexes = new Int32Array(DEPTH_MAX);
  depth = 0;
  /** The leaf's page; meaningless where the cursor is not at an entry. */
  page: Uint8Array = new Uint8Array(0);
  index = 0;

  /** Where the entry's key starts in `page`. */
  get keyAt(): number {
    return keyAt(this.page, this.index);
  }

  get keyLength(): number {
    return keyLengthAt(this.page, this.index);
  }

  /** Where the entry's value starts in `page`. */
  get valueAt(): number {
    return valueAt(this.page, this.index);
  }

  get valueLength(): number {
    return valueLengthAt(this.page, this.index);
  }

  /** Whether the first `length` bytes of the entry's key are those of `key`. */
  hasPrefix(key: Key, length: number): boolean {
    if (this.keyLength < length) return false;
    const at = this.keyAt;
    for (let i = 0; i < length; i++) if (this.page[at + i] !== key.bytes[i]) return false;
    return true;
  }

  /** Whether the cursor is at an entry of its leaf. */
  get atEntry(): boolean {
    return this.index < pageCount(this.page);
  }
}
