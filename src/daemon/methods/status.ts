import { statfs } from 'node:fs/promises';
import { BLOCK_BYTES } from '../../format/index.ts';
import type { StoreStatus } from '../control/methods.ts';
import type { Service } from './service.ts';

/** `status`: the store, its daemon and its mounts. */
export async function statusMethod(service: Service): Promise<StoreStatus> {
  const { core, daemon } = service;
  const { store, volumes } = core;
  // Not through a mount of ours: mounting over the store is refused.
  const host = await statfs(store.path);
  return {
    store: store.path,
    uuid: store.format.uuid,
    format: store.format.format,
    createdMs: Date.parse(store.format.created),
    pid: daemon?.pid ?? null,
    startedMs: daemon?.startedMs ?? null,
    mounts: daemon?.mounts.list() ?? [],
    volumes: volumes.list().length,
    snapshots: volumes.list().reduce((sum, volume) => sum + volume.snapshotCount, 0),
    usedBytes: volumes.allocatedBlocks * BLOCK_BYTES,
    availableBytes: host.bavail * host.bsize,
    reclaiming: volumes.reclaiming,
    residentBytes: daemon === undefined ? null : process.memoryUsage.rss(),
  };
}
