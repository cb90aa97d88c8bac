import { claimAt } from '../../../src/base/claim-at.ts';
import { encodeList, encodeValue } from '../../../src/caller/encode.ts';
import { factTruth } from '../../../src/caller/roles/truth.ts';
import type { Fact } from '../../../src/policy/checked/types.ts';
import { kind as generic } from '../../../src/providers/generic.ts';
import type { Claims } from '../../../src/token/types.ts';

/** Pairs of actual and expected values, for the parts that depend on the engine's own regular expressions and
 * objects. */
export interface Sample {
  readonly name: string;
  readonly got: () => unknown;
  readonly wanted: unknown;
}

const encoded = (text: string, wanted: string): Sample => ({
  name: `the value ${JSON.stringify(text)}`,
  got: () => encodeValue(text),
  wanted,
});

const values: Sample[] = [
  encoded('', ''),
  encoded('alice', 'alice'),
  encoded('Anna O\'Hara <a@b.c>; "x" \\ ~!', 'Anna O\'Hara <a@b.c>; "x" \\ ~!'),
  encoded('Doe, Jane', 'Doe%2C Jane'),
  encoded('100%', '100%25'),
  encoded('%0d%0a', '%250d%250a'),
  encoded('a\r\nX-Forwarded-User: root', 'a%0D%0AX-Forwarded-User: root'),
  encoded('a\u0000b\tc\u007f', 'a%00b%09c%7F'),
  encoded(' a b ', '%20a b%20'),
  encoded('   ', '%20%20%20'),
  encoded('Zoë', 'Zo%C3%AB'),
  encoded('日本', '%E6%97%A5%E6%9C%AC'),
  encoded('a\u{1f600}b', 'a%F0%9F%98%80b'),
  encoded('\ud800', '%EF%BF%BD'),
  encoded('a\udc00b', 'a%EF%BF%BDb'),
  encoded('\udc00\ud800', '%EF%BF%BD%EF%BF%BD'),
  encoded('\ud83d\ud83d\ude00', '%EF%BF%BD%F0%9F%98%80'),
  encoded('\u0085\u2028\ufeff', '%C2%85%E2%80%A8%EF%BB%BF'),
  { name: 'a list', got: () => encodeList(['a', 'b,c', '', ' d']), wanted: 'a,b%2Cc,%20d' },
];

const claims: Claims = JSON.parse(
  `{"a":1,"a.b":2,"c":{"d":{"e":3},"d.e":4},"x.y":{"z":5},"x":{"y.z":6,"y":{"z":7}},"https://x.example/roles":["r"],
    "__proto__":{"p":8},"n":null,"list":["v"],"deep":{"__proto__":{"q":9}},"empty":{"":10},"f":{"g":false}}`,
);

const at = (path: string, wanted: unknown): Sample => ({
  name: `the claim ${path}`,
  got: () => claimAt(claims, path),
  wanted,
});

const paths: Sample[] = [
  at('a', 1),
  at('a.b', 2),
  at('c.d.e', 4),
  at('x.y.z', 5),
  at('https://x.example/roles', ['r']),
  at('n', null),
  at('f.g', false),
  at('empty.', 10),
  at('list.0', undefined),
  at('list.length', undefined),
  at('a.toString', undefined),
  at('toString', undefined),
  at('constructor.name', undefined),
  at('c.constructor', undefined),
  at('hasOwnProperty', undefined),
  // A member with that name belongs to the provider's claims; it is found, and nothing is inherited from it.
  at('__proto__.p', 8),
  at('p', undefined),
  at('deep.q', undefined),
  at('', undefined),
  at('.', undefined),
  at('..', undefined),
];

const context = {
  verified: { provider: 'okta', claims: {} as Claims, expires: 0, key: '' },
  kind: generic,
  roles: new Map<string, Fact>(),
  signin: { now: 199, assumed: false, until: 0 },
};

const place = { file: 'meshgate.yaml', line: 1, column: 1 };

const truth = (name: string, present: Claims, fact: Record<string, unknown>, wanted: unknown): Sample => ({
  name,
  got: () =>
    factTruth({ at: place, ...fact } as unknown as Fact, {
      ...context,
      verified: { ...context.verified, claims: present },
    }),
  wanted,
});

const facts: Sample[] = [
  truth('a group in the list', { groups: ['a', 'b'] }, { op: 'group', value: 'b' }, true),
  truth('a group not in the list', { groups: ['a'] }, { op: 'group', value: 'b' }, false),
  truth('no groups', {}, { op: 'group', value: 'b' }, undefined),
  truth('has a word of a string', { scp: 'a b' }, { op: 'has', claim: 'scp', value: 'b' }, true),
  truth('is like a pattern', { ref: 'a/b-1.x' }, { op: 'like', claim: 'ref', value: 'a/*-*.x' }, true),
  truth('is like none', { ref: 'a/b-1yx' }, { op: 'like', claim: 'ref', value: 'a/*-*.x' }, false),
  truth('signed in so', { acr: ['pwd', 'phr'] }, { op: 'acr', value: 'phr' }, true),
  truth('signed in so long ago', { auth_time: 100 }, { op: 'max_age', value: 100 }, true),
  truth('signed in longer ago', { auth_time: 99 }, { op: 'max_age', value: 100 }, false),
  truth('signed in at no time', { auth_time: '100' }, { op: 'max_age', value: 100 }, undefined),
  truth('is not a word of a string', { scp: 'a b' }, { op: 'is', claim: 'scp', value: 'b' }, false),
];

export const samples: readonly Sample[] = [...values, ...paths, ...facts];
