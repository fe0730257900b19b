// How the command line reaches the stores: the second door of the daemon. Light: the core is loaded only where it is needed.
export {
  MAIN_VOLUME,
  SNAPDIR_CHOICES,
  type ChangeInfo,
  type Control,
  type DeletionInfo,
  type DiffInfo,
  type MountChoices,
  type MountInfo,
  type MountRequest,
  type PropertyInfo,
  type RestoreInfo,
  type SnapshotInfo,
  type StoreStatus,
  type VolumeInfo,
} from './methods.ts';
export type { CheckInfo, RepairInfo, ScrubInfo } from './health.ts';
export { mountOf, parseSource, readAmberMounts, type AmberMount } from './mount-table.ts';
export {
  checkUnopenable,
  hasStoreParts,
  initialiseStore,
  isStoreDirectory,
  openControl,
  openControlOfMount,
  repairHere,
} from './store-control.ts';
export { mountInBackground, mountInForeground } from './start-daemon.ts';
export { unmountDirectory } from './unmount-directory.ts';
