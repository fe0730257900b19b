// What a store holds, as text by path, and deeds that change it: done to volumes, and to a copy of the texts.
//
// A path is VOLUME/NAME, or VOLUME@SNAPSHOT/NAME; that of a root has no name. All is metadata but for the contents of a few files: names are
// long, and each file has an attribute.

import { createHash } from 'node:crypto';
import { CorruptionError } from '../../src/errors/index.ts';
import { Listing, needInode, setXattrValue, writeFile } from '../../src/vfs/index.ts';
import {
  type Filesystem,
  ROOT_INO,
  type Volumes,
  createInode,
  eachXattr,
  getXattr,
  readData,
} from '../../src/volume/index.ts';
import { TreeOf } from '../unit/vfs/tree-of.ts';
import type { Random } from './host-file.ts';

export type Deed =
  | { readonly do: 'write' | 'attribute'; readonly volume: string; readonly file: number; readonly tag: string }
  | { readonly do: 'remove'; readonly volume: string; readonly file: number }
  | { readonly do: 'snapshot' | 'forget'; readonly volume: string; readonly name: string }
  | { readonly do: 'clone'; readonly volume: string; readonly name: string; readonly clone: string };

export type State = Map<string, string>;

/** The text of what can't be read. */
export const DAMAGED = 'damaged';

const FILES = 300;
const SNAPSHOTS_MAX = 5;
const ATTRIBUTE = Buffer.from('user.kept');
const ATTRIBUTE_BYTES = 500;
const ROOT = 'root';

function nameOf(file: number): string {
  return `${file}-`.padEnd(180, createHash('sha256').update(String(file)).digest('hex'));
}

/** Each file has as many bytes for ever: some beside its inode, some in blocks. */
function contentOf(file: number, tag: string): Buffer {
  const outputLength = file % 10 === 0 ? 9000 : 1 + (file % 200);
  return createHash('shake256', { outputLength }).update(tag).digest();
}

function attributeOf(tag: string): Buffer {
  return createHash('shake256', { outputLength: ATTRIBUTE_BYTES }).update(tag).digest();
}

function textOf(content: Uint8Array, attribute: Uint8Array | undefined): string {
  const hash = createHash('sha1').update(content);
  return `${content.length} ${hash.update(attribute ?? '').digest('base64')}${attribute === undefined ? '' : ' kept'}`;
}

/** What the deeds were, as far as texts are made of it: the tags of contents and attribute, by path. */
export class KnownState {
  readonly #files: Map<string, { content: string; attribute: string | undefined }>;
  readonly #titles: Set<string>;

  constructor(other?: KnownState) {
    this.#files = new Map(other === undefined ? [] : other.#files);
    this.#titles = new Set(other === undefined ? ['main'] : other.#titles);
  }

  has(volume: string, file: number): boolean {
    return this.#files.has(`${volume}/${file}`);
  }

