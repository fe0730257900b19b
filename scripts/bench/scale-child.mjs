/** What the benchmark at scale does inside its mounts, as a process of its own. Usage: scale-child.mjs JOB ARGUMENTS...; prints JSON. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { alternate } from './versus.mjs';

const FILE_COUNT = 2000;

const fileName = (index) => `f${index % FILE_COUNT}`;
const snapshotPath = (dir, index) => path.join(dir, '.snapshots', `s${String(index).padStart(5, '0')}`);

function milliseconds(action) {
  const start = performance.now();
  action();
  return performance.now() - start;
}

/** The files that change, in each of the directories. */
function files(...dirs) {
  for (const dir of dirs) {
    for (let index = 0; index < FILE_COUNT; index++) fs.writeFileSync(path.join(dir, fileName(index)), 'at first');
    fs.writeFileSync(path.join(dir, 'changing'), 'at first');
  }
}

/**
 * Changes files in both volumes, and takes a snapshot of the first, so many times; the milliseconds of each snapshot. One file changes each
 * time, so each snapshot alone has something; the others in turns, so snapshots share what is not live any more.
 */
function snapshots(dir, other, count) {
  const each = [];
  for (let index = 0; index < Number(count); index++) {
    for (const changed of [dir, other]) {
      for (const name of ['changing', fileName(index)])
        fs.writeFileSync(path.join(changed, name), `change ${index} `.repeat(300));
    }
    each.push(milliseconds(() => fs.mkdirSync(snapshotPath(dir, index))));
  }
  return each;
}

/** Afterwards the kernel asks the daemon for everything in its mounts, and the host still has the files of the store in memory. */
function dropMountCaches(store) {
  if (process.getuid() !== 0) return;
  fs.writeFileSync('/proc/sys/vm/drop_caches', '3');
  execFileSync('sh', ['-c', 'cat "$0"/data "$0"/db/* > /dev/null', store]);
}

/** Microseconds to read a file, over all files, through the oldest snapshot and through the newest in turns. */
function readThrough(dir, store, oldest, newest, rounds) {
  return alternate(Number(rounds), (side) => {
    dropMountCaches(store);
    const within = snapshotPath(dir, side === 0 ? oldest : newest);
    const took = milliseconds(() => {
      for (let index = 0; index < FILE_COUNT; index++) fs.readFileSync(path.join(within, fileName(index)));
    });
    return (took * 1000) / FILE_COUNT;
  });
}

/** Deletes each `step`th snapshot from `first` on; the milliseconds of each. */
function remove(dir, first, step, count) {
  const each = [];
  for (let index = Number(first); index < Number(count); index += Number(step)) {
    each.push(milliseconds(() => fs.rmdirSync(snapshotPath(dir, index))));
  }
  return each;
}

const [job, ...rest] = process.argv.slice(2);
const jobs = { files, snapshots, readThrough, remove };
process.stdout.write(JSON.stringify(jobs[job](...rest) ?? null));
