// Sizes and times for people.

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** A size in bytes as people read it: `512 B`, `1.5 KiB`, `120 GiB`; three digits, rounded. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let value = bytes / 1024;
  let unit = 0;
  // 1023.6 would round to "1024 KiB".
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]!}`;
}

/** A moment (milliseconds since 1970) in the time of the place: `2026-03-01 14:30:05`. */
export function formatLocalTime(ms: number): string {
  const time = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** A moment in UTC, for machines. */
export function formatUtcTime(ms: number): string {
  return new Date(ms).toISOString();
}

const DURATION_MS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/**
 * A moment to come: a duration from `nowMs` on (`30m`, `12h`, `7d`, `2w`), or a date in UTC (`2026-12-31`, `2026-12-31T18:00`, with a
 * zone where another is meant). Milliseconds since 1970; undefined where it is none.
 */
export function parseMoment(text: string, nowMs: number): number | undefined {
  const duration = /^(\d+)([mhdw])$/.exec(text);
  if (duration !== null) return nowMs + Number(duration[1]) * DURATION_MS[duration[2] as keyof typeof DURATION_MS];
  if (!/^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/.test(text)) return undefined;
  const zoned = /(?:Z|[T ].*[+-]\d\d:\d\d)$/.test(text) || text.length === 10 ? text : `${text}Z`;
  const ms = Date.parse(zoned.replace(' ', 'T'));
  return Number.isNaN(ms) ? undefined : ms;
}
