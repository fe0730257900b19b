// Puts two sets of handlers together: one for stored files, one for `.snapshots`; and sees to it that a change comes
// through only where the mount takes changes, and that the store is not flooded.

import type { FuseHandlers, Request } from '../fuse/index.ts';
import { assert } from '../util/index.ts';
import type { Bridge } from './bridge.ts';
import { isSnapdirNode } from './node-ids.ts';

/** The operations on nodes: all but those of the session itself. */
type Operation = Exclude<keyof FuseHandlers, 'init' | 'destroy' | 'forget'>;

/** Every handler of an operation looks like this; those without a body get their reply second. */
type AnyHandler = (request: Request, second: unknown, third: unknown) => void;

/** Operations that change something. OPEN may do so too and checks by itself. */
const CHANGES: ReadonlySet<Operation> = new Set<Operation>([
  ...(['setattr', 'symlink', 'link', 'mknod', 'mkdir', 'unlink', 'rmdir', 'rename'] as const),
  ...(['create', 'tmpfile', 'write', 'fallocate', 'copyFileRange', 'setxattr', 'removexattr'] as const),
]);

/**
 * Handlers that serve `.snapshots` by `snapdir` and everything else by `files`. An operation that `files` has not is
 * not handled at all.
 */
export function route(bridge: Bridge, files: FuseHandlers, snapdir: FuseHandlers): FuseHandlers {
  const routed: Partial<Record<Operation, AnyHandler>> = {};
  for (const operation of Object.keys(files) as Operation[]) {
    const onFile = files[operation] as AnyHandler;
    const onSnapdir = snapdir[operation] as AnyHandler | undefined;
    assert(onSnapdir !== undefined, `${operation} has a handler for .snapshots too`);
    routed[operation] = CHANGES.has(operation)
      ? routeChange(bridge, onFile, onSnapdir)
      : (request, second, third) => {
          if (isSnapdirNode(request.nodeHi, request.nodeLo)) onSnapdir(request, second, third);
          else onFile(request, second, third);
        };
  }
  return routed as FuseHandlers;
}

function routeChange(bridge: Bridge, onFile: AnyHandler, onSnapdir: AnyHandler): AnyHandler {
  return (request, second, third) => {
    bridge.checkWritable();
    if (isSnapdirNode(request.nodeHi, request.nodeLo)) onSnapdir(request, second, third);
    else onFile(request, second, third);
    bridge.easePressure();
  };
}
