// What `amberfs volume rename` does.

import { resolveTarget } from '../target.ts';
import { withStore } from '../with-store.ts';
import { printResult } from './output.ts';
import { requireVolume } from './volume.ts';

/** `amberfs volume rename STORE:VOLUME NAME` */
export async function runVolumeRename(text: string, to: string, json: boolean): Promise<void> {
  const target = requireVolume(text, await resolveTarget(text));
  const { store, volume } = target;
  const { mountedOn } = await withStore(target, (control) => control.call('volume.rename', { volume, to }));
  const stale =
    mountedOn.length === 0
      ? ''
      : `; the mount on ${mountedOn.join(' and on ')} works on but shows the old name until it is unmounted: in commands write ${store}:${to}`;
  printResult(json, `renamed volume ${volume} to ${to}${stale}`, {
    volume: to,
    renamed_from: volume,
    mounted_on: mountedOn,
  });
}
