// What is done to volumes and their snapshots.

import { holdSnapshot, releaseSnapshot } from '../../src/volume/index.ts';
import { type NaiveSnapshot, type NaiveVolume, naiveSnapshot, naiveVolume, tagsAt } from './naive-volumes.ts';
import { refuse } from './refusal.ts';
import { type Command, type Scene, type Step, both, pick } from './step.ts';

/** More names than a store ever has volumes here, so that names of deleted ones are used again. */
const VOLUME_NAMES = ['main', 'v1', 'v2', 'v3'];

/** A command on a snapshot of the volume, if it has one. */
function onSnapshot(change: (scene: Scene, snapshot: NaiveSnapshot, step: Step) => void): Command {
  return (scene, step) => {
    const snapshot = pick(scene.naive.snapshots, step.which);
    if (snapshot !== undefined) change(scene, snapshot, step);
  };
}

/** A name that is free, or now and then one that may be taken. */
function nameFor({ naive, serial }: Scene, { other }: Step): string {
  return (other % 8 === 0 ? pick(naive.snapshots, other)?.name : undefined) ?? `s${serial}`;
}

function checkNameFree(naive: NaiveVolume, name: string, except?: NaiveSnapshot): void {
  const taken = naive.snapshots.some((snapshot) => snapshot !== except && snapshot.name === name);
  refuse(taken, 'EEXIST');
}

function checkUnheld(snapshots: readonly NaiveSnapshot[], nowMs: number): void {
  const held = snapshots.some((snapshot) => tagsAt(snapshot, nowMs).length > 0);
  refuse(held, 'EBUSY');
}

export const VERSION_COMMANDS = {
  snapshot: (scene, step) => {
    const { volumes, volume, naive } = scene;
    const name = nameFor(scene, step);
    both<unknown>(
      () => {
        checkNameFree(naive, name);
        naive.snapshots.push(naiveSnapshot(name, naive.live));
      },
      () => void volumes.createSnapshot(volume, { name }),
    );
  },

  renameSnapshot: onSnapshot((scene, snapshot, step) => {
    const { volumes, volume, naive } = scene;
    const real = volume.snapshot(snapshot.name);
    const name = nameFor(scene, step);
    both(
      () => {
        checkNameFree(naive, name, snapshot);
        snapshot.name = name;
      },
      () => volumes.renameSnapshot(volume, real, name),
    );
  }),

  deleteSnapshot: onSnapshot(({ volumes, volume, naive, nowMs }, snapshot) => {
    both(
      () => {
        checkUnheld([snapshot], nowMs);
        naive.snapshots.splice(naive.snapshots.indexOf(snapshot), 1);
      },
      () => volumes.deleteSnapshot(volume, volume.snapshot(snapshot.name)),
    );
  }),

  /** Some end by themselves after some steps. */
  hold: onSnapshot(({ volumes, volume, nowMs }, snapshot, { other }) => {
    const tag = `tag${other % 2}`;
    const expiresMs = other % 3 === 0 ? undefined : nowMs + 1000 * (1 + (other % 12));
    both(
      () => {
        refuse(tagsAt(snapshot, nowMs).includes(tag), 'EEXIST');
        // It becomes the last, also where it takes the place of one that has expired.
        snapshot.holds.delete(tag);
        snapshot.holds.set(tag, expiresMs ?? Infinity);
      },
      () => {
        const hold = expiresMs === undefined ? { tag } : { tag, expiresMs };
        holdSnapshot(volumes, volume, volume.snapshot(snapshot.name), hold);
      },
    );
  }),

  /** Mostly a hold that there is. */
  release: ({ volumes, volume, naive, nowMs }, { which, other }) => {
    const held = naive.snapshots.filter((one) => tagsAt(one, nowMs).length > 0);
    const snapshot = pick(held, which) ?? pick(naive.snapshots, which);
    if (snapshot === undefined) return;
    const found = other % 4 === 0 ? undefined : pick(tagsAt(snapshot, nowMs), other);
    const tag = found ?? `tag${other % 2}`;
    both(
      () => {
        refuse(!tagsAt(snapshot, nowMs).includes(tag), 'ENOENT');
        snapshot.holds.delete(tag);
      },
      () => releaseSnapshot(volumes, volume, volume.snapshot(snapshot.name), tag),
    );
  },

  clone: onSnapshot(({ volumes, volume, all }, snapshot, { other }) => {
    const name = pick(VOLUME_NAMES, other)!;
    both<unknown>(
      () => {
        refuse(all.has(name), 'EEXIST');
        all.set(name, naiveVolume(snapshot.files.copy()));
      },
      () => void volumes.clone(volume, volume.snapshot(snapshot.name), name),
    );
  }),

  /** What was live is kept under a name, or given up. Whatever was open is gone. */
  restore: onSnapshot((scene, snapshot, step) => {
    const { volumes, volume, naive } = scene;
    const kept = step.at % 2 === 0 ? nameFor(scene, step) : undefined;
    both<unknown>(
      () => {
        if (kept !== undefined) {
          checkNameFree(naive, kept);
          naive.snapshots.push(naiveSnapshot(kept, naive.live));
        }
        naive.live = snapshot.files.copy();
        naive.open.clear();
      },
      () =>
        void volumes.restore(volume, volume.snapshot(snapshot.name), kept === undefined ? undefined : { name: kept }),
    );
  }),

  deleteVolume: ({ volumes, volume, all, naive, nowMs }) => {
    if (all.size === 1) return;
    both(
      () => {
        checkUnheld(naive.snapshots, nowMs);
        all.delete(volume.name);
      },
      () => volumes.deleteVolume(volume),
    );
  },
} satisfies Record<string, Command>;
