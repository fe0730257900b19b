// `volume.rename` over the control protocol.

import { FsError } from '../../errors/index.ts';
import type { Volume } from '../../volume/index.ts';
import type { RenameInfo } from '../control/methods.ts';
import type { Fields } from '../control/protocol.ts';
import { stringParam } from '../params.ts';
import type { Service } from './service.ts';

/** `volume.rename`: mounted or not, nothing of what it holds changes. */
export async function renameVolume(service: Service, params: Fields): Promise<RenameInfo> {
  const { volumes } = service.core;
  const volume = volumes.get(stringParam(params, 'volume'));
  const { name } = volume;
  const mounts = service.daemon?.mounts;
  assertNotComing(service, volume);
  const shown = mounts?.list().filter((mount) => mount.volume === name) ?? [];
  const isShown = (): boolean =>
    mounts?.list().some((mount) => shown.some((one) => one.dir === mount.dir && one.mountedMs === mount.mountedMs)) ??
    false;
  volumes.renameVolume(volume, stringParam(params, 'to'), isShown);
  await volumes.flush();
  service.log.info(`volume ${name} renamed to ${volume.name}`);
  return { volume: volume.name, mountedOn: shown.map(({ dir }) => dir) };
}

/** A mount that is on its way would show the old name, unnoticed. Throws FsError EBUSY. */
function assertNotComing({ daemon }: Service, volume: Volume): void {
  try {
    daemon?.mounts.assertVolumeFree(volume);
  } catch (error) {
    if (error instanceof FsError && error.reason === 'volume-mounted') return;
    throw error;
  }
}
