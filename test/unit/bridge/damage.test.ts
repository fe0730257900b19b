/** Damaged metadata: what is damaged is EIO, the rest can be read, nothing changes any more, and nothing half becomes durable. */
import { beforeEach, expect, test } from 'vitest';
import { ERRNO } from '../../../src/errors/index.ts';
import { SPACE, spaceKey } from '../../../src/format/index.ts';
import { ROOT, errnoLater, errnoOf, namesIn, openBridged, type BridgedMount } from '../../support/bridged-mount.ts';
import { MemoryKeyValue } from '../../support/memory-key-value.ts';
import { openMemoryVolumes } from '../../support/memory-volumes.ts';
import { RottingKeyValue } from '../../support/rotting-key-value.ts';

const COUNT = 2000;
let bridged: BridgedMount;

/** Damages every node in the engine. Those that are in memory are as they were. */
async function damageNodes(): Promise<void> {
  const { kv } = bridged.memory;
  const nodes = await kv.range(spaceKey(SPACE.node), spaceKey(SPACE.node, true));
  const batch = kv.newBatch();
  for (const [key, value] of nodes) {
    value[value.length - 1]! ^= 1;
    batch.put(key, value);
  }
  await kv.write(batch, true);
}

beforeEach(async () => {
  bridged = await openBridged({ volumes: { cacheBytes: 0 } });
  const { mount, memory } = bridged;
  for (let i = 0; i < COUNT; i++) mount.create(ROOT, `file-${i}`);
  await memory.volumes.commit();
});

test('an operation that meets it fails, and from then on the store takes no changes', async () => {
  const { mount, memory } = bridged;
  await damageNodes();
  const errors = new Set<number>();
  for (let i = 0; i < COUNT; i++) errors.add(errnoOf(() => mount.unlink(ROOT, `file-${i}`)));
  expect([...errors].sort((a, b) => a - b)).toContain(ERRNO.EIO);
  expect(() => memory.volumes.get('main').filesystem.change()).toThrow(expect.objectContaining({ code: 'EROFS' }));
  expect(await errnoLater(() => mount.fsync(ROOT, 0))).toBe(ERRNO.EIO);
  expect(memory.volumes.failure?.message).toMatch(/node \d+: checksum does not match/);
  await expect(memory.volumes.commit()).rejects.toThrow(/node/);
});

test('damaged contents of a file stop nothing else', async () => {
  const { mount, memory } = bridged;
  const { entry, fh } = mount.create(ROOT, 'f');
  mount.write(entry.node, fh, 0, Buffer.alloc(65_536, 1));
  await memory.volumes.commit();
  memory.blocks.writeSync(Buffer.from([7]), 0, 1, 5);
  expect(errnoOf(() => mount.read(entry.node, fh, 0, 4096))).toBe(ERRNO.EIO);
  expect(memory.volumes.failure).toBeUndefined();
  mount.create(ROOT, 'g');
  expect(namesIn(mount, ROOT)).toContain('g');
  await memory.volumes.commit();
  const again = await openMemoryVolumes({ kv: memory.kv, blocks: memory.blocks });
  expect(again.volumes.failure).toBeUndefined();
});

test('a file without a name that meets it when it is forgotten: nothing of it is destroyed by half', async () => {
  const { node } = bridged.mount.create(ROOT, 'large').entry;
  // Its data go first; its attributes lie in nodes of their own.
  bridged.mount.write(node, 0, 0, Buffer.alloc(40_960, 1));
  for (let i = 0; i < 40; i++) bridged.mount.setxattr(node, `user.${i}`, Buffer.alloc(1000, i));
  await bridged.memory.volumes.commit();
  const kv = bridged.memory.kv.copyInto(new RottingKeyValue());
  const { mount, memory } = await openBridged({ volumes: { kv, blocks: bridged.memory.blocks } });
  const { volumes } = memory;
  const large = mount.lookup(ROOT, 'large').node;
  mount.read(large, 0, 0, 4096);
  mount.unlink(ROOT, 'large');
  const allocated = volumes.allocatedBlocks;
  kv.nodesLeft = 0;
  mount.forget(large);
  // In memory its data are gone by now, and its attributes are not.
  expect(volumes.store.allocator.pendingBlocks).toBe(10);
  expect(volumes.failure?.message).toMatch(/node \d+/);
  expect(await errnoLater(() => mount.fsync(ROOT, 0))).toBe(ERRNO.EIO);
  const options = {
    kv: kv.copyInto(new MemoryKeyValue()),
    blocks: memory.blocks.copy(),
    journal: memory.journal.copy(),
  };
  const again = await openMemoryVolumes(options);
  expect(await again.check()).toEqual([]);
  expect(again.volumes.allocatedBlocks).toBe(allocated - 10);
});
