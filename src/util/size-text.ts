/** A size as people write it: `4096`, `10G`, `1.5 MiB`; units are powers of 1024. undefined where it is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const bytes = Math.round(Number(match[1]) * 1024 ** ' kmgtp'.indexOf(match[2]!.toLowerCase() || ' '));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
