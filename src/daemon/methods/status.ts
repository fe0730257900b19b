import { BLOCK_BYTES } from '../../format/index.ts';
import { hostSpace } from '../../store/index.ts';
import type { StoreStatus } from '../control/methods.ts';
import { describeScrub } from './scrub.ts';
import type { Service } from './service.ts';

/** `status`: the store, its daemon and its mounts. */
export function statusMethod(service: Service): StoreStatus {
  const { core, daemon } = service;
  const { store, volumes } = core;
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
    availableBytes: hostSpace(store.path).forData(),
    reclaiming: volumes.reclaiming,
    residentBytes: daemon === undefined ? null : process.memoryUsage.rss(),
    failure: volumes.failure?.message ?? null,
    scrub: describeScrub(core),
  };
}
