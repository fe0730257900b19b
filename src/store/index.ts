// The store: LevelDB, the data file and which of its blocks are in use, the journal. The only room that does I/O on stored bytes.
export { BlockAllocator } from './block-allocator.ts';
export type { BlockFile } from './block-file.ts';
export { Blocks } from './blocks.ts';
export { Committer, type CommitParticipant, type CommitterOptions } from './committer.ts';
export { hostRoom, hostSpace } from './host-space.ts';
export { initStore } from './init-store.ts';
export { type JournalFile, LANES, type Lane } from './journal-file.ts';
export { Journal } from './journal.ts';
export type { Batch, KeyValue, KeyValuePair, ReadView, Reads } from './kv.ts';
export { eachRecord } from './each-record.ts';
export { openLedger } from './ledger.ts';
export { LEDGER_SPACES, LedgerTally } from './ledger-tally.ts';
export { mallocTrim } from './libc.ts';
export { type OpenStore, damagedStore, openStore } from './store.ts';
