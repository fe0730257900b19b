import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import tmp from 'tmp-promise';
import { expect, test } from 'vitest';
import { nameOfUser } from '../../../src/daemon/user-names.ts';

test('the name of a user is what the file says at that moment, else the number', async () => {
  const { path, cleanup } = await tmp.dir({ unsafeCleanup: true });
  try {
    const passwd = join(path, 'passwd');
    writeFileSync(passwd, '# ours\nann:x:1000:1000::/:/bin/sh\n:x:7:7::/:\nbob:x:10:1000::/:/bin/sh');
    const found = await Promise.all([1000, 10, 7, 1, 0].map((uid) => nameOfUser(uid, passwd, 0)));
    expect(found).toEqual(['ann', 'bob', 'uid 7', 'uid 1', 'uid 0']);
    writeFileSync(passwd, 'eve:x:1000:1000::/:/bin/sh\n');
    expect(await nameOfUser(1000, passwd, 0)).toBe('eve');
    rmSync(passwd);
    expect(await nameOfUser(1000, passwd, 0)).toBe('uid 1000');
  } finally {
    await cleanup();
  }
});
