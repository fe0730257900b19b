// What `init` and `status` do.

import { initialiseStore, openControlOfMount, parseSource, readAmberMounts } from '../../daemon/control/index.ts';
import type { MountInfo, StoreStatus } from '../../daemon/control/index.ts';
import { rowForJson, type Column } from '../columns.ts';
import { OUTPUT_VERSION } from '../failure.ts';
import { formatLocalTime, formatSize } from '../sizes.ts';
import { renderFacts, renderListing, type Listing, type ListingOptions } from '../table.ts';
import { resolveTarget } from '../target.ts';
import { withStore } from '../with-store.ts';
import { print, printResult } from './output.ts';
import { summarizeScrub } from './scrub.ts';

/** `amberfs init STORE` */
export async function runInit(path: string, json: boolean): Promise<void> {
  const store = await initialiseStore(path);
  printResult(json, `made the store ${store}; mount it with: amberfs mount ${path} DIR`, { store });
}

/** A mount in a listing, with the store that it belongs to. */
interface MountRow extends MountInfo {
  readonly store: string;
}

const MOUNT_COLUMNS: readonly Column<MountRow>[] = [
  { name: 'directory', kind: 'text', value: (mount) => mount.dir },
  { name: 'volume', kind: 'text', value: (mount) => mount.volume },
  { name: 'snapshot', kind: 'text', value: (mount) => mount.snapshot },
  { name: 'read_only', kind: 'flag', value: (mount) => mount.readOnly },
  { name: 'mounted', kind: 'time', value: (mount) => mount.mountedMs },
  { name: 'requests', kind: 'count', value: (mount) => mount.requests },
  { name: 'connection', kind: 'count', value: (mount) => mount.connection },
  { name: 'store', kind: 'text', value: (mount) => mount.store },
];

const STORE_COLUMNS: readonly Column<StoreStatus>[] = [
  { name: 'store', kind: 'text', value: (status) => status.store },
  { name: 'uuid', kind: 'text', value: (status) => status.uuid },
  { name: 'format', kind: 'count', value: (status) => status.format },
  { name: 'created', kind: 'time', value: (status) => status.createdMs },
  { name: 'pid', kind: 'count', value: (status) => status.pid },
  { name: 'started', kind: 'time', value: (status) => status.startedMs },
  { name: 'volumes', kind: 'count', value: (status) => status.volumes },
  { name: 'snapshots', kind: 'count', value: (status) => status.snapshots },
  { name: 'used', kind: 'size', value: (status) => status.usedBytes },
  { name: 'available', kind: 'size', value: (status) => status.availableBytes },
  { name: 'reclaiming', kind: 'count', value: (status) => status.reclaiming },
  { name: 'resident', kind: 'size', value: (status) => status.residentBytes },
  { name: 'failure', kind: 'text', value: (status) => status.failure },
];

const MOUNTS: Listing<MountRow> = {
  name: 'mounts',
  columns: MOUNT_COLUMNS,
  shown: 'directory,volume,snapshot,read_only,mounted',
  empty: 'nothing is mounted',
};

/** `amberfs status [STORE]` */
export async function runStatus(target: string | undefined, options: ListingOptions): Promise<void> {
  if (target === undefined) {
    await showAll(options);
    return;
  }
  const status = await withStore(await resolveTarget(target), (control) => control.call('status', {}));
  if (options.json === true) {
    print(`${JSON.stringify({ output_version: OUTPUT_VERSION, ...statusForJson(status) }, null, 2)}\n`);
    return;
  }
  if (options.scripted !== true) print(`${renderFacts(describeStatus(status))}\n`);
  print(renderListing(MOUNTS, mountRows(status), options));
}

/** All stores that have mounts which this process can see. A dead mount is listed with nothing but what the mount table says. */
async function showAll(options: ListingOptions): Promise<void> {
  const stores = new Map<string, StoreStatus>();
  const dead: string[] = [];
  for (const mount of readAmberMounts()) {
    const store = parseSource(mount.source)?.store;
    if (store === undefined || stores.has(store)) continue;
    try {
      const control = await openControlOfMount(mount, store);
      stores.set(store, await control.call('status', {}).finally(() => control.close()));
    } catch {
      dead.push(mount.dir);
    }
  }
  if (options.json === true) {
    const list = [...stores.values()].map(statusForJson);
    print(`${JSON.stringify({ output_version: OUTPUT_VERSION, stores: list, dead_mounts: dead }, null, 2)}\n`);
    return;
  }
  const shown = { ...MOUNTS, shown: `store,${MOUNTS.shown}` };
  print(renderListing(shown, [...stores.values()].flatMap(mountRows), options));
  for (const dir of dead) print(`${dir}: no daemon answers for this mount; clear it with: amberfs umount ${dir}\n`);
}

function mountRows(status: StoreStatus): MountRow[] {
  return status.mounts.map((mount) => ({ ...mount, store: status.store }));
}

function statusForJson(status: StoreStatus): object {
  return {
    ...rowForJson(STORE_COLUMNS, status),
    mounts: mountRows(status).map((mount) => rowForJson(MOUNT_COLUMNS, mount)),
  };
}

function describeStatus(status: StoreStatus): [string, string][] {
  const { pid, startedMs, residentBytes } = status;
  const since = startedMs === null ? '' : ` since ${formatLocalTime(startedMs)}`;
  const memory = residentBytes === null ? '' : `, ${formatSize(residentBytes)} of memory`;
  const facts: [string, string][] = [
    ['store', status.store],
    ['created', formatLocalTime(status.createdMs)],
    ['daemon', pid === null ? 'none runs' : `process ${pid}${since}${memory}`],
    ['holds', `${count(status.volumes, 'volume')}, ${count(status.snapshots, 'snapshot')}`],
    [
      'space',
      `${formatSize(status.usedBytes)} of file contents, ${formatSize(status.availableBytes)} left on the host`,
    ],
  ];
  if (status.failure !== null) {
    facts.push(['failure', `${status.failure}; it takes no changes until the cause is gone and it is mounted anew`]);
  }
  if (status.scrub !== null) facts.push(['scrub', summarizeScrub(status.scrub)]);
  if (status.reclaiming > 0) facts.push(['freeing', `space of ${count(status.reclaiming, 'deleted version')}`]);
  return facts;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
