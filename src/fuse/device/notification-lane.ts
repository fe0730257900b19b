// One lane for all notifications of the process. A notification may hold its thread until the kernel has the locks it needs, which can
// take until we have answered other requests; with one per mount at a time a few mounts could fill the thread pool (four threads)
// and so stop the very reads that those answers wait for.

let lane: Promise<unknown> = Promise.resolve();

/** Runs `task` after all earlier ones, however they ended; gives what it gives, and rejects as it does. */
export function sendInLane<Result>(task: () => Promise<Result>): Promise<Result> {
  const result = lane.then(task);
  lane = result.catch(() => undefined);
  return result;
}
