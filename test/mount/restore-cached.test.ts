/** Restores of a volume of which the kernel has thousands of files in its caches, open, mapped and worked in. */
import fs from 'node:fs';
import { expect, test } from 'vitest';
import { startProgram } from '../support/child-program.ts';
import { numberField, parseObject } from '../support/json-fields.ts';
import { forceUnmountBelow } from '../support/mount-table.ts';
import { amberfsCommand, isAlive, withMounted, type Mounted } from '../support/mounted.ts';
import { waitUntil } from '../support/run-command.ts';

const DIRECTORIES = 20;
const FILES_EACH = 400;
const FILES = DIRECTORIES * FILES_EACH;
const ROUNDS = 4;

/** Files `d1/f1` and so on, all with this content. */
async function fill(mounted: Mounted, content: string): Promise<void> {
  await mounted.sh(
    'for d in $(seq "$1"); do mkdir -p d$d; for f in $(seq "$2"); do printf %s "$3" > d$d/f$f; done; done',
    String(DIRECTORIES),
    String(FILES_EACH),
    content,
  );
}

/** How many files have which size, once the kernel has them all, with attributes and data. */
function readAll(mounted: Mounted): Promise<string> {
  return mounted.sh("cat d*/f* | wc -c; find d* -name 'f*' -printf '%s\\n' | sort | uniq -c");
}

/** How many event loops a process has, one for each thread that runs JavaScript and some of Node's own. Threads of LevelDB have none. */
function loopsOf(pid: number): number {
  const directory = `/proc/${pid}/fd`;
  return fs.readdirSync(directory).filter((fd) => isEventLoop(`${directory}/${fd}`)).length;
}

function isEventLoop(descriptor: string): boolean {
  try {
    return fs.readlinkSync(descriptor) === 'anon_inode:[eventpoll]';
  } catch {
    // It was closed in the meantime.
    return false;
  }
}

test('what is open, mapped or worked in is stale at once; readers and writers go on', () =>
  withMounted(async (mounted) => {
    const contents = ['first', 'the second'];
    for (const [index, content] of contents.entries()) {
      await fill(mounted, content);
      await mounted.sh(
        `mkdir -p state; for f in a b c d; do head -c $(($1 * 5000)) /dev/zero | tr '\\0' $1 > state/$f; done
        printf clean > held; truncate -s 65536 held; mkdir .snapshots/s$1`,
        String(index + 1),
      );
    }
    const pid = await mounted.daemonPid();
    const programs = [
      startProgram('state-reader', [mounted.dir]),
      startProgram('stale-writer', [mounted.dir]),
      startProgram('map-writer', [`${mounted.dir}/held`]),
    ] as const;
    const [reader, writer] = programs;
    try {
      for (const program of programs) expect(await program.nextLine()).toBe('begun');
      for (let round = 0; round < ROUNDS; round++) {
        const next = round % 2;
        const restoring = [
          ...amberfsCommand,
          'snapshot',
          'restore',
          `${mounted.dir}@s${next + 1}`,
          '--discard',
          '--yes',
        ];
        await readAll(mounted);
        // One file in 25 is open, so some of each group of notifications.
        const seen = await mounted.run(
          'bash',
          [
            '-c',
            `cd "$0/d3"; handles=; paths=
            for d in ../d*; do for f in $(seq 1 25 ${FILES_EACH}); do
              exec {fd}< $d/f$f; handles="$handles $fd"; paths="$paths /proc/$$/fd/$fd"
            done; done
            (cd / && "$@") > /dev/null
            stale=0; fresh=0
            for fd in $handles; do if read -r -N 5 -u $fd 2> /dev/null; then fresh=$((fresh + 1)); else stale=$((stale + 1)); fi; done
            echo "data: $stale stale, $fresh not"
            stat -L -c '%s bytes' $paths 2>&1 | sed 's/.*: //' | sort | uniq -c
            ls -U . 2>&1 | sed 's/.*: //'; cat f1 2>&1 | sed 's/.*: //'`,
            mounted.dir,
            ...restoring,
          ],
          { timeLimitMs: 60_000 },
        );
        const open = FILES / 25;
        const message = 'Stale file handle';
        expect(seen.replaceAll(/^ +/gm, ''), `round ${round}`).toBe(
          `data: ${open} stale, 0 not\n${open} ${message}\n${message}\n${message}\n`,
        );
        const size = contents[next]!.length;
        expect((await readAll(mounted)).replaceAll(/ +/g, ' ')).toBe(`${FILES * size}\n ${FILES} ${size}\n`);
        expect(await mounted.sh('head -c 5 held; cat state/* | wc -c')).toBe(`clean${(next + 1) * 20_000}\n`);
      }
      await reader.finish();
      await writer.finish();
      const read = parseObject(await reader.nextLine());
      console.log(`${ROUNDS} restores of ${FILES} cached files: read ${JSON.stringify(read)}`);
      expect(numberField(read, 'reads')).toBeGreaterThan(100);
      expect(parseObject(await writer.nextLine())).toMatchObject({ isHeldStale: true });
    } finally {
      for (const program of programs) await program.dispose();
    }
    expect(await mounted.daemonPid()).toBe(pid);
    await mounted.amberfs('check', mounted.store);
  }));

test('a thread tells the kernel of many files, and is gone some seconds later', () =>
  withMounted(async (mounted) => {
    await fill(mounted, 'content');
    await mounted.sh('mkdir .snapshots/s');
    const restore = (): Promise<string> =>
      mounted.amberfs('snapshot', 'restore', `${mounted.dir}@s`, '--discard', '--yes');
    const pid = await mounted.daemonPid();
    const without = loopsOf(pid);
    await readAll(mounted);
    await restore();
    expect(loopsOf(pid)).toBe(without + 1);
    await waitUntil('the thread is gone', 15_000, () => loopsOf(pid) === without);
    await mounted.sh('cat d1/f1');
    await restore();
    expect(loopsOf(pid), 'for few files there is none').toBe(without);
    await readAll(mounted);
    await restore();
    expect(loopsOf(pid)).toBe(without + 1);
    // It does not hold up the end of the daemon.
    await mounted.umount();
    await waitUntil('the daemon is gone', 4_000, () => !isAlive(pid));
  }));

test('a connection that is aborted while the kernel is told: the command ends, and so does the daemon', () =>
  withMounted(async (mounted) => {
    await fill(mounted, 'content');
    await mounted.sh('mkdir .snapshots/s; printf other > d1/f1');
    const pid = await mounted.daemonPid();
    await readAll(mounted);
    const before = loopsOf(pid);
    const restoring = mounted.tryAmberfs('snapshot', 'restore', `${mounted.dir}@s`, '--discard', '--yes');
    const watched = { ended: false };
    const result = restoring.finally(() => {
      watched.ended = true;
    });
    while (!watched.ended && loopsOf(pid) === before) await new Promise((resolve) => setTimeout(resolve, 1));
    forceUnmountBelow(mounted.temp);
    expect(await result).toMatchObject({ status: 0 });
    await waitUntil('the daemon is gone', 10_000, () => !isAlive(pid));
    await mounted.remountDead();
    expect(await mounted.sh('cat d1/f1')).toBe('content');
    await mounted.amberfs('check', mounted.store);
  }));
