/**
 * Deletes one snapshot, as a process of its own: usage delete-child.mjs STORE DIR, where DIR is that of the snapshot. Prints milliseconds
 * until rmdir(2) was back and until the space was.
 */
import fs from 'node:fs';
import { importBuilt } from './build.mjs';

const { openControl } = await importBuilt('daemon/control/index.js');
const [store, dir] = process.argv.slice(2);
const control = await openControl(store);
const start = performance.now();
fs.rmdirSync(dir);
const rmdirMs = performance.now() - start;
await control.call('reclaimed', {});
const spaceMs = performance.now() - start;
await control.close();
process.stdout.write(JSON.stringify({ rmdirMs, spaceMs }));