  get volumes(): string[] {
    return [...this.#titles].filter((title) => !title.includes('@'));
  }

  snapshots(volume: string): string[] {
    return [...this.#titles].filter((title) => title.startsWith(`${volume}@`)).map((title) => title.split('@')[1]!);
  }

  apply(deed: Deed): void {
    switch (deed.do) {
      case 'write':
      case 'attribute': {
        const key = `${deed.volume}/${deed.file}`;
        const { content, attribute } = this.#files.get(key) ?? { content: deed.tag, attribute: undefined };
        const isWrite = deed.do === 'write';
        this.#files.set(key, { content: isWrite ? deed.tag : content, attribute: isWrite ? attribute : deed.tag });
        return;
      }
      case 'remove':
        this.#files.delete(`${deed.volume}/${deed.file}`);
        return;
      case 'snapshot':
        this.#copy(deed.volume, `${deed.volume}@${deed.name}`);
        return;
      case 'clone':
        this.#copy(`${deed.volume}@${deed.name}`, deed.clone);
        return;
      case 'forget': {
        const title = `${deed.volume}@${deed.name}`;
        this.#titles.delete(title);
        for (const key of [...this.#files.keys()]) if (key.startsWith(`${title}/`)) this.#files.delete(key);
      }
    }
  }

  #copy(from: string, to: string): void {
    this.#titles.add(to);
    for (const [key, file] of [...this.#files])
      if (key.startsWith(`${from}/`)) this.#files.set(to + key.slice(from.length), file);
  }

  /** As {@link stateOf} gives it. */
  state(): State {
    const state: State = new Map([...this.#titles].map((title) => [title, ROOT]));
    for (const [key, { content, attribute }] of this.#files) {
      const slash = key.indexOf('/');
      const file = Number(key.slice(slash + 1));
      const kept = attribute === undefined ? undefined : attributeOf(attribute);
      state.set(`${key.slice(0, slash)}/${nameOf(file)}`, textOf(contentOf(file, content), kept));
    }
    return state;
  }
}

/** A deed that `known` allows. `tag` tells it from all others. */
export function randomDeed(known: KnownState, random: Random, tag: string): Deed {
  const volume = known.volumes[random(known.volumes.length)]!;
  const snapshots = known.snapshots(volume);
  const file = random(FILES);
  const kind = random(24);
  if (kind === 0 && snapshots.length < SNAPSHOTS_MAX) return { do: 'snapshot', volume, name: `s-${tag}` };
  if (kind === 1 && snapshots.length > 1) return { do: 'forget', volume, name: snapshots[random(snapshots.length)]! };
  if (!known.has(volume, file) || kind < 10) return { do: 'write', volume, file, tag };
  if (kind < 13) return { do: 'remove', volume, file };
  return { do: 'attribute', volume, file, tag };
}

/** The path that a deed changes, or the volume or snapshot. */
export function placeOf(deed: Deed): string {
  if ('file' in deed) return `${deed.volume}/${nameOf(deed.file)}`;
  return deed.do === 'clone' ? deed.clone : `${deed.volume}@${deed.name}`;
}

/** Throws what the volumes do. */
export function perform(volumes: Volumes, deed: Deed): void {
  const volume = volumes.get(deed.volume);
  const tree = new TreeOf(volume.filesystem);
  switch (deed.do) {
    case 'write': {
      const name = nameOf(deed.file);
      const { ino } = tree.find(ROOT_INO, name) ?? tree.file(ROOT_INO, name);
      const bytes = contentOf(deed.file, deed.tag);
      writeFile(tree.fs, ino, 0, bytes, 0, bytes.length, false);
      return;
    }
    case 'attribute': {
      const inode = tree.find(ROOT_INO, nameOf(deed.file));
      if (inode === undefined) throw new Error(`${placeOf(deed)} is not there`);
      setXattrValue(tree.fs, inode.ino, ATTRIBUTE, attributeOf(deed.tag), 0, false);
      return;
    }
    case 'remove':
      tree.unlink(ROOT_INO, nameOf(deed.file));
      return;
    case 'snapshot':
      volumes.createSnapshot(volume, { name: deed.name });
      return;
    case 'forget':
      volumes.deleteSnapshot(volume, volume.snapshot(deed.name));
      return;
    case 'clone':
      volumes.clone(volume, volume.snapshot(deed.name), deed.clone);
  }
}

/** All that volumes and snapshots hold. What is damaged says so. Throws what else reading throws. */
export function stateOf(volumes: Volumes): State {
  const state: State = new Map();
  for (const volume of volumes.list()) {
    readInto(state, volume.filesystem, volume.name);
    for (const { label, filesystem } of volume.snapshots()) readInto(state, filesystem, `${volume.name}@${label.name}`);
  }
  return state;
}

function readInto(state: State, fs: Filesystem, title: string): void {
  const children: [string, number][] = [];
  const root = orDamaged(() => {
    const inode = createInode();
    needInode(fs, ROOT_INO, inode);
    const listing = new Listing();
    listing.start(fs, inode, 2, false);
    while (listing.next())
      children.push([
        Buffer.from(listing.bytes.subarray(listing.nameStart, listing.nameEnd)).toString('latin1'),
        listing.ino,
      ]);
    return ROOT;
  });
  state.set(title, root);
  for (const [name, ino] of children)
    state.set(
      `${title}/${name}`,
      orDamaged(() => readOne(fs, ino)),
    );
}

function readOne(fs: Filesystem, ino: number): string {
  const inode = createInode();
  needInode(fs, ino, inode);
  let attribute: Uint8Array | undefined;
  eachXattr(fs, ino, (bytes, from, to) => {
    attribute = getXattr(fs, ino, Buffer.from(bytes.subarray(from, to)));
  });
  const into = Buffer.alloc(Math.ceil((inode.sizeBytes + 1) / 4096) * 4096);
  const count = readData(fs, inode, 0, inode.sizeBytes + 1, into, 0, true);
  return textOf(into.subarray(0, count), attribute);
}

/** What `read` gives, or DAMAGED. */
export function orDamaged(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (error instanceof CorruptionError) return DAMAGED;
    throw error;
  }
}

/** The paths at which `found` shows something else than `expected`, but for what it calls damaged and what is below that. */
export function differences(found: State, expected: State): string[] {
  const isBelowDamage = (path: string): boolean =>
    found.get(path) === DAMAGED || found.get(path.split('/')[0]!) === DAMAGED;
  return [
    ...[...expected].filter(([path, text]) => found.get(path) !== text && !isBelowDamage(path)).map(([path]) => path),
    ...[...found.keys()].filter((path) => !expected.has(path)).map((path) => `${path} too`),
  ];
}
