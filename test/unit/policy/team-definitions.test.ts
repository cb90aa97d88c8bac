/** "Definitions without a use are no error in a policy with teams, because a file may use them tomorrow" (docs/teams.md). */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { errorsIn, PAY, PLATFORM } from './team-policy.ts';

type Tree = Record<string, Record<string, unknown>>;

interface Unused {
  readonly section: string;
  /** The place of the error in a policy without teams. */
  readonly path: string;
  readonly write: (policy: Tree) => unknown;
}

/** Something in each section that only the file of a team could use. */
const DEFINITIONS: readonly Unused[] = [
  { section: 'gateway', path: 'gateway.inner', write: ({ gateway }) => Object.assign(gateway!, { inner: INNER }) },
  { section: 'providers', path: 'providers.ci', write: () => {} },
  { section: 'roles', path: 'roles.deployer', write: () => {} },
  { section: 'agents', path: 'agents.search', write: ({ agents }) => Object.assign(agents!, { search: AGENT }) },
  {
    section: 'mesh',
    path: 'mesh.identities.other',
    write: ({ mesh }) => Object.assign(mesh!.identities as object, { other: IDENTITY }),
  },
  {
    section: 'meshes',
    path: 'meshes.other',
    write: (policy) => {
      policy.meshes = { default: policy.mesh, other: { ...policy.mesh, trust_domain: 'other.example' } };
      delete policy.mesh;
    },
  },
  { section: 'services', path: 'services.search', write: () => {} },
];

const INNER = { listen: 8444, client_ca_file: '/run/mesh/services.pem' };
const IDENTITY = { spiffe: 'spiffe://example.org/other', pem_file: '/run/mesh/other.pem' };
const AGENT = { match: { service: 'search' }, acts_for: ['staff'], hops: 1 };

/** Mistakes that no file of a team can mend. */
const MISTAKES: readonly Unused[] = [
  {
    section: 'headers',
    path: 'headers."X-Role".first_role.boss',
    write: (policy) => {
      policy.roles!.boss = { all: ['staff', { group: 'boss', provider: 'okta' }] };
      policy.headers = { 'X-Role': { first_role: { staff: 'Staff', boss: 'Boss' }, else: 'None' } };
    },
  },
  {
    section: 'hosts',
    path: 'hosts."wiki.example.com"."/*".headers."X-Other"',
    write: ({ hosts }) =>
      void Object.assign((hosts!['wiki.example.com'] as Tree)['/*']!, { headers: { 'X-Other': null } }),
  },
  {
    section: 'tests',
    path: 'tests[0].as.agent',
    write: (policy) => {
      const as = { provider: 'okta', claims: { sub: 'ann' }, agent: 'bot' };
      Object.assign(policy, { tests: [{ as, GET: 'https://wiki.example.com/', expect: 'role_missing' }] });
    },
  },
];

const NO_DEFINITIONS = ['version', 'profiles', 'teams'];

function textWith({ write }: Unused, hasTeams: boolean): string {
  const policy = parse(PLATFORM) as Tree;
  if (!hasTeams) delete policy.teams;
  write(policy);
  return stringify(policy, { aliasDuplicateObjects: false });
}

const unusedAt = ({ path }: Unused, errors: readonly string[]) =>
  errors.filter((error) => error.includes(` ${path}: no effect`));

test('each section of a policy is in a table of this file', () => {
  const { properties } = JSON.parse(readFileSync('docs/policy.schema.json', 'utf8'));
  const listed = [...DEFINITIONS, ...MISTAKES].map(({ section }) => section);
  expect([...listed, ...NO_DEFINITIONS].sort()).toEqual(Object.keys(properties).sort());
});

describe('a definition without a use', () => {
  test.each(DEFINITIONS.map((it) => [it.section, it] as const))('is an error without teams: %s', (_, it) => {
    expect(unusedAt(it, errorsIn({ platform: textWith(it, false) }))).toHaveLength(1);
  });

  test.each(DEFINITIONS.map((it) => [it.section, it] as const))('is no error in a policy with teams: %s', (_, it) => {
    expect(unusedAt(it, errorsIn({ platform: textWith(it, true) }))).toEqual([]);
  });

  test('is an error in the file of a team', () => {
    const pay = PAY.replace('roles:\n', 'roles:\n  pay.unused: { group: unused, provider: okta }\n');
    expect(errorsIn({ pay })).toEqual([
      'teams/pay.yaml:2:3 team pay roles."pay.unused": no effect: nothing uses this role; use it in an allow, or remove it',
    ]);
  });
});

test.each(MISTAKES.map((it) => [it.section, it] as const))(
  'what no team could use has no effect, also in a policy with teams: %s',
  (_, it) => {
    for (const hasTeams of [false, true]) {
      expect(unusedAt(it, errorsIn({ platform: textWith(it, hasTeams) }))).toHaveLength(1);
    }
  },
);
