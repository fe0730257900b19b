import { AssertionError } from '../../util/index.ts';
import {
  SNAPDIR_CHOICES,
  type MountChoices,
  type MountInfo,
  type MountRequest,
  type UnmountResult,
} from '../control/methods.ts';
import type { Fields } from '../control/protocol.ts';
import { booleanParam, fieldsParam, optionalBoolean, optionalChoice, optionalString, stringParam } from '../params.ts';
import type { DaemonFacts, Service } from './service.ts';

/** The daemon; a command that opened the store by itself mounts nothing. */
function daemonOf({ daemon }: Service): DaemonFacts {
  if (daemon === undefined) throw new AssertionError('mounts are made by a daemon');
  return daemon;
}

/** `mount`: resolves when the mount is in place. */
export async function mountMethod(service: Service, params: Fields): Promise<MountInfo> {
  return daemonOf(service).mounts.add(readMountRequest(params));
}

/** `umount`: resolves when what was written is durable and, after the last mount, the store is closed. */
export async function umountMethod(service: Service, params: Fields): Promise<UnmountResult> {
  const daemon = daemonOf(service);
  await daemon.mounts.remove(stringParam(params, 'dir'), booleanParam(params, 'lazy'));
  const last = await daemon.endIfIdle();
  return { last };
}

/** A mount request as it came over a socket or a pipe. Throws ProtocolError for anything that is none. */
export function readMountRequest(params: Fields): MountRequest {
  const snapshot = optionalString(params, 'snapshot');
  return {
    dir: stringParam(params, 'dir'),
    volume: stringParam(params, 'volume'),
    ...(snapshot === undefined ? {} : { snapshot }),
    options: readChoices(fieldsParam(params, 'options')),
  };
}

function readChoices(fields: Fields): MountChoices {
  const choices = {
    readOnly: optionalBoolean(fields, 'readOnly'),
    allowOther: optionalBoolean(fields, 'allowOther'),
    noatime: optionalBoolean(fields, 'noatime'),
    snapdir: optionalChoice(fields, 'snapdir', SNAPDIR_CHOICES),
    suid: optionalBoolean(fields, 'suid'),
    dev: optionalBoolean(fields, 'dev'),
    exec: optionalBoolean(fields, 'exec'),
    fsname: optionalString(fields, 'fsname'),
    rewind: optionalBoolean(fields, 'rewind'),
  };
  // Left out rather than undefined, which is what the type of an option that was not given says.
  return Object.fromEntries(Object.entries(choices).filter(([, value]) => value !== undefined));
}
