/** Prints what was measured: a table of figures with ratios, then snapshots and memory. */
import fs from 'node:fs';

function rounded(value) {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** How a figure compares with another: 1.50 is one and a half times as good. */
function ratio(measurement, figure, other) {
  if (figure === undefined || other === undefined || figure === 0 || other === 0) return '-';
  return (measurement.better === 'more' ? figure / other : other / figure).toFixed(2);
}

/** Aligns columns by spaces; the first two to the left, the others to the right. */
export function formatTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) =>
    row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

/** The table of all measurements; ratios above 1 mean that amberfs is better. */
export function measurementTable(measurements, peers, figures) {
  const names = peers.map((peer) => peer.name);
  const others = names.includes('amberfs') ? names.filter((name) => name !== 'amberfs') : [];
  const rows = [['name', 'measured', 'unit', ...names, ...others.map((name) => `amberfs:${name}`)]];
  for (const measurement of measurements) {
    const own = figures[measurement.name];
    rows.push([
      measurement.name,
      measurement.text,
      measurement.unit,
      ...names.map((name) => (own[name] === undefined ? '-' : rounded(own[name]))),
      ...others.map((name) => ratio(measurement, own.amberfs, own[name])),
    ]);
  }
  return formatTable(rows);
}

/** How many times as long as on the host the fsync of a small write may take. */
const FSYNC_MAX = 2.5;

/** Whether the fsync of a small write costs what it may: a line for each figure that was measured on both. */
export function fsyncLimits(measurements, figures) {
  return measurements
    .filter(({ name }) => name.startsWith('fsync-') && figures[name].host > 0 && figures[name].amberfs > 0)
    .map(({ name }) => {
      const times = figures[name].amberfs / figures[name].host;
      const isKept = times <= FSYNC_MAX;
      return {
        isKept,
        line: `${name}: ${rounded(times)} times the host's, ${isKept ? 'within' : 'ABOVE'} ${FSYNC_MAX}`,
      };
    });
}

export function snapshotTable(snapshots) {
  const rows = [['volume', '', 'mkdir, ms', 'slowest, ms', 'command, ms']];
  for (const [state, figures] of Object.entries(snapshots)) {
    rows.push([state, '', rounded(figures.mkdirMs), rounded(figures.mkdirMaxMs), rounded(figures.commandMs)]);
  }
  return formatTable(rows);
}

/** Two volumes, with few files and full; the last line is how many times as long the full one takes. */
export function restoreTable(restores) {
  const rows = [['volume', '', 'kept, ms', 'discarded, ms', 'kept, all files cached, ms']];
  const kinds = ['kept', 'discarded', 'known'];
  for (const restore of restores) rows.push([restore.volume, '', ...kinds.map((kind) => rounded(restore[kind]))]);
  const [few, full] = restores;
  rows.push(['ratio', '', ...kinds.map((kind) => rounded(full[kind] / few[kind]))]);
  return formatTable(rows);
}

export function deletionTable(deletions) {
  const rows = [['volume', '', 'freed, MiB', 'files', 'rmdir, ms', 'command, ms', 'space back, ms', 'ms per MiB']];
  for (const { volume, freedMiB, files, rmdirMs, commandMs, spaceMs } of deletions) {
    const figures = [freedMiB, rmdirMs, commandMs, spaceMs, spaceMs / freedMiB].map(rounded);
    rows.push([volume, '', figures[0], `${files}`, ...figures.slice(1)]);
  }
  return formatTable(rows);
}

/** Resident memory of a process in bytes, now and at most, from /proc/PID/status. */
export function memoryOf(pid) {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)[1]) * 1024;
  return { rssBytes: field('VmRSS'), peakBytes: field('VmHWM') };
}

export function memoryTable(memory) {
  const MiB = 1 << 20;
  const rows = [['daemon', '', 'resident, MiB', 'at most, MiB']];
  for (const [name, { rssBytes, peakBytes }] of Object.entries(memory)) {
    rows.push([name, '', rounded(rssBytes / MiB), rounded(peakBytes / MiB)]);
  }
  return formatTable(rows);
}
