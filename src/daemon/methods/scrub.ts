// Scrubbing a store over the control protocol.

import type { ScrubInfo } from '../control/health.ts';
import type { Fields } from '../control/protocol.ts';
import { optionalNumber } from '../params.ts';
import type { Core } from '../core.ts';
import type { Service } from './service.ts';

/** How fast a scrub in the background of mounts reads where nobody says it. */
const DAEMON_RATE_BYTES = 50 * 1024 * 1024;

/** The scrub under way, or the last one. */
export function describeScrub({ scrubber }: Core): ScrubInfo | null {
  const { state } = scrubber;
  if (state === undefined) return null;
  const { phase, startedMs, endedMs, rateBytes, readBytes, totalBytes, records, damage, unlisted, failure } = state;
  return { phase, startedMs, endedMs, rateBytes, readBytes, totalBytes, records, damage, unlisted, failure };
}

/** `scrub.status`. */
export function scrubStatus({ core }: Service): ScrubInfo | null {
  return describeScrub(core);
}

/** `scrub.start`: begins to read everything, in the background. `rate`: bytes a second; 0: as fast as the disk. */
export function startScrub({ core, daemon }: Service, params: Fields): ScrubInfo | null {
  const rate = optionalNumber(params, 'rate') ?? (daemon === undefined ? 0 : DAEMON_RATE_BYTES);
  core.scrubber.start(rate === 0 ? null : rate);
  return describeScrub(core);
}

/** `scrub.pause`. */
export async function pauseScrub({ core }: Service): Promise<ScrubInfo | null> {
  await core.scrubber.pause();
  return describeScrub(core);
}

/** `scrub.resume`. */
export function resumeScrub({ core }: Service): ScrubInfo | null {
  core.scrubber.resume();
  return describeScrub(core);
}

/** `scrub.stop`. */
export async function stopScrub({ core }: Service): Promise<ScrubInfo | null> {
  await core.scrubber.stop();
  return describeScrub(core);
}
