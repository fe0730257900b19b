/** Where a room says what a person should know. The daemon decides where the lines go. */
export interface Log {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Says nothing: for tools and tests that look at results instead. */
export const noLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
