// What `scrub` does.

import type { Control, ScrubInfo } from '../../daemon/control/index.ts';
import { parseSize } from '../../util/index.ts';
import { escapePath } from '../change-text.ts';
import type { ScrubOptions } from '../commands/scrub-options.ts';
import { OUTPUT_VERSION, STATUS, UsageError } from '../failure.ts';
import { formatLocalTime, formatSize, formatUtcTime } from '../sizes.ts';
import { resolveTarget } from '../target.ts';
import { withStore } from '../with-store.ts';
import { followJob } from './job-progress.ts';
import { print } from './output.ts';

type Action = 'start' | 'pause' | 'resume' | 'stop' | 'status';

/** `amberfs scrub TARGET`; gives the exit status. */
export async function runScrub(text: string, options: ScrubOptions): Promise<number> {
  const action = actionOf(options);
  const rate = rateOf(options, action);
  const target = await resolveTarget(text);
  const scrub = await withStore(target, async (control) => {
    const now = await perform(control, action, rate);
    // Without a daemon it runs in this process alone.
    const follow = options.wait === true || control.daemonPid === undefined;
    return follow && now?.phase === 'running' && action !== 'status' ? await wait(control) : now;
  });
  if (options.json === true) print(`${JSON.stringify(scrubForJson(scrub), null, 2)}\n`);
  else print(`${describeScrub(scrub).join('\n')}\n`);
  return scrub !== null && (scrub.damage.length > 0 || scrub.phase === 'failed') ? STATUS.error : STATUS.success;
}

function actionOf(options: ScrubOptions): Action {
  const asked = (['pause', 'resume', 'stop', 'status'] as const).filter((action) => options[action] === true);
  if (asked.length > 1) throw new UsageError('scrub-actions', `--${asked[0]!} and --${asked[1]!} exclude each other`);
  return asked[0] ?? 'start';
}

function rateOf({ rate }: ScrubOptions, action: Action): number | undefined {
  if (rate === undefined) return undefined;
  const bytes = parseSize(rate);
  if (bytes === undefined || bytes === 0) throw new UsageError('scrub-rate', `"${rate}" is no size; write it as 20M`);
  if (action !== 'start') throw new UsageError('scrub-rate-action', '--rate is for the start of a scrub');
  return bytes;
}

function perform(control: Control, action: Action, rate: number | undefined): Promise<ScrubInfo | null> {
  if (action === 'start') return control.call('scrub.start', rate === undefined ? {} : { rate });
  return control.call(`scrub.${action}`, {});
}

function wait(control: Control): Promise<ScrubInfo> {
  return followJob(async () => {
    const scrub = (await control.call('scrub.status', {}))!;
    const result = scrub.phase === 'running' ? undefined : scrub;
    return { done: scrub.readBytes / Math.max(1, scrub.totalBytes), text: progressText(scrub), result };
  });
}

function progressText({ readBytes, totalBytes, damage, records }: ScrubInfo): string {
  const found = damage.length === 0 ? 'no damage so far' : `${damage.length} damaged`;
  return `${formatSize(readBytes)} of ${formatSize(totalBytes)}, ${records} records, ${found}`;
}

function scrubForJson(scrub: ScrubInfo | null): object {
  if (scrub === null) return { output_version: OUTPUT_VERSION, scrub: null };
  const { phase, startedMs, endedMs, rateBytes, readBytes, totalBytes, records, damage, unlisted, failure } = scrub;
  return {
    output_version: OUTPUT_VERSION,
    scrub: {
      ...{ phase, started: formatUtcTime(startedMs), ended: endedMs === null ? null : formatUtcTime(endedMs) },
      ...{ rate: rateBytes, read: readBytes, total: totalBytes, records, failure, unlisted },
      damage: damage.map(({ text, places }) => ({ problem: text, places: places.map(escapePath) })),
    },
  };
}

/** The scrub as lines. */
function describeScrub(scrub: ScrubInfo | null): string[] {
  if (scrub === null) return ['this store was never scrubbed'];
  const lines = [summarizeScrub(scrub)];
  for (const { text, places } of scrub.damage) lines.push(text, ...places.map((place) => `  ${escapePath(place)}`));
  if (scrub.unlisted > 0) lines.push(`and ${scrub.unlisted} more`);
  return lines;
}

/** The scrub in one line. */
export function summarizeScrub(scrub: ScrubInfo): string {
  const { phase, startedMs, endedMs, readBytes, damage, unlisted, failure } = scrub;
  const found = damage.length + unlisted;
  const result = found === 0 ? 'no damage' : `${found} damaged places`;
  switch (phase) {
    case 'running':
      return `runs since ${formatLocalTime(startedMs)}: ${progressText(scrub)}`;
    case 'paused':
      return `paused: ${progressText(scrub)}`;
    case 'stopped':
      return `stopped at ${formatLocalTime(endedMs ?? startedMs)}: ${progressText(scrub)}`;
    case 'failed':
      return `failed at ${formatLocalTime(endedMs ?? startedMs)}: ${failure ?? 'unknown'}`;
    case 'finished':
      return `finished at ${formatLocalTime(endedMs ?? startedMs)}: ${formatSize(readBytes)} read, ${result}`;
  }
}
