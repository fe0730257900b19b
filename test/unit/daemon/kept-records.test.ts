import { expect, test } from 'vitest';
import { CorruptionError } from '../../../src/errors/index.ts';
import { keepRecords } from '../../../src/daemon/kept-records.ts';
import { MemoryKeyValue } from '../../support/memory-key-value.ts';

class DamagedKeyValue extends MemoryKeyValue {
  override readonly damage = new CorruptionError('db/000005.ldb', 'the block at 0 does not match its checksum');
}

test('a damaged database is known as one behind what keeps records, too, and a whole one is not', () => {
  const damaged = new DamagedKeyValue();
  expect(keepRecords(damaged, '/nowhere', () => false).damage).toBe(damaged.damage);
  expect(keepRecords(new MemoryKeyValue(), '/nowhere', () => false).damage).toBeUndefined();
});
