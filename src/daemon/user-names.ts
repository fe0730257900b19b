// The name of the user behind a request, of which the kernel tells the number alone. Users of other directories than /etc/passwd (LDAP, ...)
// have none here: asking for those may take as long as a network does.

import { readFile } from 'node:fs/promises';

/** So long the file counts as read just now: a snapshot shall not cost four system calls more than it does. */
const FRESH_MS = 5000;

/**
 * Shared by all who ask meanwhile. Where /etc is on a mount of this very daemon, a read keeps a thread waiting until the daemon has
 * answered it, and many could leave it none to answer with. For the same reason it is never read synchronously.
 */
const readings = new Map<string, { readonly startMs: number; readonly text: Promise<string> }>();

/**
 * The name that `passwd` gives user `uid`, or gave at most `freshMs` ago; `uid 1234` where it gives none or can't be read: who made a snapshot
 * must not decide on whether there is one. Never rejects.
 */
export async function nameOfUser(uid: number, passwd = '/etc/passwd', freshMs = FRESH_MS): Promise<string> {
  let reading = readings.get(passwd);
  if (reading === undefined || performance.now() - reading.startMs >= freshMs) {
    reading = { startMs: performance.now(), text: readFile(passwd, 'utf8').catch(() => '') };
    readings.set(passwd, reading);
  }
  for (const line of (await reading.text).split('\n')) {
    const [name, , number] = line.split(':');
    if (number === String(uid) && name !== undefined && name !== '') return name;
  }
  return `uid ${uid}`;
}
