// What a command is about: `TARGET` is a path inside a mount or `STORE[:VOLUME]`, `TARGET@NAME` a snapshot of that. The mount tells its
// store and volume by its source in the mount table.

import { access, constants, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { FsError } from '../errors/index.ts';
import {
  MAIN_VOLUME,
  hasStoreParts,
  isStoreDirectory,
  mountOf,
  parseSource,
  readAmberMounts,
  type AmberMount,
} from '../daemon/control/index.ts';
import { UsageError } from './failure.ts';

/** A target as it was written. */
export interface TargetText {
  readonly base: string;
  readonly snapshot: string | undefined;
}

/** What a target stands for. */
export interface Target {
  readonly store: string;
  readonly volume: string;
  /** Whether the volume was named, by the text or by a mount, or is just the default. */
  readonly volumeGiven: boolean;
  readonly snapshot: string | undefined;
  /** The mount that the store was found by. */
  readonly mount: AmberMount | undefined;
}

/** Cuts `TARGET[@NAME]`: the first "@" after the last "/" is the one that counts. Throws UsageError where a part is empty. */
export function parseTarget(text: string): TargetText {
  const at = text.indexOf('@', text.lastIndexOf('/') + 1);
  const base = at === -1 ? text : text.slice(0, at);
  const snapshot = at === -1 ? undefined : text.slice(at + 1);
  if (base === '') throw new UsageError('target-empty', `"${text}" names no store and no path in a mount`);
  if (snapshot === '') throw new UsageError('target-snapshot-empty', `"${text}" ends before the name of the snapshot`);
  return { base, snapshot };
}

/** Cuts `STORE[:VOLUME]`: the last ":" after the last "/" is the one that counts. Throws UsageError where a part is empty. */
export function splitVolume(base: string): { store: string; volume: string | undefined } {
  const colon = base.lastIndexOf(':');
  if (colon <= base.lastIndexOf('/')) return { store: base, volume: undefined };
  const store = base.slice(0, colon);
  const volume = base.slice(colon + 1);
  if (store === '' || volume === '') {
    throw new UsageError('target-volume-empty', `"${base}" is not of the form STORE:VOLUME`);
  }
  return { store, volume };
}

/** `STORE[:VOLUME[@NAME]]`, where no mount is meant. */
function resolveStoreTarget(text: string): Target {
  const { base, snapshot } = parseTarget(text);
  // A colon may be part of the directory's name.
  const whole = isStoreDirectory(base);
  const { store, volume } = whole ? { store: base, volume: undefined } : splitVolume(base);
  return {
    store: resolve(store),
    volume: volume ?? MAIN_VOLUME,
    volumeGiven: volume !== undefined,
    snapshot,
    mount: undefined,
  };
}

/** Any target. Rejects with UsageError for a malformed one, FsError ENOENT or EINVAL where it names neither a store nor a mount. */
export async function resolveTarget(text: string): Promise<Target> {
  const { base, snapshot } = parseTarget(text);
  if (isStoreDirectory(base)) return resolveStoreTarget(text);
  const mount = mountOf(readAmberMounts(), await realPathOf(base));
  if (mount !== undefined) return targetOfMount(text, mount, snapshot);
  const { volume } = splitVolume(base);
  if (volume === undefined && !hasStoreParts(base) && (await isReadable(base))) {
    throw new FsError(
      'EINVAL',
      'target-elsewhere',
      `${base}: neither a store nor a path in a mount of amberfs; "amberfs status" shows what is mounted`,
    );
  }
  return resolveStoreTarget(text);
}

function targetOfMount(text: string, mount: AmberMount, snapshot: string | undefined): Target {
  const source = parseSource(mount.source);
  if (source === undefined) {
    throw new FsError(
      'EINVAL',
      'target-source-unknown',
      `${text}: the mount ${mount.dir} does not tell its store (it shows "${mount.source}"); name the target as STORE:VOLUME`,
    );
  }
  return {
    store: source.store,
    volume: source.volume,
    volumeGiven: true,
    snapshot: snapshot ?? source.snapshot,
    mount,
  };
}

/** Without symlinks as far as there is something; a dead mount answers to nothing below it, but its own path is known. */
async function realPathOf(path: string): Promise<string> {
  const absolute = resolve(path);
  try {
    return await realpath(absolute);
  } catch {
    const parent = await realpath(dirname(absolute)).catch(() => dirname(absolute));
    return join(parent, basename(absolute));
  }
}

/** Whether something is there that can be looked into; of the rest, opening the store complains with more to say. */
async function isReadable(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}
