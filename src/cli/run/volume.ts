// What the commands about volumes do.

import type { PropertyInfo, VolumeInfo } from '../../daemon/control/index.ts';
import type { Column } from '../columns.ts';
import type { DeleteOptions } from '../commands/delete-options.ts';
import { rowForJson } from '../columns.ts';
import { UsageError, forEach } from '../failure.ts';
import { formatSize } from '../sizes.ts';
import { renderListing, type Listing, type ListingOptions } from '../table.ts';
import { resolveTarget, type Target } from '../target.ts';
import { withStore } from '../with-store.ts';
import { runDeletions, type Deletion } from './delete.ts';
import { print, printRow } from './output.ts';
import { requireSnapshot } from './snapshot-target.ts';

const VOLUME_COLUMNS: readonly Column<VolumeInfo>[] = [
  { name: 'name', kind: 'text', value: (volume) => volume.volume },
  { name: 'created', kind: 'time', value: (volume) => volume.createdMs },
  { name: 'origin', kind: 'text', value: (volume) => volume.origin },
  { name: 'snapshots', kind: 'count', value: (volume) => volume.snapshots },
  { name: 'referenced', kind: 'size', value: (volume) => volume.referencedBytes },
  { name: 'usedbysnapshots', kind: 'size', value: (volume) => volume.snapshotsBytes },
  { name: 'mounted_on', kind: 'text', value: (volume) => volume.mountedOn },
];

const VOLUMES: Listing<VolumeInfo> = {
  name: 'volumes',
  columns: VOLUME_COLUMNS,
  shown: 'name,created,referenced,usedbysnapshots,snapshots,origin,mounted_on',
  empty: 'no volumes',
};

const PROPERTIES: Listing<PropertyInfo> = {
  name: 'properties',
  columns: [
    { name: 'volume', kind: 'text', value: (property) => property.volume },
    { name: 'property', kind: 'text', value: (property) => property.property },
    { name: 'value', kind: 'text', value: (property) => property.value },
    { name: 'source', kind: 'text', value: (property) => property.source },
  ],
  shown: 'volume,property,value,source',
  empty: 'no properties',
};

/** The volume of a target. Throws UsageError where it names a snapshot or no volume of its own accord. */
export function requireVolume(text: string, target: Target): Target {
  if (target.snapshot !== undefined) {
    throw new UsageError('target-not-a-volume', `"${text}" is a snapshot; name a volume, as STORE:VOLUME`);
  }
  if (!target.volumeGiven) throw new UsageError('volume-not-named', `"${text}" names no volume; write ${text}:VOLUME`);
  return target;
}

/** `amberfs volume list STORE` */
export async function runVolumeList(text: string, options: ListingOptions): Promise<void> {
  const target = await resolveTarget(text);
  const rows = await withStore(target, (control) => control.call('volume.list', {}));
  print(renderListing(VOLUMES, rows, options));
}

/** `amberfs volume create STORE:VOLUME...`; gives the exit status. */
export function runVolumeCreate(texts: readonly string[], json: boolean): Promise<number> {
  return forEach(texts, json, async (text) => {
    const target = requireVolume(text, await resolveTarget(text));
    const { volume } = target;
    const info = await withStore(target, (control) => control.call('volume.create', { volume }));
    printRow(json, `made volume ${volume}`, VOLUME_COLUMNS, info);
  });
}

/** `amberfs volume delete STORE:VOLUME...`; gives the exit status. */
export function runVolumeDelete(texts: readonly string[], options: DeleteOptions): Promise<number> {
  const deletions = texts.map((text): Deletion<VolumeInfo> => ({
    run: async (dryRun) => {
      const target = requireVolume(text, await resolveTarget(text));
      return withStore(target, (control) => control.call('volume.delete', { volume: target.volume, dryRun }));
    },
  }));
  const describe = (info: VolumeInfo): string => {
    const snapshots =
      info.snapshots === 0 ? 'no snapshots' : `${info.snapshots} snapshot${info.snapshots === 1 ? '' : 's'}`;
    return `volume ${info.volume} (${formatSize(info.referencedBytes)} referenced, with ${snapshots})`;
  };
  return runDeletions(
    deletions,
    { list: 'volumes', describe, toJson: (info) => rowForJson(VOLUME_COLUMNS, info) },
    options,
  );
}

/** `amberfs volume get TARGET [PROPERTY...]` */
export async function runVolumeGet(
  text: string,
  properties: readonly string[],
  options: ListingOptions,
): Promise<void> {
  const target = await resolveTarget(text);
  const all = await withStore(target, (control) => control.call('volume.get', { volume: target.volume }));
  const unknown = properties.find((name) => !all.some((row) => row.property === name));
  if (unknown !== undefined) {
    const known = all.map((row) => row.property).join(', ');
    throw new UsageError('property-not-known', `volumes have no property "${unknown}"; they have: ${known}`);
  }
  const rows = all.filter((row) => properties.length === 0 || properties.includes(row.property));
  print(renderListing(PROPERTIES, rows, options));
}

/** `amberfs volume set TARGET PROPERTY=VALUE...`; gives the exit status. */
export async function runVolumeSet(text: string, settings: readonly string[]): Promise<number> {
  const pairs = settings.map((setting) => {
    const equals = setting.indexOf('=');
    if (equals <= 0) throw new UsageError('property-setting', `"${setting}" is not of the form PROPERTY=VALUE`);
    return { property: setting.slice(0, equals), value: setting.slice(equals + 1) };
  });
  const target = await resolveTarget(text);
  const { volume } = target;
  return withStore(target, (control) =>
    forEach(pairs, false, async (pair) => {
      await control.call('volume.set', { volume, ...pair });
    }),
  );
}

/** `amberfs clone TARGET@NAME VOLUME` */
export async function runClone(text: string, to: string, json: boolean): Promise<void> {
  const target = requireSnapshot(text, await resolveTarget(text));
  const { store, volume, snapshot: name } = target;
  const info = await withStore(target, (control) => control.call('clone', { volume, name, to }));
  const sentence = `made volume ${to} from ${volume}@${name}; mount it with: amberfs mount ${store}:${to} DIR`;
  printRow(json, sentence, VOLUME_COLUMNS, info);
}
