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
