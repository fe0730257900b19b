// The walls between the rooms of src/: who may import whom, and through which door. Type-only imports count too.

/** Room -> the rooms that it may import from, always by their `index.ts`. */
const ROOMS = {
  util: [],
  errors: ['util'],
  format: ['errors', 'util'],
  store: ['format', 'errors', 'util'],
  tree: ['store', 'format', 'errors', 'util'],
  volume: ['tree', 'store', 'format', 'errors', 'util'],
  vfs: ['volume', 'errors', 'util'],
  fuse: ['errors', 'util'],
  bridge: ['fuse', 'vfs', 'errors', 'util'],
  daemon: ['bridge', 'fuse', 'vfs', 'volume', 'tree', 'store', 'format', 'errors', 'util'],
  cli: ['daemon', 'volume', 'errors', 'util'],
};

const CONTROL_DOOR = '^src/daemon/control/index\\.ts$';
const any = (names) => names.join('|');

/** A package by name, both resolved and (where it is not installed) as written. */
const packages = (names) => `(^|/)node_modules/(${any(names)})/|^(${any(names)})(/|$)`;

/** Modules of Node by name, with or without `node:`. */
const nodeModules = (names) => `^(node:)?(${any(names)})(/|$)`;

function forbid(name, comment, from, to) {
  return { name, comment, severity: 'error', from, to };
}

const roomRules = Object.entries(ROOMS).map(([room, allowed]) =>
  forbid(
    `room-${room}`,
    `${room} may import from: ${allowed.join(', ') || 'no other room'}`,
    { path: `^src/${room}/` },
    { path: '^src/', pathNot: `^src/(${any([room, ...allowed])})/` },
  ),
);

module.exports = {
  forbidden: [
    ...roomRules,
    forbid(
      'door',
      'A room is entered by its index.ts only',
      { path: '^src/([^/]+)/' },
      { path: '^src/[^/]+/', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$', CONTROL_DOOR] },
    ),
    forbid(
      'door-control',
      'The second door of the daemon, daemon/control, is for the command line alone',
      { path: '^src/', pathNot: '^src/(cli|daemon)/' },
      { path: CONTROL_DOOR },
    ),
    forbid(
      'door-daemon',
      'The command line talks to the daemon over the control socket and knows no more of it',
      { path: '^src/cli/' },
      { path: '^src/daemon/', pathNot: CONTROL_DOOR },
    ),
    forbid(
      'no-room',
      'Every file of src/ belongs to a room',
      { path: '^src/', pathNot: `^src/(${any(Object.keys(ROOMS))})/` },
      {},
    ),
    forbid('no-cycle', 'No cycles, not even of types', { path: '^src/' }, { circular: true }),
    forbid('leave-src', 'src/ stands alone', { path: '^src/' }, { path: '^(test|scripts|dist)/' }),
    forbid('resolved', 'An import must lead somewhere', { path: '^src/' }, { couldNotResolve: true }),
    forbid(
      'no-dev-package',
      'What the program needs at run time is a dependency, not a devDependency',
      { path: '^src/' },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: 'node_modules/@types/' },
    ),
    forbid(
      'level',
      'LevelDB is known to store/ alone',
      { path: '^src/', pathNot: '^src/store/' },
      { path: packages(['level', 'classic-level', 'abstract-level']) },
    ),
    forbid(
      'koffi',
      'System calls are made in fuse/device/ and store/libc.ts alone',
      { path: '^src/', pathNot: '^src/(fuse/device/|store/libc\\.ts$)' },
      { path: packages(['koffi']) },
    ),
    forbid(
      'child-process',
      'Processes are started by fuse/device/, daemon/ and cli/ alone',
      { path: '^src/', pathNot: '^src/(fuse/device|daemon|cli)/' },
      { path: nodeModules(['child_process']) },
    ),
    forbid(
      'no-files',
      'The core reaches the disk through store/ alone; format/ is pure',
      { path: '^src/(format|tree|volume|vfs)/' },
      { path: nodeModules(['fs']) },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
    },
  },
};
