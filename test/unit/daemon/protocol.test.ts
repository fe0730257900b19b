import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssertionError } from '../../../src/util/index.ts';
import { FsError, ProtocolError } from '../../../src/errors/index.ts';
import {
  CONTROL_VERSION,
  ControlError,
  LineSplitter,
  decodeAnswer,
  decodeRequest,
  encodeLine,
  encodeRequest,
  faultOf,
} from '../../../src/daemon/control/protocol.ts';

describe('lines', () => {
  test('come out whole however the bytes arrive', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.integer({ min: 1, max: 7 }), (texts, step) => {
        const lines = texts.map((text) => text.replaceAll('\n', ''));
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
        const splitter = new LineSplitter(1000);
        const found: string[] = [];
        for (let at = 0; at < bytes.length; at += step) found.push(...splitter.push(bytes.subarray(at, at + step)));
        expect(found).toEqual(lines.map((text) => Buffer.from(text).toString()));
        expect(splitter.partial).toBe(false);
      }),
    );
  });

  test('are bounded, also without an end', () => {
    const splitter = new LineSplitter(10);
    expect(splitter.push(Buffer.from('0123456789\n'))).toEqual(['0123456789']);
    splitter.push(Buffer.from('01234'));
    expect(() => splitter.push(Buffer.from('567890'))).toThrow(ProtocolError);
  });
});

describe('a request', () => {
  test('comes back as it went', () => {
    const request = { id: 7, method: 'snapshot.create', params: { volume: 'main', name: 'a\nb "c"' } };
    const line = encodeRequest(request);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(decodeRequest(line)).toEqual(request);
  });

  const good = { v: CONTROL_VERSION, id: 1, method: 'status', params: {} };
  test.each([
    'x',
    '[]',
    'null',
    '"x"',
    '',
    JSON.stringify({ ...good, v: CONTROL_VERSION + 1 }),
    JSON.stringify({ ...good, v: undefined }),
    JSON.stringify({ ...good, id: -1 }),
    JSON.stringify({ ...good, id: 1.5 }),
    JSON.stringify({ ...good, id: '1' }),
    JSON.stringify({ ...good, method: 3 }),
    JSON.stringify({ ...good, params: [] }),
    JSON.stringify({ ...good, params: null }),
  ])('%s is refused', (line) => {
    expect(() => decodeRequest(line)).toThrow(ProtocolError);
  });
});

describe('an answer', () => {
  test('carries a result or an error', () => {
    expect(decodeAnswer(encodeLine({ id: 3, result: [1] }))).toEqual({ id: 3, result: [1] });
    const error = faultOf(new FsError('EBUSY', 'test-reason', 'in use'));
    expect(error).toEqual({ code: 'EBUSY', reason: 'test-reason', message: 'in use' });
    expect(decodeAnswer(encodeLine({ id: 3, error }))).toEqual({ id: 3, error });
    expect(faultOf(new ControlError(error))).toEqual(error);
  });

  test('of another form is refused', () => {
    for (const answer of [{ result: 1 }, { id: 1, error: 'x' }, { id: 1, error: { code: 1 } }]) {
      expect(() => decodeAnswer(JSON.stringify(answer))).toThrow(ProtocolError);
    }
  });

  test('tells a mistake of the asker from one of ours', () => {
    expect(faultOf(new ProtocolError('no')).reason).toBe('control-request-malformed');
    expect(faultOf(new AssertionError('no')).reason).toBe('internal');
  });
});
