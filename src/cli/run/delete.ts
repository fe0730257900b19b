// What deleting volumes and deleting snapshots have in common: all targets are looked at before anything is asked, one question is asked
// for all, and a failure with one does not stop the others.

import type { DeleteOptions } from '../commands/delete-options.ts';
import { confirm } from '../confirm.ts';
import { OUTPUT_VERSION, STATUS, forEach } from '../failure.ts';
import { print } from './output.ts';

/** Something that can be deleted. */
export interface Deletion<Info> {
  /** Asks for it: with `dryRun` only whether it could be done. */
  run(dryRun: boolean): Promise<Info>;
}

export interface DeletionText<Info> {
  /** The name of the list in JSON. */
  readonly list: string;
  /** For example "snapshot main@daily (1.2 GiB referenced)". */
  describe(info: Info): string;
  toJson(info: Info): object;
}

/** Deletes; gives the exit status. */
export async function runDeletions<Info>(
  deletions: readonly Deletion<Info>[],
  text: DeletionText<Info>,
  options: DeleteOptions,
): Promise<number> {
  const json = options.json === true;
  const dryRun = options.dryRun === true;
  const possible: { deletion: Deletion<Info>; info: Info }[] = [];
  let status = await forEach(deletions, json, async (deletion) => {
    possible.push({ deletion, info: await deletion.run(true) });
  });
  const done: Info[] = [];
  if (dryRun) {
    done.push(...possible.map(({ info }) => info));
  } else if (possible.length > 0) {
    if (options.yes !== true && !(await confirm(question(possible, text)))) {
      process.stderr.write('amberfs: nothing was deleted\n');
      return STATUS.error;
    }
    const deleted = await forEach(possible, json, async ({ deletion }) => {
      done.push(await deletion.run(false));
    });
    if (status === STATUS.success) status = deleted;
  }
  if (json) {
    const list = done.map((info) => text.toJson(info));
    print(`${JSON.stringify({ output_version: OUTPUT_VERSION, dry_run: dryRun, [text.list]: list }, null, 2)}\n`);
  } else {
    for (const info of done) print(`${dryRun ? 'would delete' : 'deleted'} ${text.describe(info)}\n`);
  }
  return status;
}

function question<Info>(possible: readonly { info: Info }[], text: DeletionText<Info>): string {
  return `delete ${possible.map(({ info }) => text.describe(info)).join(', ')}`;
}
