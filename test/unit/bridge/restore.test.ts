// A restore while the volume is mounted: nothing of before is served, kept or destroyed under the numbers of now.

import { beforeEach, describe, expect, test } from 'vitest';
import { SESSION_OPTIONS, createHandlers } from '../../../src/bridge/index.ts';
import { ERRNO } from '../../../src/errors/index.ts';
import type { Snapshot } from '../../../src/volume/index.ts';
import {
  errnoLater,
  errnoOf,
  namesIn,
  openBridged,
  ROOT,
  SNAPDIR,
  takeSnapshot,
  type BridgedMount,
  type BridgedOptions,
} from '../../support/bridged-mount.ts';
import { FakeMount } from '../../support/fake-mount.ts';
import { MessageReader } from '../../support/fuse-message.ts';
import { MemoryBlockFile } from '../../support/memory-block-file.ts';
import { RottingKeyValue } from '../../support/rotting-key-value.ts';

const INVAL_INODE = 2;
const INVAL_ENTRY = 3;
const INC_EPOCH = 8;

let bridged: BridgedMount;

beforeEach(() => open());

async function open(options?: BridgedOptions): Promise<void> {
  bridged = await openBridged(options);
}

/** What the daemon does; resolves when the kernel was told. Without `preserve` what was there is given up. */
async function restore(name: string, preserve?: string): Promise<void> {
  const { handlers, view } = bridged;
  const afterRestore = handlers.beforeRestore();
  const request = preserve === undefined ? undefined : { name: preserve };
  const kept: Snapshot | undefined = view.volumes.restore(view.volume, view.volume.snapshot(name), request);
  await afterRestore(kept === undefined ? [] : [kept.label.accessPoint]);
}

function write(name: string, text: string): bigint {
  const { node } = bridged.mount.create(ROOT, name).entry;
  bridged.mount.write(node, 0, 0, Buffer.from(text));
  return node;
}

function read(name: string): string {
  const { mount } = bridged;
  return mount.read(mount.lookup(ROOT, name).node, 0, 0, 4096).toString();
}

/** What the kernel was told: `epoch`, `inode NODE` or `entry PARENT NAME`. */
function told(): string[] {
  return bridged.mount.kernel.notifications.map(({ code, body }) => {
    if (code === INC_EPOCH) return 'epoch';
    const from = new MessageReader(body);
    const node = from.u64();
    if (code === INVAL_INODE) {
      expect([from.i64(), from.i64()]).toEqual([0n, 0n]);
      return `inode ${node}`;
    }
    expect(code).toBe(INVAL_ENTRY);
    const length = from.u32();
    from.skip(4);
    return `entry ${node} ${from.take(length).toString()}`;
  });
}

describe('after a restore', () => {
  test('the root shows the old state under new nodeids; the old ones are stale', async () => {
    const { mount } = bridged;
    const file = write('f', 'then');
    const dir = mount.mkdir(ROOT, 'd').node;
    mount.create(dir, 'inner');
    await takeSnapshot(mount, 's');
    mount.write(file, 0, 0, Buffer.from('later'));
    const added = write('new', 'x');
    mount.unlink(dir, 'inner');
    await restore('s', 'kept');
    expect(namesIn(mount, ROOT)).toEqual(['.', '..', 'd', 'f']);
    expect(read('f')).toBe('then');
    const now = mount.lookup(ROOT, 'f');
    expect(now.node).not.toBe(file);
    expect(now.attr.size).toBe(4);
    const stale: (() => unknown)[] = [
      ...[file, dir, added].map((node) => () => mount.getattr(node)),
      () => mount.open(file, 2),
      () => mount.read(file, 0, 0, 10),
      () => mount.write(file, 0, 0, Buffer.from('dirty')),
      () => mount.setattr(added, { size: 0 }),
      () => mount.create(dir, 'lost'),
      () => mount.lookup(dir, 'inner'),
      () => mount.link(file, ROOT, 'hard'),
      () => mount.rename(ROOT, 'f', dir, 'f'),
    ];
    for (const action of stale) expect(errnoOf(action), String(action)).toBe(ERRNO.ESTALE);
    expect(read('f')).toBe('then');
    const kept = mount.lookup(SNAPDIR, 'kept').node;
    expect(mount.read(mount.lookup(kept, 'f').node, 0, 0, 10).toString()).toBe('later');
    expect(namesIn(mount, kept)).toEqual(['.', '..', 'd', 'f', 'new']);
  });

  test('FORGETs of before neither end nor uncount a file of now', async () => {
    const { mount, memory, handlers } = bridged;
    const file = write('f', 'then');
    await takeSnapshot(mount, 's');
    mount.unlink(ROOT, 'f');
    expect([handlers.orphanCount, handlers.knownNodes]).toEqual([1, 1]);
    await restore('s', 'kept');
    expect([handlers.orphanCount, handlers.knownNodes]).toEqual([0, 0]);
    const { node, attr } = mount.lookup(ROOT, 'f');
    expect(attr).toMatchObject({ nlink: 1, ino: file & 0xff_ffff_ffffn });
    mount.forget(file, 1);
    expect(handlers.knownNodes).toBe(1);
    expect(read('f')).toBe('then');
    mount.unlink(ROOT, 'f');
    expect(mount.read(node, 0, 0, 10).toString()).toBe('then');
    mount.forget(node, mount.nlookup.get(node));
    expect(errnoOf(() => mount.getattr(node))).toBe(ERRNO.ESTALE);
    expect(await memory.check()).toEqual([]);
  });

  test('an unmount does not destroy what lost its name before it', async () => {
    const { mount, memory, view } = bridged;
    write('f', 'then');
    await takeSnapshot(mount, 's');
    mount.unlink(ROOT, 'f');
    await restore('s');
    expect(read('f')).toBe('then');
    mount.unmount();
    expect(await memory.check()).toEqual([]);
    const handlers = createHandlers(view);
    bridged = { ...bridged, handlers, mount: await FakeMount.open(handlers, { init: SESSION_OPTIONS }) };
    expect(read('f')).toBe('then');
  });

  test('a large file that was being taken apart is whole again', async () => {
    const { mount, memory } = bridged;
    const { node } = mount.create(ROOT, 'f').entry;
    for (let i = 0; i < 300; i++) mount.write(node, 0, i * 8192, Buffer.alloc(4096, 1));
    await takeSnapshot(mount, 's');
    mount.unlink(ROOT, 'f');
    mount.forget(node, 1);
    await restore('s', 'kept');
    await memory.volumes.reclaimed();
    const now = mount.lookup(ROOT, 'f');
    expect(now.attr.blocks).toBe(300 * 8);
    expect(mount.read(now.node, 0, 299 * 8192, 4096)).toEqual(Buffer.alloc(4096, 1));
    expect(await memory.check()).toEqual([]);
  });

  test('a read or copy that had to wait for the disk meanwhile is stale, and moves no atime', async () => {
    class ColdBlockFile extends MemoryBlockFile {
      override readCached(): boolean {
        return false;
      }
    }
    await open({ volumes: { blocks: new ColdBlockFile() } });
    const { mount, memory } = bridged;
    const file = write('f', 'then');
    await takeSnapshot(mount, 's');
    mount.write(file, 0, 0, Buffer.alloc(4096, 'n'));
    const target = write('g', '');
    await memory.volumes.commit();
    const reading = mount.readLater(file, 0, 0, 4096);
    const copying = mount.copyFileRange({ node: file, fh: 0, offset: 0 }, { node: target, fh: 0, offset: 0 }, 4096);
    memory.clock.advance(5);
    const restored = restore('s', 'kept');
    expect(await errnoLater(() => reading)).toBe(ERRNO.ESTALE);
    expect(await errnoLater(() => copying)).toBe(ERRNO.ESTALE);
    await restored;
    expect(mount.lookup(ROOT, 'f').attr.atime).toBeLessThan(memory.clock.nanoseconds);
    expect(namesIn(mount, ROOT)).toEqual(['.', '..', 'f']);
  });
});

