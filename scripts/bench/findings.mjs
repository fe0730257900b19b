/** What the benchmark at scale finds: lines of a table, comparisons, and plain words where a limit is not kept. */
import { compare, compareWith } from './versus.mjs';
import { formatTable } from './report.mjs';

const percent = (share) => `${(share * 100).toFixed(1)} %`;
const figure = (value) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

export class Findings {
  #rows = [];
  #tables = [];
  /** What is not as promised. */
  complaints = [];

  /** One line: `value` with `unit`; with a `limit` it also says whether that is kept. */
  row(what, value, unit = '', limit = Infinity) {
    const shown = typeof value === 'number' ? `${figure(value)} ${unit}` : value;
    const bound = limit === Infinity ? '' : `${value <= limit ? 'within' : 'ABOVE'} ${limit} ${unit}`;
    if (value > limit) this.complaints.push(`${what}: ${shown}, more than ${limit} ${unit}`);
    this.#rows.push([what, shown.trim(), bound]);
    console.error(`${what}: ${shown} ${bound}`);
  }

  /**
   * A table of comparisons: `measured` has, for each figure in microseconds, rounds as `alternate` gives them; `sides` names both.
   * `before`: the same, measured before that of which it is promised that it makes no difference; one is a complaint.
   */
  versus(title, sides, measured, before) {
    const table = [
      [
        '',
        '',
        `${sides[0]}, us`,
        `${sides[1]}, us`,
        'ratio',
        'A/A spread',
        'to before',
        'noise of that',
        '5 % + noise',
      ],
    ];
    for (const [name, rounds] of Object.entries(measured)) {
      const now = compare(rounds);
      const { change, noise, isOutside } = compareWith(now, before && compare(before[name]));
      const verdict = isOutside ? `OUTSIDE, ${change > 1 ? 'slower' : 'faster'}` : 'within';
      const toBefore = before === undefined ? '-' : change.toFixed(3);
      const shares = [now.ratio.toFixed(3), percent(now.spread), toBefore, percent(noise)];
      table.push([name, '', ...now.medians.map(figure), ...shares, verdict]);
      if (isOutside && before !== undefined)
        this.complaints.push(`${title}, ${name}: ${change.toFixed(3)} of before, noise ${percent(noise)}`);
    }
    const rounds = Object.values(measured)[0].length;
    this.#tables.push(`${title}; ${rounds} rounds A B B A:\n\n${formatTable(table)}`);
    console.error(this.#tables.at(-1));
  }

  toString() {
    const width = Math.max(...this.#rows.map(([what]) => what.length));
    const lines = this.#rows.map(([what, value, bound]) =>
      `${what.padEnd(width)}  ${value.padEnd(10)}  ${bound}`.trimEnd(),
    );
    const verdict = this.complaints.length === 0 ? 'All limits are kept.' : `NOT KEPT:\n${this.complaints.join('\n')}`;
    return [lines.join('\n'), ...this.#tables, verdict].join('\n\n');
  }
}
