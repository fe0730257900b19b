// The only joint of the protocol and the filesystem: nodeids, look-up counts, timeouts, deferred answers, invalidation.
export type { BridgeOptions, BridgeSession } from './bridge.ts';
export type { AfterRestore } from './restored.ts';
export { type BridgeHandlers, createHandlers } from './create-handlers.ts';
export { SESSION_OPTIONS } from './session-options.ts';
