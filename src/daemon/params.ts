// Reading the parameters of a control request. They came over a socket, so nothing of them is taken on trust.

import { ProtocolError } from '../errors/index.ts';
import { isFields, type Fields } from './control/protocol.ts';

/** Longer than any path or comment that makes sense, short enough to keep. */
const STRING_LENGTH_MAX = 16 * 1024;
/** Longer than what fits into the arguments of a command. */
const LONG_STRING_LENGTH_MAX = 2 * 1024 * 1024;

function wrong(name: string, wanted: string): ProtocolError {
  return new ProtocolError(`parameter "${name}" should be ${wanted}`);
}

/** A string that must be there, without a zero byte (no name and no path has one). */
export function stringParam(params: Fields, name: string): string {
  const value = optionalString(params, name);
  if (value === undefined) throw wrong(name, 'a string');
  return value;
}

export function optionalString(params: Fields, name: string): string | undefined {
  const value = params[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value.length > STRING_LENGTH_MAX || value.includes('\0'))
    throw wrong(name, 'a string');
  return value;
}

/** Like {@link stringParam}, for lists of names. */
export function longStringParam(params: Fields, name: string): string {
  const value = params[name];
  if (typeof value !== 'string' || value.length > LONG_STRING_LENGTH_MAX || value.includes('\0'))
    throw wrong(name, 'a string');
  return value;
}

export function numberParam(params: Fields, name: string): number {
  const value = optionalNumber(params, name);
  if (value === undefined) throw wrong(name, 'a whole number');
  return value;
}

/** A whole number from 0 on that is exact, or not there. */
export function optionalNumber(params: Fields, name: string): number | undefined {
  const value = params[name];
  if (value === undefined) return undefined;
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw wrong(name, 'a whole number');
  return value as number;
}

export function booleanParam(params: Fields, name: string): boolean {
  const value = optionalBoolean(params, name);
  if (value === undefined) throw wrong(name, 'true or false');
  return value;
}

export function optionalBoolean(params: Fields, name: string): boolean | undefined {
  const value = params[name];
  if (value !== undefined && typeof value !== 'boolean') throw wrong(name, 'true or false');
  return value;
}

/** One of `choices`, or not there. */
export function optionalChoice<Choice extends string>(
  params: Fields,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const value = params[name];
  if (value === undefined) return undefined;
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw wrong(name, `one of ${choices.join(', ')}`);
  return found;
}

export function fieldsParam(params: Fields, name: string): Fields {
  const value = params[name];
  if (!isFields(value)) throw wrong(name, 'an object');
  return value;
}
