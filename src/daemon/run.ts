// The life of a daemon: it opens the store, mounts what it was started for, serves mounts and control requests, and ends when its last
// mount is gone. Signals end it in order; what nobody expected ends it without leaving a mount that hangs.

import { FsError } from '../errors/index.ts';
import { deviceTransport } from '../fuse/index.ts';
import { AssertionError, type Log } from '../util/index.ts';
import type { MountInfo } from './control/methods.ts';
import { ControlError, faultOf } from './control/protocol.ts';
import { serveControl, type ControlServer } from './control/server.ts';
import type { StartMessage, StartOrder } from './control/start-order.ts';
import { openCore, type Core } from './core.ts';
import { createLog } from './log-file.ts';
import { callMethod } from './methods/index.ts';
import { startTrimming } from './memory-trim.ts';
import { readMountRequest } from './methods/mount.ts';
import type { DaemonFacts } from './methods/service.ts';
import { Mounts } from './mounts.ts';

/** At a signal: how long to wait for mounts that are in use, before and after they are taken out of sight. */
const POLITE_MS = 2_000;
const LAZY_MS = 15_000;
/** How long the answers to the last requests may take to leave. */
const ANSWER_MS = 2_000;
/** How long a process that can't go on may take to let go of its mounts. */
const CRASH_MS = 5_000;
const STDERR = 2;
const RETRY_MS = 50;

/**
 * Serves the store of `order` in this process until all is unmounted; resolves with the exit status for the process, which is then to end.
 * `report` is called once: when the first mount is in place, or when it has failed. Never rejects.
 */
export async function runDaemon(order: StartOrder, log: Log, report: (message: StartMessage) => void): Promise<number> {
  // The store is its owner's alone, whatever the shell that mounts thinks of it. Modes of files in the mounts come with each request.
  process.umask(0o077);
  let daemon: Daemon | undefined;
  try {
    const core = await openCore(order.store, log, order.mount.options.rewind === true);
    daemon = new Daemon(core, log);
    startTrimming();
    await daemon.listen();
    daemon.handleSignals();
    core.scrubber.resumeInterrupted();
    report({ mount: await daemon.mounts.add(readMountRequest({ ...order.mount })) });
  } catch (error) {
    log.error(`the mount failed: ${error instanceof Error ? error.message : String(error)}`);
    await daemon?.endIfIdle().catch(() => undefined);
    report({ error: faultOf(error) });
    if (daemon === undefined) return 1;
  }
  return daemon.ended;
}

/** As {@link runDaemon}, with the log on stderr. Rejects with what made the first mount fail. */
export async function runForeground(order: StartOrder, onMounted: (mount: MountInfo) => void): Promise<number> {
  let failure: ControlError | undefined;
  const status = await runDaemon(order, createLog(STDERR), (message) => {
    if ('mount' in message) onMounted(message.mount);
    else failure = new ControlError(message.error);
  });
  if (failure !== undefined) throw failure;
  return status;
}

class Daemon implements DaemonFacts {
  readonly pid = process.pid;
  readonly startedMs = Date.now();
  readonly mounts: Mounts;
  /** Resolves with the exit status when everything is closed. */
  readonly ended: Promise<number>;
  readonly #core: Core;
  readonly #log: Log;
  #server: ControlServer | undefined;
  #closing: Promise<void> | undefined;
  #signals = 0;
  #end: (status: number) => void = () => undefined;

  constructor(core: Core, log: Log) {
    this.#core = core;
    this.#log = log;
    this.mounts = new Mounts(core, deviceTransport, log, () => {
      this.endIfIdle().catch(() => undefined);
    });
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    log.info(`process ${process.pid} serves ${core.store.path}, node ${process.version}`);
  }

  async listen(): Promise<void> {
    const service = { core: this.#core, log: this.#log, daemon: this };
    const handler = async (method: string, params: Readonly<Record<string, unknown>>): Promise<unknown> => {
      if (method === 'hello') return { pid: process.pid };
      if (this.#closing !== undefined || (this.#signals > 0 && method === 'mount')) {
        throw new FsError('EBUSY', 'daemon-closing', `${this.#core.store.path}: the daemon is ending; try again`);
      }
      return callMethod(service, method, params);
    };
    this.#server = await serveControl(this.#core.store.path, handler, this.#log);
  }

  async endIfIdle(): Promise<boolean> {
    if (!this.mounts.idle) return false;
    await (this.#closing ??= this.#close());
    return true;
  }

  async #close(): Promise<void> {
    this.#server?.close();
    let status = 0;
    try {
      await this.#core.close();
      this.#log.info('the store is closed');
    } catch (error) {
      status = 1;
      this.#log.error(`closing the store: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    } finally {
      // After whoever waits for this has been told: their answers are on their way then.
      setImmediate(() => {
        void this.#server?.answered(ANSWER_MS).then(() => {
          this.#end(status);
        });
        if (this.#server === undefined) this.#end(status);
      });
    }
  }

  handleSignals(): void {
    const terminate = (signal: NodeJS.Signals): void => {
      this.#signals++;
      this.#log.info(`${signal}: unmounting everything`);
      if (this.#signals > 1) void this.mounts.abandonAll();
      else void this.#terminate();
    };
    process.on('SIGTERM', terminate);
    process.on('SIGINT', terminate);
    // A daemon in the background has no terminal to lose; in the foreground its end is ours.
    process.on('SIGHUP', terminate);
    process.on('uncaughtException', (error) => {
      this.#crash(error);
    });
  }

  /** Never rejects. */
  async #terminate(): Promise<void> {
    // A mount may be on its way in while the others go.
    while (!(await this.endIfIdle().catch(() => true))) {
      await this.mounts.removeAll(POLITE_MS, LAZY_MS);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** What is in memory can't be trusted any more, so it is not written; what was committed is safe. */
  #crash(error: Error): void {
    this.#log.error(`unexpected: ${error.stack ?? error.message}`);
    const kind = error instanceof AssertionError ? 'a mistake in amberfs' : 'an error that nobody expected';
    this.#log.error(`the daemon ends because of ${kind}; mount again to go on from the last commit`);
    const exit = (): never => process.exit(1);
    setTimeout(exit, CRASH_MS);
    void this.mounts.abandonAll().finally(exit);
  }
}
