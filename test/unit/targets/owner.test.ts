import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../src/policy/checked/types.ts';
import { objectName, ownerOf, prefixOf } from '../../../src/targets/kit/owner.ts';

const owner = (name: string, mesh = 'default') =>
  ownerOf({ gateway: { name }, mesh: { name: mesh } } as Pick<Policy, 'gateway' | 'mesh'>);

/** A label of DNS, which is also the value of a label of Kubernetes. */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const LONG = 'x'.repeat(63);
/** Names that a policy accepts, with everything that could make two names meet. */
const GATEWAYS = [
  'meshgate',
  'team',
  'team-a',
  'a',
  'a-ingress',
  'a-ingress-b',
  'workload',
  'meshgatex',
  'y'.repeat(40),
];
const OTHERS = [
  ...['default', 'a', 'b', 'a-', 'a--b', 'a---b', 'ingress', 'workload', 'ingress-b', 'ingress--b', 'team--ingress-b'],
  ...[
    'b---ingress-a',
    'b--ingress-a',
    `b-${'0'.repeat(16)}`,
    LONG,
    `${LONG.slice(1)}y`,
    `${LONG.slice(1)}-`,
    `${LONG.slice(2)}-0`,
  ],
];

describe('the owner of objects', () => {
  test.each([
    ['meshgate', undefined, 'meshgate'],
    ['team-a', undefined, 'team-a'],
    ['team-a', 'east', 'team-a---east'],
    ['meshgate', 'east', 'meshgate---east'],
  ])('%s, in the mesh %s, is %s', (name, mesh, expected) => {
    expect(owner(name, mesh)).toBe(expected);
  });

  test('is that of the gateway alone without a mesh', () => {
    expect(ownerOf({ gateway: { name: 'team-a' } } as Pick<Policy, 'gateway' | 'mesh'>)).toBe('team-a');
  });

  test('is different for each gateway and mesh, and valid as a label', () => {
    const all = GATEWAYS.flatMap((name) => OTHERS.map((mesh) => owner(name, mesh)));
    expect(new Set(all).size).toBe(GATEWAYS.length * OTHERS.length);
    expect(all.filter((it) => !LABEL.test(it))).toEqual([]);
  });

  test('begins the names of its objects, and no names of another owner', () => {
    const prefixes = GATEWAYS.flatMap((name) => OTHERS.map((mesh) => prefixOf(owner(name, mesh))));
    // A name of the policy follows, which begins with a letter.
    const meeting = prefixes.flatMap((one) =>
      prefixes.filter((other) => other !== one && other.startsWith(one) && /^[a-z]/.test(other.slice(one.length))),
    );
    expect(meeting).toEqual([]);
  });
});

describe('the name of an object', () => {
  test.each([
    ['meshgate', ['ingress', 'wiki'], 'meshgate-ingress-wiki'],
    ['team-a', ['ingress'], 'team-a--ingress'],
    ['team-a---east', ['workload', 'wiki'], 'team-a---east--workload-wiki'],
  ])('of %s is made of its parts %j', (owner, parts, expected) => {
    expect(objectName(owner, ...parts)).toBe(expected);
  });

  test('is different for each gateway, mesh, layer and service, and a label of DNS', () => {
    const all = GATEWAYS.flatMap((name) =>
      OTHERS.flatMap((mesh) => {
        const own = owner(name, mesh);
        const ofServices = OTHERS.flatMap((it) => [objectName(own, 'ingress', it), objectName(own, 'workload', it)]);
        return [objectName(own, 'ingress'), ...ofServices];
      }),
    );
    expect(new Set(all).size).toBe(GATEWAYS.length * OTHERS.length * (1 + 2 * OTHERS.length));
    expect(all.filter((it) => !LABEL.test(it))).toEqual([]);
  });

  test('ends with a hash if it is too long, ends with a dash, or looks like such a name', () => {
    const hashed = (service: string) => objectName('meshgate', 'workload', service);
    expect(hashed(LONG)).toMatch(/^meshgate-workload-x+-[0-9a-f]{16}$/);
    expect(hashed(LONG)).toHaveLength(63);
    expect(hashed('wiki-')).toMatch(/^meshgate-workload-wiki-[0-9a-f]{16}$/);
    expect(hashed(hashed('wiki-').replace('meshgate-workload-', ''))).not.toBe(hashed('wiki-'));
  });
});
