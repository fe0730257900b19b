// What `snapshot diff` does.

import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Control, DiffInfo } from '../../daemon/control/index.ts';
import { changeForJson, formatChange, formatChangeRaw, formatStat, statForJson } from '../change-text.ts';
import type { DiffOptions } from '../commands/diff-options.ts';
import { OUTPUT_VERSION, UsageError } from '../failure.ts';
import { syncMounts } from '../sync-mounts.ts';
import { resolveTarget, type Target } from '../target.ts';
import { withStore } from '../with-store.ts';
import { print } from './output.ts';
import { requireSnapshot } from './snapshot-target.ts';

/** `amberfs snapshot diff TARGET@A [TARGET@B | TARGET] [PATH]` */
export async function runSnapshotDiff(
  fromText: string,
  toText: string | undefined,
  path: string | undefined,
  options: DiffOptions,
): Promise<void> {
  if (options.json === true && options.null === true) {
    throw new UsageError('diff-output-twice', '--json and --null are two forms of output; take one of them');
  }
  const from = requireSnapshot(fromText, await resolveTarget(fromText));
  const to = await resolveAfter(from, toText);
  if ((await realOf(from.store)) !== (await realOf(to.store))) {
    throw new UsageError('diff-two-stores', `"${fromText}" and "${toText ?? ''}" are in two stores`);
  }
  const where = path === undefined ? {} : { path: await pathInVolume(from, path) };
  const diff = await withStore(from, async (control: Control) => {
    if (to.snapshot === undefined) await syncMounts(control, to.volume);
    return control.call('snapshot.diff', {
      volume: from.volume,
      name: from.snapshot,
      toVolume: to.volume,
      ...(to.snapshot === undefined ? {} : { to: to.snapshot }),
      ...where,
      changes: options.stat !== true,
    });
  });
  printDiff(diff, options);
}

/** Default: the live files of the same volume. */
async function resolveAfter(from: Target, text: string | undefined): Promise<Target> {
  if (text === undefined) return { ...from, snapshot: undefined };
  if (text.startsWith('@') && text.length > 1) return { ...from, snapshot: text.slice(1) };
  return resolveTarget(text);
}

async function realOf(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

/**
 * The path from the volume's root, with a character for each byte: what a path in the mount says, or else as it was written. What it leads to
 * may be gone, so only the directories before it are followed.
 */
async function pathInVolume({ mount }: Target, path: string): Promise<string> {
  const absolute = resolve(path);
  const real = join(await realOf(dirname(absolute)), basename(absolute));
  const root = mount?.dir;
  const inside = [real, absolute].find((one) => root !== undefined && (one === root || one.startsWith(`${root}/`)));
  const relative = inside === undefined ? path : inside.slice(root!.length);
  const parts = relative.split('/').filter((part) => part !== '' && part !== '.');
  return Buffer.from(`/${parts.join('/')}`).toString('latin1');
}

function printDiff(diff: DiffInfo, options: DiffOptions): void {
  if (options.json === true) {
    const changes = options.stat === true ? {} : { changes: diff.changes.map(changeForJson) };
    print(`${JSON.stringify({ output_version: OUTPUT_VERSION, ...statForJson(diff), ...changes }, null, 2)}\n`);
  } else if (options.stat === true) {
    print(formatStat(diff));
  } else if (options.null === true) {
    process.stdout.write(Buffer.concat(diff.changes.map(formatChangeRaw)));
  } else {
    print(diff.changes.map((change) => `${formatChange(change)}\n`).join(''));
  }
}
