// What `check` does.

import { checkUnopenable, repairHere, type CheckInfo, type Control } from '../../daemon/control/index.ts';
import { escapePath } from '../change-text.ts';
import type { CheckOptions } from '../commands/check-options.ts';
import { confirm } from '../confirm.ts';
import { OUTPUT_VERSION, STATUS, UsageError } from '../failure.ts';
import { formatSize } from '../sizes.ts';
import { resolveTarget } from '../target.ts';
import { withStore } from '../with-store.ts';
import { followJob } from './job-progress.ts';
import { print } from './output.ts';

const BLOCK_BYTES = 4096;

/** What is gone through while a check says so. */
const DOING: Readonly<Record<string, string>> = {
  records: 'reading records',
  trees: 'walking the trees of volumes and snapshots',
  files: 'checking directories and files',
};

/** `amberfs check TARGET`; gives the exit status. */
export async function runCheck(text: string, options: CheckOptions): Promise<number> {
  const target = await resolveTarget(text);
  if (options.repair === true) return repair(target.store, options);
  if (options.dryRun === true || options.yes === true)
    throw new UsageError('check-no-repair', '--dry-run and --yes belong to --repair');
  const data = options.data === true;
  let report: CheckInfo;
  try {
    report = await withStore(target, (control) => check(control, data));
  } catch (error) {
    // Damage that keeps the store from being opened: all the more reason to look at the rest.
    if (!(error instanceof Error) || error.name !== 'CorruptionError') throw error;
    report = await checkUnopenable(target.store, error, data);
  }
  if (options.json === true) print(`${JSON.stringify(reportForJson(report), null, 2)}\n`);
  else print(describeReport(report, data));
  return report.problems.length === 0 ? STATUS.success : STATUS.error;
}

async function repair(store: string, options: CheckOptions): Promise<number> {
  if (options.data === true) throw new UsageError('repair-data', 'file contents can not be repaired; leave --data out');
  const dryRun = options.dryRun === true;
  if (!dryRun && options.yes !== true) {
    const { repairs } = await repairHere(store, true);
    for (const line of repairs) process.stderr.write(`would do: ${line}\n`);
    const what = repairs.length === 1 ? 'make this repair' : `make these ${repairs.length} repairs`;
    if (repairs.length > 0 && !(await confirm(`${what} to ${store}`))) {
      process.stderr.write('amberfs: nothing was changed\n');
      return STATUS.error;
    }
  }
  const { repairs, check: report, kept } = await repairHere(store, dryRun);
  if (options.json === true) {
    print(`${JSON.stringify({ ...reportForJson(report), dry_run: dryRun, repairs, kept }, null, 2)}\n`);
  } else {
    for (const line of repairs) print(`${dryRun ? 'would do: ' : ''}${line}\n`);
    if (kept !== null) print(`every record that was changed is kept as it was in ${kept}\n`);
    if (repairs.length === 0) print(`${describeIdle(report)}\n`);
    print(describeReport(report, false));
  }
  return report.problems.length === 0 ? STATUS.success : STATUS.error;
}

async function check(control: Control, data: boolean): Promise<CheckInfo> {
  await control.call('check.start', { data });
  return followJob(async () => {
    const { doing, done, report } = await control.call('check.poll', {});
    return { done, text: DOING[doing] ?? doing, result: report ?? undefined };
  });
}

function reportForJson(report: CheckInfo): object {
  const { problems, records, versions, nodes, blocks, inodes, comparedBlocks, pending } = report;
  return {
    output_version: OUTPUT_VERSION,
    clean: problems.length === 0,
    problems: problems.map(({ text, path }) => ({ problem: text, path: path === null ? null : escapePath(path) })),
    ...{ records, versions, nodes, blocks, inodes, compared_blocks: comparedBlocks, pending },
  };
}

function describeReport(report: CheckInfo, data: boolean): string {
  const { problems, records, versions, nodes, blocks, inodes, comparedBlocks, pending } = report;
  const lines = problems.map(({ text, path }) => (path === null ? text : `${text} (${escapePath(path)})`));
  const size = formatSize(blocks * BLOCK_BYTES);
  lines.push(
    `looked at ${records} records: ${versions} versions with ${inodes} inodes, ${nodes} nodes, ${size} of file contents`,
  );
  if (data) lines.push(`compared the checksums of ${formatSize(comparedBlocks * BLOCK_BYTES)} of file contents`);
  if (pending > 0) {
    lines.push(
      `${pending} deleted versions are still being freed, so space that nobody refers to was not looked for; check again later`,
    );
  }
  if (problems.length === 0) lines.push('everything is as it should be');
  else lines.push(...advice(problems.length));
  return `${lines.join('\n')}\n`;
}

/** Why a repair did nothing. */
function describeIdle({ problems }: CheckInfo): string {
  if (problems.length === 0) return 'nothing was wrong: nothing was repaired';
  return 'nothing was repaired: no repair would do here without losing something';
}

function advice(count: number): string[] {
  return [
    `${count} problem${count === 1 ? '' : 's'} found`,
    'What is intact can be read: copy it away or take it from a backup first. Files named as damaged are best restored from a snapshot,',
    'if one of before the damage has them, or from a backup. See docs/health.md.',
  ];
}
