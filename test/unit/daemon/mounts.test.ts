/** What a daemon does with its mounts, on a real store, with fake kernels at their other ends. */
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import tmp from 'tmp-promise';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MountInfo, MountRequest } from '../../../src/daemon/control/methods.ts';
import { openCore, type Core } from '../../../src/daemon/core.ts';
import { callMethod } from '../../../src/daemon/methods/index.ts';
import type { Service } from '../../../src/daemon/methods/service.ts';
import { Mounts } from '../../../src/daemon/mounts.ts';
import { initStore } from '../../../src/store/index.ts';
import { noLog } from '../../../src/util/index.ts';
import { FakeTransport } from '../../support/fake-transport.ts';

const EBUSY = 16;
const EROFS = 30;
const ESTALE = 116;
const ENOENT = 2;
const INVAL_ENTRY = 3;
const INC_EPOCH = 8;

let temp: string;
let cleanup: () => Promise<void>;
let core: Core;
let transport: FakeTransport;
let mounts: Mounts;
let service: Service;
let gone: number;

function dir(name: string): string {
  const path = join(temp, name);
  mkdirSync(path, { recursive: true });
  return path;
}

function request(target: string, name: string, options: MountRequest['options'] = {}): MountRequest {
  const [volume, snapshot] = target.split('@') as [string, string | undefined];
  return { dir: dir(name), volume, ...(snapshot === undefined ? {} : { snapshot }), options };
}

const mount = (target: string, name: string): Promise<MountInfo> => mounts.add(request(target, name));
const call = (method: string, params: object): Promise<unknown> => callMethod(service, method, params);

beforeEach(async () => {
  const made = await tmp.dir({ unsafeCleanup: true });
  temp = realpathSync(made.path);
  cleanup = made.cleanup;
  await initStore(join(temp, 'store'));
  core = await openCore(join(temp, 'store'), noLog);
  transport = new FakeTransport();
  gone = 0;
  mounts = new Mounts(core, transport, noLog, () => gone++);
  const daemon = { pid: 1, startedMs: 0, mounts, endIfIdle: () => Promise.resolve(mounts.idle) };
  service = { core, log: noLog, daemon };
});

afterEach(async () => {
  await mounts.abandonAll();
  for (const session of transport.sessions) await session.mount.session.closed;
  await core.close();
  await cleanup();
});

