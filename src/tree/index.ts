// Copy-on-write B+trees and the versions that they belong to.
export { type ForestCheck, type ForestFix, checkForest } from './check-forest.ts';
export { IdSet } from './check-id-set.ts';
export { isShown, leafKey, ownBirths, ownLeaves } from './check-own.ts';
export { Pace } from './check-pace.ts';
export { checkRecord } from './check-records.ts';
export { StoredForest, eachStored } from './check-source.ts';
export { type BlockRun, type TreeContents, checkTree } from './check-tree.ts';
export { Cursor } from './cursor.ts';
export { Forest, type ForestOptions } from './forest.ts';
export type { Head } from './head.ts';
export { type ReclaimHost, Reclaimer } from './reclaim.ts';
export { type Rehearsal, rehearse, rehearseDelete } from './rehearsal.ts';
export type { ChangeListener, Tree } from './tree.ts';
export { type KeyRange, TreeDiff } from './tree-diff.ts';
export type { Version } from './versions.ts';
