// The KeyValue contract in memory, with tree nodes that turn out to be damaged from a moment on that a test chooses.

import { SPACE } from '../../src/format/index.ts';
import { MemoryKeyValue } from './memory-key-value.ts';

export class RottingKeyValue extends MemoryKeyValue {
  /** So many more nodes are given as they are; what is in memory already is not asked for. */
  nodesLeft = Infinity;
  /** Called in the midst of whatever meets the damage. */
  atDamage: () => void = () => undefined;

  override get(key: Uint8Array): Uint8Array | undefined {
    const value = super.get(key);
    if (value === undefined || key[0] !== SPACE.node || this.nodesLeft-- > 0) return value;
    value[value.length - 1]! ^= 1;
    this.atDamage();
    return value;
  }
}