describe('a view', () => {
  test('is in one mount at most, also where two come at once', async () => {
    const both = await Promise.allSettled([mount('main', 'a'), mount('main', 'b')]);
    expect(both.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(mount('main', 'c')).rejects.toMatchObject({ code: 'EBUSY', reason: 'view-mounted' });
    expect(transport.sessions).toHaveLength(1);
    await call('snapshot.create', { volume: 'main', name: 's' });
    await mount('main@s', 'd');
    await expect(mount('main@s', 'e')).rejects.toMatchObject({ code: 'EBUSY' });
    expect(mounts.list().map(({ volume, snapshot, readOnly }) => [volume, snapshot, readOnly])).toEqual([
      ['main', null, false],
      ['main', 's', true],
    ]);
  });

  test('can be mounted again when it was unmounted, or when mounting it failed', async () => {
    transport.failure = new Error('no such luck');
    await expect(mount('main', 'a')).rejects.toThrow('no such luck');
    expect(mounts.idle).toBe(true);
    transport.failure = undefined;
    await mount('main', 'a');
    await mounts.remove(join(temp, 'a'), false);
    expect(mounts.idle).toBe(true);
    await mount('main', 'a');
    expect(gone).toBe(1);
  });

  test('must be there, and not lie over the store or in it', async () => {
    await expect(mount('nothing', 'a')).rejects.toMatchObject({ reason: 'volume-unknown' });
    await expect(mount('main@nothing', 'a')).rejects.toMatchObject({ reason: 'snapshot-unknown' });
    await expect(mount('main', '.')).rejects.toMatchObject({ reason: 'mount-covers-store' });
    await expect(mount('main', 'store')).rejects.toMatchObject({ reason: 'mount-covers-store' });
    await expect(mount('main', 'store/db')).rejects.toMatchObject({ reason: 'mount-in-store' });
    expect(transport.sessions).toHaveLength(0);
  });

  test('shows its store to the mount table, and asks the kernel for what the options say', async () => {
    await mount('main', 'a');
    expect(transport.last.options).toMatchObject({
      source: `${join(temp, 'store')}:main`,
      readOnly: false,
      suid: false,
      dev: false,
      noatime: false,
    });
    await call('snapshot.create', { volume: 'main', name: 's' });
    await mounts.add(request('main@s', 'b', { allowOther: false, noatime: true, exec: false, fsname: 'my disk' }));
    expect(transport.last.options).toMatchObject({
      source: 'my disk',
      readOnly: true,
      allowOther: false,
      noatime: true,
      exec: false,
    });
  });

  test('read-only: no changes through it', async () => {
    await mounts.add(request('main', 'a', { readOnly: true }));
    expect(() => transport.last.mount.create(1n, 'f')).toThrow(expect.objectContaining({ errno: EROFS }));
  });
});

describe('unmounting', () => {
  test('is done when what was written is durable', async () => {
    await mount('main', 'a');
    transport.last.mount.mkdir(1n, 'kept');
    await mounts.remove(join(temp, 'a'), false);
    // As after a power cut: nothing that is only in memory.
    await core.store.close();
    core = await openCore(join(temp, 'store'), noLog);
    service = { ...service, core };
    mounts = new Mounts(core, transport, noLog, () => gone++);
    await mount('main', 'a');
    expect(transport.last.mount.lookup(1n, 'kept').node).toBeGreaterThan(1n);
  });

  test('from outside is noticed', async () => {
    await mount('main', 'a');
    transport.last.mount.kernel.unmount();
    await expect.poll(() => gone).toBe(1);
    expect(mounts.idle).toBe(true);
  });

  test('what is in use or not there is an error, and nothing changes', async () => {
    await mount('main', 'a');
    transport.last.busy = true;
    await expect(mounts.remove(join(temp, 'a'), false)).rejects.toMatchObject({ code: 'EBUSY' });
    await expect(mounts.remove(join(temp, 'b'), false)).rejects.toMatchObject({ reason: 'mount-unknown' });
    expect(mounts.list()).toHaveLength(1);
  });

  test('lazily, while it is in use: its session goes on, and the view is not free yet', async () => {
    await mount('main', 'a');
    transport.last.busy = true;
    await mounts.remove(join(temp, 'a'), true);
    expect(transport.last).toMatchObject({ lazily: true, abandoned: false });
    await expect(mount('main', 'b')).rejects.toMatchObject({ code: 'EBUSY' });
    transport.last.mount.kernel.unmount();
    await expect.poll(() => mounts.idle).toBe(true);
    await mount('main', 'b');
  });

  test('everything: politely, then lazily, then by force', async () => {
    await call('snapshot.create', { volume: 'main', name: 's' });
    await mount('main', 'a');
    const busy = transport.last;
    busy.busy = true;
    await mount('main@s', 'b');
    const free = transport.last;
    await mounts.removeAll(150, 100);
    expect(busy).toMatchObject({ lazily: true, abandoned: true });
    expect(free).toMatchObject({ lazily: false, abandoned: false });
    expect(mounts.idle).toBe(true);
  });
});

describe('what is mounted', () => {
  test('is not deleted or renamed under its users', async () => {
    await call('snapshot.create', { volume: 'main', name: 's' });
    await call('clone', { volume: 'main', name: 's', to: 'copy' });
    await mount('main@s', 'a');
    const refused = { code: 'EBUSY', message: expect.stringContaining(join(temp, 'a')) as string };
    await expect(call('snapshot.delete', { volume: 'main', name: 's', dryRun: false })).rejects.toMatchObject(refused);
    await expect(call('snapshot.delete', { volume: 'main', name: 's', dryRun: true })).rejects.toMatchObject(refused);
    await expect(call('snapshot.rename', { volume: 'main', name: 's', to: 't' })).rejects.toMatchObject(refused);
    await expect(call('volume.delete', { volume: 'main', dryRun: false })).rejects.toMatchObject(refused);
    await mount('main', 'b');
    const live = transport.last.mount;
    const snapdir = live.lookup(1n, '.snapshots').node;
    expect(() => live.rmdir(snapdir, 's')).toThrow(expect.objectContaining({ errno: EBUSY }));
    await mount('copy', 'c');
    await expect(call('volume.delete', { volume: 'copy', dryRun: false })).rejects.toMatchObject({ code: 'EBUSY' });
    await mounts.remove(join(temp, 'c'), false);
    await call('volume.delete', { volume: 'copy', dryRun: false });
    await mounts.remove(join(temp, 'a'), false);
    await call('snapshot.delete', { volume: 'main', name: 's', dryRun: false });
  });

  test('nor is what is just being mounted', async () => {
    await call('snapshot.create', { volume: 'main', name: 's' });
    transport.onOpen = async () => {
      const params = { volume: 'main', name: 's', dryRun: false };
      await expect(call('snapshot.delete', params)).rejects.toMatchObject({ code: 'EBUSY' });
      await expect(call('volume.delete', params)).rejects.toMatchObject({ code: 'EBUSY' });
    };
    await mount('main@s', 'a');
  });

  test('nor is a volume restored that is just being mounted', async () => {
    await call('snapshot.create', { volume: 'main', name: 's' });
    const params = { volume: 'main', name: 's', discard: false, dryRun: false };
    transport.onOpen = async () => {
      await expect(call('snapshot.restore', params)).rejects.toMatchObject({ code: 'EBUSY' });
    };
    await mount('main', 'a');
    const { mount: live } = transport.last;
    const { node } = live.mkdir(1n, 'later');
    expect(await call('snapshot.restore', params)).toMatchObject({ snapshot: 's', mountedOn: join(temp, 'a') });
    expect(live.kernel.notifications.map(({ code }) => code)).toContain(INC_EPOCH);
    expect(() => live.getattr(node)).toThrow(expect.objectContaining({ errno: ESTALE }));
    expect(() => live.lookup(1n, 'later')).toThrow(expect.objectContaining({ errno: ENOENT }));
  });

  test('shows changes of its snapshots at once, though the kernel remembered otherwise', async () => {
    await mount('main', 'a');
    const { mount: live } = transport.last;
    const told = (name: string): boolean =>
      live.kernel.notifications.some(({ code, body }) => code === INVAL_ENTRY && body.includes(name));
    await call('snapshot.create', { volume: 'main', name: 'one', accessPoint: 'point' });
    expect(told('point')).toBe(true);
    const snapdir = live.lookup(1n, '.snapshots').node;
    expect(live.lookup(snapdir, 'point').node).toBeGreaterThan(0n);
    await call('snapshot.create', { volume: 'main', name: 'two' });
    live.kernel.notifications.length = 0;
    await call('snapshot.rename', { volume: 'main', name: 'two', to: 'three' });
    expect([told('two'), told('three')]).toEqual([true, true]);
    live.kernel.notifications.length = 0;
    await call('snapshot.delete', { volume: 'main', name: 'three', dryRun: false });
    expect(told('three')).toBe(true);
  });
});
