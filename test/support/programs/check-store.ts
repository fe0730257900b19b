/**
 * The full check of a store that nobody has open: does again what its journal holds, as the daemon would, and prints one
 * line for each thing that is wrong. Usage: check-store STORE DIST, where DIST is a folder of compiled sources.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as storeRoom from '../../../src/store/index.ts';
import type * as volumeRoom from '../../../src/volume/index.ts';

const [, , store, dist] = process.argv as [string, string, string, string];

async function room(name: string): Promise<unknown> {
  return import(pathToFileURL(path.join(dist, name, 'index.js')).href);
}

const { openStore } = (await room('store')) as typeof storeRoom;
const { Volumes, checkVolumes } = (await room('volume')) as typeof volumeRoom;
const log = {
  info: () => undefined,
  warn: () => undefined,
  error: (message: string) => console.log(message),
};
const opened = await openStore(store, { log });
try {
  const volumes = await Volumes.open(opened, { log });
  for (const problem of await checkVolumes(volumes)) console.log(problem);
  await volumes.close();
} finally {
  await opened.close();
}
