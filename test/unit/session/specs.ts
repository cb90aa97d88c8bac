import { readRing } from '../../../src/session/keys/ring.ts';
import { open, seal } from '../../../src/session/keys/seal.ts';
import { ringKey, ringOf } from './rings.ts';

/** The parts of the engine that sealing depends on; the same list runs in Node and inside njs. */

export interface SessionSpec {
  readonly name: string;
  readonly got: () => Promise<unknown>;
  readonly wanted: unknown;
}

const now = 1_790_000_000;
const day = 86400;
const plain = 'Zürich: {"a":["€","\u{1f511}"]}';

/** Sealed by Node with exactly this ring: every engine must read it in the same way. */
const known = {
  ring: [['k1', 1]],
  text: 'k1.20717.5laYVE9DR7YgasJis9O8IerrQKYYd2jiFMybC4aeEUQGoxRjgY8hv8bmBPBfs1Qd-ovwCczCSYiA',
} as const;

const spec = (name: string, wanted: unknown, got: () => Promise<unknown>): SessionSpec => ({ name, wanted, got });

const sealedHere = async () => seal(await ringOf(['k1', 1]), 'session', 'wiki.example.com', plain, now);

export const sessionSpecs: readonly SessionSpec[] = [
  spec('what is sealed opens', plain, async () =>
    open(await ringOf(['k1', 1]), 'session', 'wiki.example.com', await sealedHere()),
  ),
  spec('what another engine sealed opens', plain, async () =>
    open(await ringOf(...known.ring), 'session', 'wiki.example.com', known.text),
  ),
  spec('an empty text', '', async () => {
    const ring = await ringOf(['k1', 1]);
    return open(ring, 'state', '', await seal(ring, 'state', '', '', now));
  }),
  spec('a ring that has moved on opens still', plain, async () =>
    open(await ringOf(['k2', 2], ['k1', 1]), 'session', 'wiki.example.com', await sealedHere()),
  ),
  spec('a ring without the key', undefined, async () =>
    open(await ringOf(['k2', 2]), 'session', 'wiki.example.com', await sealedHere()),
  ),
  spec('another key of the same name', undefined, async () =>
    open(await ringOf(['k1', 2]), 'session', 'wiki.example.com', await sealedHere()),
  ),
  spec('another purpose', undefined, async () =>
    open(await ringOf(['k1', 1]), 'state', 'wiki.example.com', await sealedHere()),
  ),
  spec('another host', undefined, async () =>
    open(await ringOf(['k1', 1]), 'session', 'wiki.example.net', await sealedHere()),
  ),
  spec('another day', undefined, async () => {
    const text = await sealedHere();
    const other = text.replace(`.${Math.floor(now / day)}.`, `.${Math.floor(now / day) + 1}.`);
    return open(await ringOf(['k1', 1]), 'session', 'wiki.example.com', other);
  }),
  spec('each character counts', [], async () => {
    const ring = await ringOf(['k1', 1]);
    const text = await sealedHere();
    const opened: number[] = [];
    for (let i = 0; i < text.length; i++) {
      for (const other of ['A', 'B', '-', '.', '=', '/', '+', ' ', 'é', '']) {
        if (text[i] === other) continue;
        const altered = text.slice(0, i) + other + text.slice(i + 1);
        if ((await open(ring, 'session', 'wiki.example.com', altered)) !== undefined) opened.push(i);
      }
    }
    return opened;
  }),
  spec('whatever is cut off or put on', [], async () => {
    const ring = await ringOf(['k1', 1]);
    const text = await sealedHere();
    const opened: string[] = [];
    for (let i = 0; i < text.length; i++) {
      for (const part of [text.slice(0, i), text.slice(i + 1), text + text.slice(0, i)]) {
        if (part === text) continue;
        if ((await open(ring, 'session', 'wiki.example.com', part)) !== undefined) opened.push(part);
      }
    }
    return opened;
  }),
  spec('an object of any name is no key', undefined, async () =>
    open(await ringOf(['k1', 1]), 'session', '', `__proto__.20717.${'A'.repeat(80)}`),
  ),
  spec('what is wrong with a ring', 'two keys have the same "kid"', () =>
    readRing(JSON.stringify({ keys: [ringKey('a', 1), ringKey('a', 2)] }), 0),
  ),
];
