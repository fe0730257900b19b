// Small helpers without any dependency, for every room.
export { allEnded } from './all-ended.ts';
export { AssertionError, assert } from './assert.ts';
export {
  U32_SPAN,
  U48_MAX,
  compareBytes,
  equalBytes,
  get16,
  get32,
  get48,
  getI64,
  put16,
  put32,
  put48,
  putI64,
} from './bytes.ts';
export { systemClock, type Clock, type Timespec } from './clock.ts';
export { parseSize } from './size-text.ts';
export { noLog, type Log } from './log.ts';
