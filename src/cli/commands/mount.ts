// amberfs mount, amberfs umount

import type { Command } from 'commander';
import type { Outcome } from '../outcome.ts';

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

export function addMountCommands(program: Command, outcome: Outcome): void {
  program
    .command('mount')
    .description('mount a volume, or a snapshot read-only')
    .argument('<target>', 'STORE[:VOLUME[@NAME]]')
    .argument('<dir>', 'the directory to mount on')
    .option('-o, --options <list>', 'mount options, separated by commas', collect, [])
    .option('-f, --foreground', 'serve in this process and log to stderr, until it is unmounted')
    .addHelpText(
      'after',
      `
Mount options:
  ro                        read-only
  allow_other               let other users in (default when root mounts); noallow_other: do not
  noatime                   do not note when files are read
  snapdir=hidden            .snapshots can be entered but is not listed (default)
  snapdir=visible|disabled  .snapshots is listed, or is not there
  suid, dev                 honour setuid programs and device nodes (root only)
  noexec                    run no programs
  fsname=NAME               what the mount table shows as device
  rewind                    of a store whose latest changes are damaged, or in which older ones came back:
                            what it held before, or holds, read-only`,
    )
    .action(async (target: string, dir: string, options: { options: string[]; foreground?: boolean }) => {
      const { runMount } = await import('../run/mount.ts');
      outcome.status = await runMount(target, dir, options.options, options.foreground === true);
    });
  program
    .command('umount')
    .description('unmount; when it returns, all that was written is safe and after the last mount the daemon has ended')
    .argument('<dir...>', 'where it is mounted')
    .option('-l, --lazy', 'take it out of sight even if it is in use, and end it when it no longer is')
    .action(async (dirs: string[], options: { lazy?: boolean }) => {
      const { runUnmount } = await import('../run/mount.ts');
      outcome.status = await runUnmount(dirs, options.lazy === true);
    });
}
