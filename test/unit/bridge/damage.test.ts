/** Damaged metadata: what is damaged is EIO, the rest can be read, nothing changes any more, and nothing half becomes durable. */
import { beforeEach, expect, test } from 'vitest';
import { ERRNO } from '../../../src/errors/index.ts';
import { SPACE, spaceKey } from '../../../src/format/index.ts';
import { ROOT, errnoLater, errnoOf, namesIn, openBridged, type BridgedMount } from '../../support/bridged-mount.ts';
import { openMemoryVolumes } from '../../support/memory-volumes.ts';

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
