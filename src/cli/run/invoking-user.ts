import { userInfo } from 'node:os';

/** Who runs this command, for the snapshots that it makes: the name of the user, through sudo of who called that, or `uid 1234`. */
export function invokingUser(): string {
  const uid = process.geteuid!();
  const caller = process.env['SUDO_USER'];
  if (uid === 0 && caller !== undefined && caller !== '') return caller;
  try {
    return userInfo().username;
  } catch (error) {
    // A user whom the system does not know, as in many containers.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SYSTEM_ERROR') throw error;
    return `uid ${uid}`;
  }
}
