import { ProtocolError } from '../../errors/index.ts';
import type { Fields } from '../control/protocol.ts';
import { optionalString } from '../params.ts';

/** One line that can be read, with room for the longest user name of Linux: no control characters, no line breaks. */
const MAKER = /^[^\p{C}\p{Zl}\p{Zp}]{1,256}$/u;

/** Parameter `by`: who makes a snapshot, as the asker says. Throws ProtocolError where that is no short printable text. */
export function optionalMaker(params: Fields): string | undefined {
  const by = optionalString(params, 'by');
  if (by !== undefined && !MAKER.test(by)) {
    throw new ProtocolError('parameter "by" should be 1 to 256 printable characters');
  }
  return by;
}
