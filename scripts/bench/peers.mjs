/**
 * The filesystems that are compared. Each peer: `name`, `note`, `start()`, `dir`, `cold()` (afterwards reads come from the
 * peer and not from the kernel's cache), `pid()` of its daemon, `stop()`, and perhaps `inodeLimit()`: how many files it can
 * stand at most.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { CLI } from './build.mjs';
import { forceUnmount, isAlive, isMounted, run, waitUntil } from './run.mjs';

const EXAMPLE = '/usr/share/doc/libfuse3-dev/examples/passthrough_ll.c';
const MOUNT_LIMIT_MS = 20_000;

/** Thrown when a peer can't be had on this machine: the message says why and what to install. */
export class PeerUnavailable extends Error {}

const isRoot = process.getuid() === 0;

async function dropCaches() {
  if (!isRoot) return false;
  await run('sync', []);
  fs.writeFileSync('/proc/sys/vm/drop_caches', '3');
  return true;
}

function hostPeer(temp) {
  const dir = path.join(temp, 'host');
  return {
    name: 'host',
    note: 'a directory of the filesystem that also holds the backing files of the others',
    dir,
    start: async () => fs.mkdirSync(dir),
    cold: dropCaches,
    pid: () => undefined,
    stop: async () => undefined,
  };
}

/** Compiles the example of the Debian package libfuse3-dev into the temporary directory. */
async function buildPassthrough(temp) {
  if (!fs.existsSync(EXAMPLE))
    throw new PeerUnavailable(`${EXAMPLE} is missing: apt-get install fuse3 libfuse3-dev gcc pkg-config`);
  const binary = path.join(temp, 'passthrough_ll');
  try {
    const { output } = await run('pkg-config', ['fuse3', '--cflags', '--libs']);
    await run('gcc', ['-O2', '-o', binary, EXAMPLE, ...output.trim().split(/\s+/), '-pthread']);
  } catch (error) {
    throw new PeerUnavailable(`passthrough_ll does not compile: ${error.message}`);
  }
  return binary;
}

function passthroughPeer(temp) {
  const dir = path.join(temp, 'passthrough');
  const source = path.join(temp, 'passthrough-source');
  let binary;
  let daemon;

  async function mount() {
    const options = `source=${source},cache=always`;
    // It keeps a descriptor for each inode that the kernel knows, so it needs as many as it can get; root may raise the limit.
    const script = 'ulimit -n 1048576 2>/dev/null || ulimit -n "$(ulimit -H -n)"; exec "$@"';
    const command = ['-c', script, 'sh', binary, '-f', '-s', '-o', options, dir];
    daemon = spawn('sh', command, { cwd: '/', stdio: ['ignore', 'ignore', 'inherit'] });
    await waitUntil('passthrough_ll is mounted', MOUNT_LIMIT_MS, () => isMounted(dir));
  }

  async function umount() {
    if (isMounted(dir)) await run('umount', [dir]).catch(() => forceUnmount(dir));
    await waitUntil('passthrough_ll has ended', MOUNT_LIMIT_MS, () => daemon === undefined || !isAlive(daemon.pid));
  }

  return {
    name: 'passthrough',
    note: 'passthrough_ll of libfuse 3, in C, one thread, cache=always',
    dir,
    start: async () => {
      binary = await buildPassthrough(temp);
      fs.mkdirSync(dir);
      fs.mkdirSync(source);
      await mount();
    },
    cold: async () => {
      await umount();
      const dropped = await dropCaches();
      await mount();
      return dropped || 'host cache only';
    },
    pid: () => daemon.pid,
    inodeLimit: () => Number(/^Max open files\s+(\d+)/m.exec(fs.readFileSync(`/proc/${daemon.pid}/limits`, 'utf8'))[1]),
    stop: async () => {
      await umount().catch(() => forceUnmount(dir));
      if (daemon !== undefined && isAlive(daemon.pid)) daemon.kill('SIGKILL');
    },
  };
}

/** A new store with a mount; `name` tells several apart. */
export function amberfsPeer(temp, name = 'amberfs') {
  const dir = path.join(temp, name);
  const store = path.join(temp, `${name}-store`);
  let pid;
  const amberfs = (...args) => run(process.execPath, [CLI, ...args]);

  async function mount() {
    await amberfs('mount', store, dir);
    pid = JSON.parse((await amberfs('status', store, '--json')).output).pid;
  }

  async function umount() {
    if (isMounted(dir)) await amberfs('umount', dir);
    await waitUntil('the daemon has ended', MOUNT_LIMIT_MS, () => pid === undefined || !isAlive(pid));
  }

  return {
    name,
    note: 'default options',
    dir,
    store,
    amberfs,
    start: async () => {
      if (!fs.existsSync(CLI)) throw new PeerUnavailable(`${CLI} is missing: npm run build`);
      fs.mkdirSync(dir);
      await amberfs('init', store);
      await mount();
    },
    cold: async () => {
      await umount();
      const dropped = await dropCaches();
      await mount();
      return dropped || 'host cache only';
    },
    pid: () => pid,
    stop: async () => {
      await umount().catch(() => forceUnmount(dir));
      if (pid !== undefined && isAlive(pid)) process.kill(pid, 'SIGKILL');
    },
  };
}

/** The peers of the given names, not started yet. */
export function makePeers(names, temp) {
  const makers = { host: hostPeer, passthrough: passthroughPeer, amberfs: amberfsPeer };
  return names.map((name) => makers[name](temp));
}
