// What changed, over the control protocol.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { FsError } from '../../errors/index.ts';
import { areRelated, diffFilesystems, type Change, type Snapshot, type Volume } from '../../volume/index.ts';
import type { DiffInfo } from '../control/methods.ts';
import type { Fields } from '../control/protocol.ts';
import { booleanParam, optionalString, stringParam } from '../params.ts';
import type { Service } from './service.ts';

/** Of one answer: it has to fit into a line of the protocol (64 MiB), where most characters take one byte or two, a few six. */
const CHARACTERS_MAX = 24 * 1024 * 1024;
/** What an answer holds of a change besides its paths, at most. */
const CHANGE_CHARACTERS = 160;

interface Side {
  readonly text: string;
  readonly volume: Volume;
  readonly snapshot: Snapshot | undefined;
}

function sideOf({ core }: Service, volumeName: string, name: string | undefined): Side {
  const volume = core.volumes.get(volumeName);
  const snapshot = name === undefined ? undefined : volume.snapshot(name);
  const text = snapshot === undefined ? volume.name : `${volume.name}@${snapshot.label.name}`;
  return { text, volume, snapshot };
}

/** `snapshot.diff`. */
export async function diffSnapshots(service: Service, params: Fields): Promise<DiffInfo> {
  const before = sideOf(service, stringParam(params, 'volume'), stringParam(params, 'name'));
  const after = sideOf(service, stringParam(params, 'toVolume'), optionalString(params, 'to'));
  const path = optionalString(params, 'path');
  const listed = booleanParam(params, 'changes');
  const [from, to] = [before, after].map(({ volume, snapshot }) => snapshot?.version ?? volume.head.version);
  // Of a damaged store, what joins them may be what can't be read.
  const { forest, store } = service.core.volumes;
  if (store.kv.damage === undefined && !areRelated(forest, from!, to!)) {
    throw new FsError(
      'EXDEV',
      'diff-unrelated',
      `${before.text} and ${after.text} have nothing in common; compare snapshots of one volume, or of a volume and its clone`,
    );
  }
  const filesystems = [before, after].map(({ volume, snapshot }) => (snapshot ?? volume).filesystem);
  const diff = await diffFilesystems(filesystems[0]!, filesystems[1]!, { path, breathe: nextTurn });
  if (listed) checkLength(diff.changes);
  const count = (kind: Change['kind']): number => diff.changes.filter((change) => change.kind === kind).length;
  return {
    before: before.text,
    after: after.text,
    changes: listed ? diff.changes.map(describeChange) : [],
    ...{ added: count('+'), removed: count('-'), modified: count('M'), renamed: count('R') },
    writtenBytes: diff.writtenBytes,
    freedBytes: diff.freedBytes,
  };
}

function describeChange({ kind, type, path, oldPath, aspects, links }: Change): DiffInfo['changes'][number] {
  return { kind, type, path, oldPath: oldPath ?? null, aspects, links };
}

function checkLength(changes: readonly Change[]): void {
  let characters = 0;
  for (const { path, oldPath } of changes) characters += CHANGE_CHARACTERS + path.length + (oldPath?.length ?? 0);
  if (characters <= CHARACTERS_MAX) return;
  throw new FsError(
    'E2BIG',
    'diff-answer-too-long',
    `there are ${changes.length} changes, too many to list; name a directory to look into, or add --stat to only count them`,
  );
}
