// Putting right what a check finds wrong, as far as nothing is lost by it: figures that follow from the trees, space, link counts, names that
// lead nowhere, files without a name. Only for a store that nobody else uses. What is frozen is not changed.

import { type Inode, Key, createInode, keyIno, keyType, ENTRY } from '../format/index.ts';
import { Cursor } from '../tree/index.ts';
import { type CheckReport, type Fix, checkOpenVolumes } from './check.ts';
import type { FileFix } from './check-filesystem.ts';
import { direntChild, direntName, findDirent, insertDirent, removeDirent } from './dirents.ts';
import { type Filesystem, ROOT_INO } from './filesystem.ts';
import { findInode, insertInode, loadInode, saveInode, setTime } from './inodes.ts';
import type { Volumes } from './volumes.ts';

export interface RepairReport {
  /** What was done, or would be done: one line each. */
  readonly repairs: string[];
  /** The check afterwards; with `dryRun` the one that this was found by. */
  readonly check: CheckReport;
}

const LOST_AND_FOUND = Buffer.from('lost+found');
/** One repair may show what another one is for. */
const ROUNDS_MAX = 4;

/**
 * Repairs what can be repaired without losing anything; with `dryRun` it says what that would be, and changes nothing. `begins` is called
 * before the first repair, if there is one, when everything of before is committed. Rejects with StoreError when the host fails.
 */
export async function repairVolumes(
  volumes: Volumes,
  dryRun: boolean,
  begins: () => void = () => undefined,
): Promise<RepairReport> {
  const repairs: string[] = [];
  await volumes.reclaimed();
  for (let round = 0; ; round++) {
    const fixes: Fix[] = [];
    const check = await checkOpenVolumes(volumes, { fix: (fix) => fixes.push(fix) });
    if (dryRun) return { repairs: fixes.map(describe), check };
    if (fixes.length === 0 || round === ROUNDS_MAX || volumes.failure !== undefined) return { repairs, check };
    if (round === 0) {
      // What opening changed is no repair.
      volumes.record();
      await volumes.commit();
      begins();
    }
    for (const fix of fixes) {
      await apply(volumes, fix);
      repairs.push(describe(fix));
    }
    volumes.record();
    await volumes.commit();
  }
}

function describe(fix: Fix): string {
  switch (fix.do) {
    case 'set-referenced':
      return `version ${fix.version}: set what it refers to to ${fix.nodes} nodes and ${fix.blocks} blocks`;
    case 'set-born':
      return `version ${fix.version}: set what was born in it to ${fix.nodes} nodes and ${fix.blocks} blocks`;
    case 'set-sums':
      return `dead list ${fix.list}: set its sums to those of its records`;
    case 'free-block':
      return `block ${fix.block}: marked as free`;
    case 'mark-block':
      return `block ${fix.block}: marked as in use`;
    case 'free-node':
      return `node ${fix.node}: removed`;
    case 'set-links':
      return `volume ${fix.volume}: inode ${fix.ino}: set its link count to ${fix.links}`;
    case 'set-blocks':
      return `volume ${fix.volume}: inode ${fix.ino}: set its block count to ${fix.blocks}`;
    case 'remove-names':
      return `volume ${fix.volume}: inode ${fix.ino} is missing: removed the names that lead to it`;
    case 'adopt':
      return `volume ${fix.volume}: inode ${fix.ino} had no name: it is lost+found/${fix.ino} now`;
  }
}

async function apply(volumes: Volumes, fix: Fix): Promise<void> {
  const { forest, store } = volumes;
  switch (fix.do) {
    case 'set-referenced':
    case 'set-born': {
      const version = forest.versions.get(fix.version);
      const { nodes, blocks } = fix;
      if (fix.do === 'set-born') Object.assign(version, { bornNodes: nodes, bornBlocks: blocks });
      else Object.assign(version, { referencedNodes: nodes, referencedBlocks: blocks });
      forest.versions.touch(version);
      return;
    }
    case 'set-sums':
      await forest.deadLists.loadSumsAsTheyAre(fix.list);
      forest.deadLists.setSums(fix.list, fix.sums);
      forest.deadLists.release(fix.list);
      return;
    case 'free-block':
      store.allocator.free(fix.block, 1);
      return;
    case 'mark-block':
      store.allocator.claim(fix.block, 1);
      return;
    case 'free-node':
      forest.nodes.free(fix.node);
      return;
    case 'set-links':
    case 'set-blocks':
    case 'remove-names':
    case 'adopt':
      applyToFile(volumes.get(fix.volume).filesystem, fix);
  }
}

function applyToFile(fs: Filesystem, fix: FileFix): void {
  fs.change();
  const inode = createInode();
  if (fix.do === 'remove-names') {
    for (const [dir, name] of namesOf(fs, fix.ino)) removeDirent(fs, dir, name);
    return;
  }
  if (!findInode(fs, fix.ino, inode)) return;
  if (fix.do === 'adopt') {
    adopt(fs, inode);
    return;
  }
  if (fix.do === 'set-links') inode.nlink = fix.links;
  else inode.blocks = fix.blocks;
  saveInode(fs, inode);
}

/** All names that lead to `ino`. */
function namesOf(fs: Filesystem, ino: number): [dir: number, name: Buffer][] {
  const names: [number, Buffer][] = [];
  const at = new Cursor();
  for (let more = fs.tree.seek(new Key().inode(0), at); more; more = fs.tree.next(at)) {
    if (keyType(at.page, at.keyAt) !== ENTRY.dirent || direntChild(at.page, at.valueAt) !== ino) continue;
    names.push([keyIno(at.page, at.keyAt), Buffer.from(direntName(at.page, at.valueAt, at.valueLength), 'latin1')]);
  }
  return names;
}

/** Gives an inode without a name one in `lost+found`. */
function adopt(fs: Filesystem, inode: Inode): void {
  const isDirectory = inode.mode >>> 12 === 4;
  const place = lostAndFound(fs);
  insertDirent(fs, place.ino, Buffer.from(String(inode.ino)), inode.ino, inode.mode >>> 12);
  inode.parent = place.ino;
  if (!isDirectory) inode.nlink = 1;
  saveInode(fs, inode);
  if (!isDirectory) return;
  place.nlink++;
  saveInode(fs, place);
}

/** The directory `lost+found` in the root, made where it is not there. */
function lostAndFound(fs: Filesystem): Inode {
  const place = createInode();
  const ino = findDirent(fs, ROOT_INO, LOST_AND_FOUND);
  if (ino !== 0 && findInode(fs, ino, place)) return place;
  const root = createInode();
  loadInode(fs, ROOT_INO, root);
  const { uid, gid } = root;
  Object.assign(place, { ino: fs.takeIno(), mode: 0o40700, nlink: 2, uid, gid, parent: ROOT_INO });
  fs.context.clock.now(place.ctime);
  for (const time of [place.atime, place.mtime, place.btime]) setTime(time, place.ctime);
  insertInode(fs, place);
  insertDirent(fs, ROOT_INO, LOST_AND_FOUND, place.ino, 4);
  root.nlink++;
  saveInode(fs, root);
  return place;
}
