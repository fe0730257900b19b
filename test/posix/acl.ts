import assert from 'node:assert/strict';
import fs from 'node:fs';
import { getxattr, listxattr } from '../support/syscalls.ts';
import {
  asUser,
  fails,
  modeOf,
  requireCommand,
  requireRoot,
  stat,
  tick,
  tool,
  withUmask,
  write,
  type PosixTable,
} from './posix-root.ts';

const accessName = 'system.posix_acl_access';

function setfacl(...args: string[]): void {
  requireCommand('setfacl', 'acl');
  tool('setfacl', args);
}

function getfacl(file: string): string {
  return tool('getfacl', ['--omit-header', '--numeric', '--absolute-names', file]).trim();
}

export const aclTests: PosixTable = {
  'an entry for a user lets him in, and only him': async (root) => {
    requireRoot();
    write(root.at('f'), 'x');
    fs.chmodSync(root.at('f'), 0o600);
    setfacl('-m', 'u:1234:r', root.at('f'));
    await root.refresh();
    asUser(1234, 1234, [], () => {
      assert.equal(fs.readFileSync(root.at('f'), 'utf8'), 'x');
      fails(() => fs.openSync(root.at('f'), 'r+'), 'EACCES');
    });
    asUser(1235, 1235, [], () => fails(() => fs.openSync(root.at('f'), 'r'), 'EACCES'));
    assert.match(getfacl(root.at('f')), /^user:1234:r--$/m);
  },

  'chmod of the group bits moves the mask': (root) => {
    requireRoot();
    write(root.at('f'));
    setfacl('-m', 'u:1234:rwx', root.at('f'));
    assert.equal(modeOf(root.at('f')) & 0o070, 0o070);
    fs.chmodSync(root.at('f'), 0o640);
    assert.match(getfacl(root.at('f')), /^mask::r--$/m);
    assert.match(getfacl(root.at('f')), /^user:1234:rwx/m);
    asUser(1234, 1234, [], () => fails(() => fs.openSync(root.at('f'), 'r+'), 'EACCES'));
  },

  'a list with the three base entries only becomes plain mode': (root) => {
    write(root.at('f'));
    setfacl('-m', 'u:1234:rwx', root.at('f'));
    assert.ok(listxattr(root.at('f')).includes(accessName));
    setfacl('--set', 'u::rw,g::r,o::-', root.at('f'));
    assert.ok(!listxattr(root.at('f')).includes(accessName));
    assert.equal(modeOf(root.at('f')), 0o640);
    setfacl('-m', 'u:1234:r', root.at('f'));
    setfacl('-b', root.at('f'));
    fails(() => getxattr(root.at('f'), accessName), 'ENODATA');
  },

  'a default list is inherited, and the umask then has no say': async (root) => {
    fs.mkdirSync(root.at('d'));
    setfacl('-d', '-m', 'u::rwx,u:1234:rwx,g::rx,o::rx,m::rwx', root.at('d'));
    withUmask(0o077, () => {
      fs.closeSync(fs.openSync(root.at('d', 'file'), 'w', 0o666));
      fs.mkdirSync(root.at('d', 'dir'), 0o777);
      fs.mkdirSync(root.at('d', 'dir', 'deeper'), 0o777);
    });
    await root.refresh();
    assert.equal(modeOf(root.at('d', 'file')), 0o664);
    assert.equal(modeOf(root.at('d', 'dir')), 0o775);
    assert.match(getfacl(root.at('d', 'file')), /^user:1234:rwx\t*\s*#effective:rw-$/m);
    assert.match(getfacl(root.at('d', 'dir', 'deeper')), /^default:user:1234:rwx$/m);
    assert.ok(!getfacl(root.at('d', 'file')).includes('default:'));
  },

  'setfacl is for the owner, and moves ctime': (root) => {
    requireRoot();
    write(root.at('f'));
    const before = stat(root.at('f')).ctimeNs;
    tick();
    setfacl('-m', 'u:1234:rw', root.at('f'));
    assert.ok(stat(root.at('f')).ctimeNs > before);
    const acl = getxattr(root.at('f'), accessName);
    assert.ok(acl.length > 4);
    const status = tool('sh', [
      '-c',
      `setpriv --reuid=1234 --regid=1234 --clear-groups setfacl -m u:1234:rwx "$1" 2>&1; echo status $?`,
      'sh',
      root.at('f'),
    ]);
    assert.match(status, /Operation not permitted/);
    assert.ok(getxattr(root.at('f'), accessName).equals(acl));
  },

  'lists of a tree survive getfacl -R, setfacl --restore': async (root) => {
    fs.mkdirSync(root.at('t', 'u'), { recursive: true });
    write(root.at('t', 'f'));
    write(root.at('t', 'u', 'g'));
    setfacl('-R', '-m', 'u:1234:rwX,g:2345:r', root.at('t'));
    setfacl('-d', '-m', 'g:2345:rwx', root.at('t', 'u'));
    const dump = tool('getfacl', ['-R', '--numeric', 't'], { cwd: root.dir });
    setfacl('-R', '-b', root.at('t'));
    assert.notEqual(tool('getfacl', ['-R', '--numeric', 't'], { cwd: root.dir }), dump);
    tool('setfacl', ['--restore=-'], { cwd: root.dir, input: dump });
    await root.refresh();
    assert.equal(tool('getfacl', ['-R', '--numeric', 't'], { cwd: root.dir }), dump);
  },
};
