// Puts sets of handlers together: for stored files, for `.snapshots`, for the symlink in there; and sees to it that a change comes
// through only where the mount takes changes, and that the store is not flooded.

import { ERRNO } from '../errors/index.ts';
import type { FuseHandlers, Reply, Request } from '../fuse/index.ts';
import { assert } from '../util/index.ts';
import type { Bridge } from './bridge.ts';
import { LATEST_NODE_HI, isSyntheticNode } from './node-ids.ts';

/** The operations on nodes: all but those of the session itself. */
type Operation = Exclude<keyof FuseHandlers, 'init' | 'destroy' | 'forget' | 'beforeAnswer' | 'retryAfter'>;

/** Every handler of an operation looks like this; those without a body get their reply second. */
type AnyHandler = (request: Request, second: unknown, third: unknown) => void;

/** Operations that change something. OPEN may do so too and checks by itself. */
const CHANGES: ReadonlySet<Operation> = new Set<Operation>([
  ...(['setattr', 'symlink', 'link', 'mknod', 'mkdir', 'unlink', 'rmdir', 'rename'] as const),
  ...(['create', 'tmpfile', 'write', 'fallocate', 'copyFileRange', 'setxattr', 'removexattr'] as const),
]);

/** Those that add names or attributes. What file contents may take the data file knows. */
const GROWS: ReadonlySet<Operation> = new Set<Operation>([
  ...(['symlink', 'link', 'mknod', 'mkdir', 'create', 'tmpfile', 'setxattr'] as const),
]);

/**
 * Handlers that serve `.snapshots` by `snapdir`, the symlink in there by `latest`, and everything else by `files`. An
 * operation that `files` has not is not handled at all; one that `latest` has not is for directories or files.
 */
export function route(bridge: Bridge, files: FuseHandlers, snapdir: FuseHandlers, latest: FuseHandlers): FuseHandlers {
  const routed: Partial<Record<Operation, AnyHandler>> = {};
  for (const operation of Object.keys(files) as Operation[]) {
    const onFile = files[operation] as AnyHandler;
    const onSnapdir = snapdir[operation] as AnyHandler | undefined;
    assert(onSnapdir !== undefined, `${operation} has a handler for .snapshots too`);
    const onLatest = (latest[operation] as AnyHandler | undefined) ?? noDirectory;
    const onSynthetic: AnyHandler = (request, second, third) => {
      (request.nodeHi === LATEST_NODE_HI ? onLatest : onSnapdir)(request, second, third);
    };
    const routedOne: AnyHandler = CHANGES.has(operation)
      ? routeChange(bridge, onFile, onSynthetic, GROWS.has(operation))
      : (request, second, third) => {
          if (isSyntheticNode(request.nodeHi, request.nodeLo)) onSynthetic(request, second, third);
          else onFile(request, second, third);
        };
    const changing = CHANGES.has(operation) || operation === 'open';
    routed[operation] = (request, second, third) => {
      try {
        routedOne(request, second, third);
      } catch (error) {
        bridge.view.volumes.noteDamage(error, changing);
        throw error;
      }
    };
  }
  return routed as FuseHandlers;
}

function noDirectory(_request: Request, second: unknown, third: unknown): void {
  ((third ?? second) as Reply).error(ERRNO.ENOTDIR);
}

function routeChange(bridge: Bridge, onFile: AnyHandler, onSynthetic: AnyHandler, grows: boolean): AnyHandler {
  return (request, second, third) => {
    bridge.checkWritable();
    if (isSyntheticNode(request.nodeHi, request.nodeLo)) {
      onSynthetic(request, second, third);
    } else {
      if (grows) bridge.checkRoom(request.nodeHi);
      onFile(request, second, third);
    }
    bridge.easePressure();
  };
}