describe('the kernel is told', () => {
  test('with an epoch: all names at once, and every node that it holds', async () => {
    const { mount } = bridged;
    const file = write('f', 'then');
    await takeSnapshot(mount, 's');
    const added = write('new', 'x');
    const forgotten = write('gone', 'x');
    mount.forget(forgotten, 1);
    mount.kernel.notifications.length = 0;
    await restore('s', 'kept');
    const all = told();
    expect(all.slice(0, 4)).toEqual(['epoch', `inode ${ROOT}`, `inode ${SNAPDIR}`, `entry ${SNAPDIR} kept`]);
    expect(all.slice(4, -2).sort()).toEqual([file, added].map((node) => `inode ${node}`).sort());
    expect(all.slice(-2)).toEqual([`inode ${ROOT}`, `inode ${SNAPDIR}`]);
    mount.kernel.notifications.length = 0;
    await restore('s');
    expect(told()).toEqual(['epoch', ...[ROOT, SNAPDIR, ROOT, SNAPDIR].map((node) => `inode ${node}`)]);
  });

  test('without: each name that the root had or has, since it may know that there was none', async () => {
    await open({ kernel: { minor: 43 } });
    const { mount } = bridged;
    const file = write('f', 'then');
    const names = Array.from({ length: 600 }, (_, i) => `many-${i}`);
    const nodes = names.map((name) => write(name, ''));
    await takeSnapshot(mount, 's');
    mount.unlink(ROOT, 'f');
    const added = write('new', 'x');
    mount.kernel.notifications.length = 0;
    // It holds some of them only.
    mount.kernel.onNotification = ({ code }) => (code === INVAL_ENTRY ? ERRNO.ENOENT : 0);
    await restore('s', 'kept');
    const all = told();
    expect(all).not.toContain('epoch');
    for (const name of [...names, 'f', 'new']) expect(all).toContain(`entry ${ROOT} ${name}`);
    for (const node of [ROOT, SNAPDIR, file, added, ...nodes]) expect(all).toContain(`inode ${node}`);
    expect(all.at(-2)).toBe(`inode ${ROOT}`);
    expect(read('f')).toBe('then');
  });

  test('without, where the root that was restored is damaged: each name of before, and the store takes no more changes', async () => {
    await open();
    // So many that a restore alone needs but a few of the nodes, and those of before leave memory.
    for (let i = 0; i < 2000; i++) write(String(i).padEnd(255, 'x'), '');
    await takeSnapshot(bridged.mount, 's');
    await bridged.memory.volumes.commit();
    const kv = bridged.memory.kv.copyInto(new RottingKeyValue());
    await open({ kernel: { minor: 43 }, volumes: { kv, blocks: bridged.memory.blocks, cacheBytes: 0 } });
    const { mount, handlers, view } = bridged;
    mount.kernel.notifications.length = 0;
    const afterRestore = handlers.beforeRestore();
    view.volumes.restore(view.volume, view.volume.snapshot('s'), { name: 'kept' });
    kv.nodesLeft = 0;
    await afterRestore(['kept']);
    expect(view.volumes.failure?.message).toMatch(/node \d+/);
    const entries = told().filter((one) => one.startsWith(`entry ${ROOT} `));
    expect(entries).toHaveLength(2000);
  });

  test('nothing once it is gone', async () => {
    const { mount } = bridged;
    await takeSnapshot(mount, 's');
    mount.unmount();
    await restore('s', 'kept');
    expect(mount.kernel.notifications).toEqual([]);
  });
});
