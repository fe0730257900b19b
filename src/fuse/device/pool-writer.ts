// One lane for all notifications of the process. A notification may hold its thread of the pool until the kernel has the locks it needs,
// which can take until we have answered other requests; with one per mount at a time a few mounts could fill the pool (four threads)
// and so stop the very reads that those answers wait for.

let lane: Promise<unknown> = Promise.resolve();

/** Runs `task`, which must not reject, after all earlier ones. */
export function sendFromPool<Result>(task: () => Promise<Result>): Promise<Result> {
  const result = lane.then(task);
  lane = result;
  return result;
}
