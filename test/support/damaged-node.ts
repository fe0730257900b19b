/** Damage in the nodes of trees, as a disk makes it. */
import { createHash } from 'node:crypto';
import { decodePage, nodeKey, pageCount, pageLevel } from '../../src/format/index.ts';
import { childId } from '../../src/tree/child.ts';
import type { MemoryKeyValue } from './memory-key-value.ts';

/** Changes a byte of the stored node `id`; a second time brings it back. */
export async function flipNode(kv: MemoryKeyValue, id: number): Promise<void> {
  const record = kv.get(nodeKey(id))!;
  record[record.length - 2]! ^= 1;
  const batch = kv.newBatch();
  batch.put(nodeKey(id), record);
  await kv.write(batch);
}

/** The nodes directly below the stored node `id`; none where that is a leaf. */
export function nodesBelow(kv: MemoryKeyValue, id: number): number[] {
  const page = decodePage(kv.get(nodeKey(id))!, `node ${id}`);
  return pageLevel(page) === 0 ? [] : Array.from({ length: pageCount(page) }, (_, index) => childId(page, index));
}

/** Tells what is stored from anything else that might be. */
export async function digestOf(kv: MemoryKeyValue): Promise<string> {
  const hash = createHash('sha256');
  for (const bytes of (await kv.range(Uint8Array.of(0), Uint8Array.of(255))).flat()) {
    hash.update(`${bytes.length} `).update(bytes);
  }
  return hash.digest('hex');
}
