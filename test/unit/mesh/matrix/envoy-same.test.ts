/** Changes of Envoy's rules without effect are proved, and the proof can fail. */
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { envoy } from '../../../../src/targets/envoy/index.ts';
import { isSameForAll } from '../../../mesh/matrix/envoy-same.ts';
import { mutantsOf } from '../../../mesh/matrix/mutants.ts';
import { envoySubjects } from '../../../mesh/matrix/policies.ts';

const subjects = await envoySubjects('https://issuers:8443/acme');

/** Mutants of one rule, as the path in it and the change. */
function same(name: string, rule: string, fits: (path: string) => boolean = () => true): readonly string[] {
  const { policy, rules } = subjects.find((subject) => subject.name === name)!;
  const value = parse(envoy.emit(policy, rules).files['envoy.yaml']!);
  const at = `/policies/${rule}`;
  return mutantsOf([{ name: 'envoy.yaml', value }]).mutants.flatMap((mutant) => {
    const index = mutant.path.indexOf(at);
    const path = mutant.path.slice(index + at.length + 1);
    const changed = index >= 0 && fits(path) && !/@type|custom\/name/.test(path);
    return changed && isSameForAll(value, mutant) ? [`${path} ${mutant.change}`] : [];
  });
}

describe('demo, by certificate only', () => {
  const name = 'demo, by certificate only';

  test('a rule that another one covers may lose any part, and gain none', () => {
    const found = same(name, 'dashboard.localhost/*#3');
    expect(found).toContain(' dropped');
    expect(found).toContain('permissions/0/and_rules/rules/1/url_path/path/prefix changed');
    // With another authority it would allow requests that no rule allows.
    expect(found).not.toContain('permissions/0/and_rules/rules/0 element dropped');
  });

  test('a rule that stands alone may lose no part', () => {
    expect(same(name, 'wiki.localhost/rest/*#3')).toEqual([]);
    expect(same(name, 'wiki.localhost/status#1')).toEqual([]);
  });
});

test('a path that every request has is not a condition, and neither is an exception that affects no other caller', () => {
  const found = same('confluence', 'wiki.example.com/rest/*#1', (path) => path.includes('permissions'));
  expect(found.length).toBeGreaterThan(0);
  expect(found.every((it) => it.startsWith('permissions/0/and_rules/rules/2/not_rule/or_rules/rules/1'))).toBe(true);
});

test('the claims of an assertion are conditions: role, identity, agent', () => {
  const found = same('agents', 'dashboard.example.com/*#3.1', (path) => path.includes('principals'));
  expect(found).toEqual([]);
});

test('a change elsewhere is not proved harmless', () => {
  const { policy, rules } = subjects[0]!;
  const value = parse(envoy.emit(policy, rules).files['envoy.yaml']!);
  const elsewhere = mutantsOf([{ name: 'envoy.yaml', value }]).mutants.filter(
    ({ path }) => !path.includes('/policies/'),
  );
  expect(elsewhere.filter((mutant) => isSameForAll(value, mutant)).map(({ path }) => path)).toEqual([]);
});
