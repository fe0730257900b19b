// The methods of the control protocol: a table from their names to what they do.

import { ProtocolError } from '../../errors/index.ts';
import type { ControlMethod } from '../control/methods.ts';
import { isFields, type Fields } from '../control/protocol.ts';
import { pollCheck, startCheck } from './check.ts';
import { diffSnapshots } from './diff.ts';
import { mountMethod, umountMethod } from './mount.ts';
import { getProperties, setProperty } from './properties.ts';
import { restoreSnapshot } from './restore.ts';
import { pauseScrub, resumeScrub, scrubStatus, startScrub, stopScrub } from './scrub.ts';
import type { Service } from './service.ts';
import { awaitReclaimed, cheapestSnapshots, deleteSnapshots } from './snapshot-delete.ts';
import { addHold, releaseHold } from './snapshot-hold.ts';
import { createSnapshot, listSnapshots, renameSnapshot, snapshotInfo } from './snapshot.ts';
import { statusMethod } from './status.ts';
import { cloneVolume, createVolume, deleteVolume, listVolumes } from './volume.ts';
import { renameVolume } from './volume-rename.ts';

type Method = (service: Service, params: Fields) => unknown;

const METHODS: Readonly<Record<ControlMethod, Method>> = {
  status: statusMethod,
  mount: mountMethod,
  umount: umountMethod,
  'volume.list': listVolumes,
  'volume.create': createVolume,
  'volume.delete': deleteVolume,
  'volume.rename': renameVolume,
  'volume.get': getProperties,
  'volume.set': setProperty,
  'snapshot.list': listSnapshots,
  'snapshot.info': snapshotInfo,
  'snapshot.create': createSnapshot,
  'snapshot.delete': deleteSnapshots,
  'snapshot.cheapest': cheapestSnapshots,
  'snapshot.hold': addHold,
  'snapshot.release': releaseHold,
  reclaimed: awaitReclaimed,
  'snapshot.diff': diffSnapshots,
  'snapshot.rename': renameSnapshot,
  'snapshot.restore': restoreSnapshot,
  clone: cloneVolume,
  'check.start': startCheck,
  'check.poll': pollCheck,
  'scrub.start': startScrub,
  'scrub.status': scrubStatus,
  'scrub.pause': pauseScrub,
  'scrub.resume': resumeScrub,
  'scrub.stop': stopScrub,
};

/**
 * Does what `method` says. Nothing is assumed of the arguments: rejects with ProtocolError where there is no such method or a parameter has
 * the wrong type, with FsError where the store refuses. What it changed is durable when it resolves. Where it meets damaged metadata the store
 * takes no more changes: what it had begun does not become durable.
 */
export async function callMethod(service: Service, method: string, params: unknown): Promise<unknown> {
  if (!Object.hasOwn(METHODS, method)) throw new ProtocolError(`there is no method "${method.slice(0, 100)}"`);
  if (!isFields(params)) throw new ProtocolError('the params of a request are an object');
  try {
    return await METHODS[method as ControlMethod](service, params);
  } catch (error) {
    service.core.volumes.noteDamage(error);
    throw error;
  }
}
