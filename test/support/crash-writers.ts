/**
 * Writers that work on a mount until it dies or they are told to stop, and what is to be looked at afterwards. Each round
 * has directories of its own.
 */
import path from 'node:path';
import { startProgram, type ChildProgram } from './child-program.ts';
import { compiledProgram } from './compile-programs.ts';
import { judge, readLog, type FoundTrees, type Verdict, type WriterLog } from './crash-verdict.ts';
import { amberfsCommand, type Mounted } from './mounted.ts';

export interface CrashWriterOptions {
  seed: number;
  /** How many work at a time; the first one takes snapshots too. */
  writers: number;
  /** How often one of them makes durable what it did, in percent of its operations. */
  syncPercent: number;
}

export class CrashWriters {
  readonly #programs: ChildProgram[] = [];
  readonly #names: string[] = [];
  readonly #temp: string;

  private constructor(temp: string) {
    this.#temp = temp;
  }

  /** Starts writers on the mount `dir`; resolves when all of them have begun. */
  static async start(mounted: Mounted, dir: string, options: CrashWriterOptions): Promise<CrashWriters> {
    const started = new CrashWriters(mounted.temp);
    for (let index = 0; index < options.writers; index++) {
      const name = `w${options.seed}.${index}`;
      const seed = String(options.seed * 16 + index);
      const cli = index === 0 ? amberfsCommand[1]! : '';
      started.#names.push(name);
      started.#programs.push(
        startProgram('acknowledging-writer', [
          dir,
          name,
          started.#logFile(name),
          seed,
          String(options.syncPercent),
          cli,
        ]),
      );
    }
    try {
      await Promise.all(started.#programs.map((program) => program.nextLine()));
    } catch (error) {
      await started.dispose();
      throw error;
    }
    return started;
  }

  #logFile(name: string): string {
    return path.join(this.#temp, `${name}.log`);
  }

  /** Lets them end (those whose mount is gone have ended) and reads what they logged. */
  async finish(): Promise<WriterLog[]> {
    try {
      await Promise.all(this.#programs.map((program) => program.finish()));
    } finally {
      await this.dispose();
    }
    return this.#names.map((name) => readLog(name, this.#logFile(name)));
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.dispose()));
  }
}

/** Looks at everything that the writers may have left on the mount `dir`, and compares; see {@link judge}. */
export async function judgeMount(
  mounted: Mounted,
  dir: string,
  logs: readonly WriterLog[],
  bounds: (log: WriterLog) => { min: number; max: number },
): Promise<Verdict> {
  const snapshots = (await mounted.run('ls', [`${dir}/.snapshots`])).split('\n');
  const own = snapshots.filter((snapshot) => logs.some((log) => snapshot.startsWith(`${log.name}-`)));
  const places = [dir, ...own.map((snapshot) => `${dir}/.snapshots/${snapshot}`)];
  const trees = places.flatMap((place) => logs.map((log) => `${place}/${log.name}`));
  const found = await mounted.run(process.execPath, [compiledProgram('tree-state'), ...trees]);
  return judge(logs, bounds, dir, own, JSON.parse(found) as FoundTrees);
}

/** The full check of a store that nobody has open. Throws with what is wrong. */
export async function checkStore(mounted: Mounted, store: string): Promise<void> {
  const dist = path.dirname(path.dirname(amberfsCommand[1]!));
  const problems = await mounted.run(process.execPath, [compiledProgram('check-store'), store, dist]);
  if (problems !== '') throw new Error(`the full check of ${store} finds:\n${problems.slice(0, 4000)}`);
}
