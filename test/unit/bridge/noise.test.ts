// Goal: whatever the kernel sends, the files stay whole: no request throws out of the bridge, none is left without its answer, none is taken
// for a mistake of ours, and the full check finds nothing afterwards. Method: requests of every kind with wrong nodes, names, sizes and
// offsets, to a mount with a few files and a snapshot.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OPCODE } from '../../../src/fuse/index.ts';
import type { Log } from '../../../src/util/index.ts';
import { ROOT, openBridged, takeSnapshot, type BridgedMount } from '../../support/bridged-mount.ts';
import { ALL_REQUESTS } from '../../wire/fixtures/all-requests.ts';

/** Those that are no operation on files. */
const OF_THE_SESSION: readonly number[] = [OPCODE.FUSE_INIT, OPCODE.FUSE_DESTROY];
const NEVER_ANSWERED: readonly number[] = [OPCODE.FUSE_FORGET, OPCODE.FUSE_BATCH_FORGET, OPCODE.FUSE_INTERRUPT];

const requests = ALL_REQUESTS.map(({ bytes }) => bytes).filter(
  (bytes) => !OF_THE_SESSION.includes(bytes.readUInt32LE(4)),
);

/** Numbers at the borders of what fits: of bytes, signed and unsigned words, exact and inexact 64-bit values. */
const words = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 256, 257, 4095, 4096, 4097, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
  fc.nat(),
);
const texts = fc.constantFrom('.', '..', '.snapshots', 'a', 'd', '/', 'a/b', 'x'.repeat(255), 'x'.repeat(256), '\xff');

interface Noise {
  bytes: Buffer;
  node: bigint;
  changes: { at: number; word: number }[];
  text: string | undefined;
}

const noise = (nodes: readonly bigint[]): fc.Arbitrary<Noise> =>
  fc.record({
    bytes: fc.constantFrom(...requests),
    node: fc.oneof(fc.constantFrom(...nodes), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
    changes: fc.array(fc.record({ at: fc.nat(30), word: words }), { maxLength: 4 }),
    text: fc.option(texts, { nil: undefined }),
  });

/** The message that the kernel would have sent: whole, with a header that is right. */
function messageOf({ bytes, node, changes, text }: Noise, unique: bigint): Buffer {
  const message = Buffer.concat([bytes, ...(text === undefined ? [] : [Buffer.from(`${text}\0`, 'latin1')])]);
  for (const { at, word } of changes) if (40 + at * 4 + 4 <= message.length) message.writeUInt32LE(word, 40 + at * 4);
  message.writeUInt32LE(message.length, 0);
  message.writeBigUInt64LE(unique, 8);
  message.writeBigUInt64LE(node, 16);
  message.writeUInt16LE(0, 36);
  return message;
}

async function furnished(log: Log): Promise<{ bridged: BridgedMount; nodes: bigint[] }> {
  const bridged = await openBridged({ log });
  const { mount } = bridged;
  const { entry, fh } = mount.create(ROOT, 'a');
  mount.write(entry.node, fh, 0, Buffer.alloc(300_000, 1));
  const dir = mount.mkdir(ROOT, 'd').node;
  const inner = mount.create(dir, 'b').entry.node;
  const snapshot = await takeSnapshot(mount, 'kept');
  const old = mount.lookup(snapshot.node, 'a').node;
  mount.write(entry.node, fh, 5000, Buffer.alloc(100, 2));
  return { bridged, nodes: [ROOT, 2n, entry.node, dir, inner, snapshot.node, old, 3n, 4n, 255n, 1n << 32n] };
}

test('requests with wrong contents leave the files whole', async () => {
  const logged: string[] = [];
  const note = (message: string): void => void logged.push(message);
  const { bridged, nodes } = await furnished({ info: () => undefined, warn: note, error: note });
  const { mount, memory } = bridged;
  const { session } = mount;
  let answered = 0;
  const countReply = session.statistics.countReply.bind(session.statistics);
  session.statistics.countReply = (...args) => {
    answered++;
    countReply(...args);
  };
  let unique = 1_000_000n;
  await fc.assert(
    fc.asyncProperty(fc.array(noise(nodes), { minLength: 1, maxLength: 30 }), async (some) => {
      for (const one of some) {
        const message = messageOf(one, (unique += 2n));
        const before = answered;
        session.request.bytes.set(message);
        session.received(message.length);
        const late = session.deferredCount;
        expect(answered + late - before, `opcode ${message.readUInt32LE(4)}`).toBe(
          NEVER_ANSWERED.includes(message.readUInt32LE(4)) ? 0 : 1,
        );
        for (let turns = 0; session.deferredCount > 0 && turns < 100; turns++) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        expect(session.deferredCount).toBe(0);
      }
      // What is malformed or damaged is logged; a mistake of ours must not be.
      expect(logged.filter((line) => /AssertionError|TypeError|RangeError|CorruptionError/.test(line))).toEqual([]);
    }),
    { numRuns: Number(process.env['AMBERFS_FUZZ_RUNS'] ?? 1500) },
  );
  expect(memory.volumes.failure).toBeUndefined();
  mount.unmount();
  expect(await memory.check()).toEqual([]);
});
