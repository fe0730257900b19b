import { describe, expect, it } from 'vitest';
import { Flusher } from '../../../src/store/flusher.ts';

/** A flusher whose flushes end when they are told to. */
class Disk {
  readonly flusher = new Flusher(
    () =>
      new Promise((resolve, reject) => {
        this.#running.push({ resolve, reject });
        this.flushes++;
      }),
  );
  flushes = 0;
  readonly #running: { resolve: () => void; reject: (error: Error) => void }[] = [];

  /** Ends the flush that is under way, and lets everybody notice. */
  async end(error?: Error): Promise<void> {
    expect(this.#running).toHaveLength(1);
    const { resolve, reject } = this.#running.pop()!;
    if (error === undefined) resolve();
    else reject(error);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }

  /** Asks for a flush; the answer is undefined as long as there is none. */
  ask(): { answer: unknown } {
    const asked: { answer: unknown } = { answer: undefined };
    this.flusher.sync().then(
      () => (asked.answer = 'done'),
      (error: unknown) => (asked.answer = error),
    );
    return asked;
  }
}

describe('Flusher', () => {
  it('flushes nothing where nothing was written', async () => {
    const disk = new Disk();
    await disk.flusher.sync();
    disk.flusher.wrote();
    const asked = disk.ask();
    await disk.end();
    expect(asked.answer).toBe('done');
    await disk.flusher.sync();
    expect(disk.flushes).toBe(1);
  });

  it('serves with one flush all who ask while another is under way', async () => {
    const disk = new Disk();
    disk.flusher.wrote();
    const first = disk.ask();
    disk.flusher.wrote();
    const others = [disk.ask(), disk.ask()];
    disk.flusher.wrote();
    others.push(disk.ask());
    await disk.end();
    expect([first.answer, ...others.map(({ answer }) => answer)]).toEqual(['done', undefined, undefined, undefined]);
    await disk.end();
    expect(others.map(({ answer }) => answer)).toEqual(['done', 'done', 'done']);
    expect(disk.flushes).toBe(2);
  });

  it('serves with the flush under way who wrote nothing since it began', async () => {
    const disk = new Disk();
    disk.flusher.wrote();
    const asked = [disk.ask(), disk.ask()];
    await disk.end();
    expect(asked.map(({ answer }) => answer)).toEqual(['done', 'done']);
    expect(disk.flushes).toBe(1);
  });

  it('needs another flush for what was written during one', async () => {
    const disk = new Disk();
    disk.flusher.wrote();
    disk.ask();
    disk.flusher.wrote();
    await disk.end();
    expect(disk.flusher.isFlushed).toBe(false);
    const asked = disk.ask();
    expect(disk.flusher.isRunning).toBe(true);
    await disk.end();
    expect([asked.answer, disk.flusher.isFlushed, disk.flushes]).toEqual(['done', true, 2]);
  });

  it('fails for ever once a flush has failed, also for those who wait for the next', async () => {
    const disk = new Disk();
    const broken = new Error('broken');
    disk.flusher.wrote();
    const first = disk.ask();
    disk.flusher.wrote();
    const second = disk.ask();
    await disk.end(broken);
    disk.flusher.wrote();
    const third = disk.ask();
    await Promise.resolve();
    await Promise.resolve();
    expect([first.answer, second.answer, third.answer]).toEqual([broken, broken, broken]);
    await expect(disk.flusher.sync()).rejects.toBe(broken);
    expect(() => {
      disk.flusher.syncNow(() => undefined);
    }).toThrow(broken);
    expect([disk.flushes, disk.flusher.isFlushed]).toEqual([1, false]);
  });

  it('flushes at once where that is asked for, once, and fails for ever in the same way', async () => {
    const disk = new Disk();
    let calls = 0;
    const now = (): void => {
      disk.flusher.syncNow(() => calls++);
    };
    now();
    disk.flusher.wrote();
    now();
    now();
    await disk.flusher.sync();
    expect([calls, disk.flushes, disk.flusher.isFlushed]).toEqual([1, 0, true]);
    disk.flusher.wrote();
    const broken = new Error('broken');
    expect(() => {
      disk.flusher.syncNow(() => {
        throw broken;
      });
    }).toThrow(broken);
    expect(now).toThrow(broken);
    await expect(disk.flusher.sync()).rejects.toBe(broken);
    expect(calls).toBe(1);
  });
});
