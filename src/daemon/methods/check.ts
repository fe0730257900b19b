// Checking a store over the control protocol.

import type { CheckProgress } from '../control/health.ts';
import type { Fields } from '../control/protocol.ts';
import { booleanParam } from '../params.ts';
import type { Service } from './service.ts';

/** `check.start`: begins a check of the whole store, which `check.poll` tells of. */
export function startCheck({ core }: Service, params: Fields): object {
  core.checks.start(booleanParam(params, 'data'));
  return {};
}

/** `check.poll`: how far the check is and, once it is done, what it found. To be asked often, or the check ends. */
export function pollCheck({ core }: Service): CheckProgress {
  const { doing, done, report } = core.checks.poll();
  if (report === null) return { doing, done, report };
  const problems = report.problems.map(({ text, path }) => ({ text, path: path ?? null }));
  return { doing, done, report: { ...report, problems } };
}
