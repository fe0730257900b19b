// The options of `mount -o`, as mount(8) writes them: names and name=value, between commas; the last of two that contradict counts.

import { SNAPDIR_CHOICES, type MountChoices } from '../daemon/control/index.ts';
import { UsageError } from './failure.ts';

/** Options without a value, and what they ask for. */
const FLAGS: Readonly<Record<string, MountChoices>> = {
  ro: { readOnly: true },
  rw: { readOnly: false },
  allow_other: { allowOther: true },
  noallow_other: { allowOther: false },
  noatime: { noatime: true },
  relatime: { noatime: false },
  suid: { suid: true },
  nosuid: { suid: false },
  dev: { dev: true },
  nodev: { dev: false },
  exec: { exec: true },
  noexec: { exec: false },
  rewind: { rewind: true },
};

/** The names of all options, for the help. */
const MOUNT_OPTION_NAMES = [...Object.keys(FLAGS), `snapdir=${SNAPDIR_CHOICES.join('|')}`, 'fsname=NAME'];

/** Reads the arguments of all `-o`. Throws UsageError for what is no option. */
export function parseMountOptions(lists: readonly string[]): MountChoices {
  let choices: MountChoices = {};
  for (const option of lists.flatMap((list) => list.split(',')).filter((part) => part !== '')) {
    choices = { ...choices, ...parseOption(option) };
  }
  return choices;
}

function parseOption(option: string): MountChoices {
  if (Object.hasOwn(FLAGS, option)) return FLAGS[option]!;
  const equals = option.indexOf('=');
  const name = equals === -1 ? option : option.slice(0, equals);
  const value = equals === -1 ? undefined : option.slice(equals + 1);
  if (name === 'snapdir') {
    const snapdir = SNAPDIR_CHOICES.find((choice) => choice === value);
    if (snapdir === undefined) {
      throw new UsageError('mount-option-value', `the option snapdir takes ${SNAPDIR_CHOICES.join(', ')}`);
    }
    return { snapdir };
  }
  if (name === 'fsname') {
    if (value === undefined || value === '')
      throw new UsageError('mount-option-value', 'the option fsname takes a name');
    return { fsname: value };
  }
  throw new UsageError(
    'mount-option-unknown',
    `there is no mount option "${option}"; the options are: ${MOUNT_OPTION_NAMES.join(', ')}`,
  );
}
