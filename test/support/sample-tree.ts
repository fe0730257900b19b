/** A tree with one of everything, and what a tree is compared by. */
import { compiledProgram } from './compile-programs.ts';
import type { Mounted } from './mounted.ts';

/** Everything that can be known of the tree below `dir`, a line of JSON for each object, by its name. */
export function manifest(mounted: Mounted, dir: string): Promise<string> {
  return mounted.run(process.execPath, [compiledProgram('tree-manifest'), dir]);
}

/** That of the live tree, after a first walk has moved what access times it moves (relatime). */
export async function settledManifest(mounted: Mounted): Promise<string> {
  await manifest(mounted, mounted.dir);
  return manifest(mounted, mounted.dir);
}

/**
 * A shell script that fills its working directory with one of everything a backup has to keep: sizes around blocks, holes,
 * hard links, symbolic links, fifos, devices, odd names, modes, owners, times to the nanosecond, attributes and ACLs.
 * Needs root, and the packages attr and acl.
 */
export const sampleTreeScript = String.raw`
mkdir -p dir/sub/deeper many
for size in 0 1 4095 4096 4097 131072 131073; do seq 1 200000 | head -c $size > size-$size; done
seq 1 400000 > big
truncate -s 20M sparse; printf middle | dd of=sparse bs=1 seek=9000000 conv=notrunc status=none
printf outside > outside; mkdir outside-dir
printf content > file; printf inner > dir/inner
ln file hard; ln file dir/sub/hard2
ln -s file symlink; ln -s ../nowhere dir/dangling; ln -s "$(printf 'd/%.0s' $(seq 1 1500))" long-symlink
mkfifo fifo; mknod null c 1 3; mknod disk b 8 17
printf x > "$(printf 'new\nline')"; printf x > "$(printf 'bytes-\377\376')"; printf x > ' blank '; printf x > '-dash'
printf x > "$(printf 'n%.0s' $(seq 1 255))"
i=0; while [ $i -lt 200 ]; do printf "number $i" > many/f$i; i=$((i+1)); done
printf x > setuid; chmod 4755 setuid; chmod 2775 dir; chmod 1777 dir/sub; chmod 000 size-1
chown 1234:2345 size-4096; chown -h 70000:80000 symlink; chown 5:6 dir/sub/deeper
setfattr -n user.kept -v value file; setfattr -n user.binary -v 0x00ff10 dir; setfattr -n trusted.secret -v s big
setfacl -m u:1234:rw,g:2345:r size-4097; setfacl -d -m u:1234:rwx dir/sub
touch -d '1950-02-03 04:05:06.789012345 UTC' size-0
touch -d '2200-01-01 00:00:00.000000001 UTC' size-4095
touch -h -d '2001-02-03 04:05:06.123456789 UTC' symlink dir/dangling
touch -a -d '1999-01-01 UTC' file
touch -d '2011-11-11 11:11:11.111111111 UTC' dir/sub dir
`;

/** The packages that the script needs besides a plain Debian, by command. */
export const sampleTreeCommands = { setfattr: 'attr', setfacl: 'acl' };
