import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CorruptionError, FsError } from '../../../src/errors/index.ts';
import { createStoreFormat, decodeStoreFormat, encodeStoreFormat } from '../../../src/format/store-format.ts';

const UUID = '3f2b8c1e-5a7d-4e90-9b1c-0d6f4a2e8b75';
const FORMAT = createStoreFormat(UUID, '2026-01-31T12:00:00.000Z');
const change = (fields: object): string => JSON.stringify({ ...FORMAT, ...fields });

describe('format.json', () => {
  it('has the text of the example in the format document', () => {
    const document = readFileSync(new URL('../../../src/format/FORMAT.md', import.meta.url), 'utf8');
    const example = /<!-- example: format.json -->\s+```json\n([^`]+)```/.exec(document)![1]!;
    expect(encodeStoreFormat(FORMAT)).toBe(example);
    expect(decodeStoreFormat(example, 'example')).toEqual(FORMAT);
  });

  it('may have fields that this program does not know', () => {
    expect(decodeStoreFormat(change({ colour: 'amber' }), 'x')).toEqual(FORMAT);
  });

  it('of a newer format is refused, whatever else it says', () => {
    for (const text of ['{"format": 4}', change({ format: 4, uuid: 5 })]) {
      const error = (() => {
        try {
          return decodeStoreFormat(text, 'format.json');
        } catch (thrown) {
          return thrown;
        }
      })();
      expect(error).toBeInstanceOf(FsError);
      expect(error).toMatchObject({ code: 'EOPNOTSUPP', reason: 'store-format-unsupported' });
      expect((error as Error).message).toMatch(/format 4.*format 3.*newer amberfs/);
    }
  });

  it('is refused with what is wrong where it is damaged', () => {
    const cases: [string, RegExp][] = [
      ['', /not JSON/],
      ['{"format": 2', /not JSON/],
      ['[1]', /not a JSON object/],
      ['null', /not a JSON object/],
      ['{}', /"format"/],
      [change({ format: '2' }), /"format"/],
      [change({ uuid: 'x' }), /uuid/],
      [change({ created: 'yesterday' }), /created/],
      [change({ program: 1 }), /"program"/],
      [change({ blockBytes: 512 }), /blockBytes 512/],
      [change({ regionBlocks: 1.5 }), /"regionBlocks"/],
    ];
    for (const [text, why] of cases) {
      expect(() => decodeStoreFormat(text, 'format.json')).toThrow(CorruptionError);
      expect(() => decodeStoreFormat(text, 'format.json')).toThrow(why);
    }
  });
});
