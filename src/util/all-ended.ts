/**
 * As `Promise.all`, but it ends when the last of `works` has ended, also where another one failed before. For work on a buffer: it may be used
 * again only when nothing writes into it any more, or what is still under way ends up in somebody else's answer. Rejects with what the
 * first of those that failed, in the order of `works`, failed with.
 */
export async function allEnded(works: readonly Promise<unknown>[]): Promise<void> {
  for (const work of await Promise.allSettled(works)) {
    if (work.status === 'rejected') throw work.reason;
  }
}
