import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runTests } from '../../../src/cli/decide/policy-tests.ts';
import { formatError, parsePolicy, policyJsonSchemaText } from '../../../src/policy/index.ts';
import { providerKindNames } from '../../../src/providers/index.ts';
import { compile } from '../../../src/rules/compile.ts';

const docs = new URL('../../../docs/', import.meta.url);
const blocks = [...readFileSync(new URL('policy.md', docs), 'utf8').matchAll(/^```yaml\n(version: 1\n.*?)^```$/gms)];

test('docs/policy.md shows policies', () => {
  expect(blocks.length).toBeGreaterThanOrEqual(2);
});

test.each(blocks.map((block, index) => [index + 1, block[1] ?? ''] as const))(
  'policy %i of docs/policy.md',
  (_, text) => {
    const { policy, errors } = parsePolicy(text, 'policy.md');
    expect(errors.map(formatError)).toEqual([]);
    expect(policy?.hosts).toHaveLength(1);
  },
);

test('the policy of docs/meshes.md', () => {
  const text = readFileSync(new URL('meshes.md', docs), 'utf8');
  const { policy, errors } = parsePolicy(/^```yaml\n(version: 1\n.*?)^```$/ms.exec(text)?.[1] ?? '', 'meshes.md');
  expect(errors.map(formatError)).toEqual([]);
  expect(Object.keys(policy?.meshes ?? {})).toEqual(['east', 'reports']);
});

test('the policy of docs/second-hop.md', () => {
  const text = readFileSync(new URL('second-hop.md', docs), 'utf8');
  const { policy, errors } = parsePolicy(/^```yaml\n(version: 1\n.*?)^```$/ms.exec(text)?.[1] ?? '', 'second-hop.md');
  expect(errors.map(formatError)).toEqual([]);
  if (policy === undefined) return;
  const outcomes = runTests({ policy, rules: compile(policy) }, 0);
  expect(outcomes.map(({ passed }) => passed)).toEqual([true, true]);
});

test('docs/policy.schema.json is the output of the command (write it again: meshgate schema > docs/policy.schema.json)', () => {
  expect(readFileSync(new URL('policy.schema.json', docs), 'utf8')).toBe(policyJsonSchemaText());
});

const kinds = readFileSync(new URL('providers.md', docs), 'utf8');
const lines = [...kinds.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text);

test('docs/providers.md has a section for each kind, and for no other', () => {
  expect([...kinds.matchAll(/^## (.+)$/gm)].map(([, name]) => name)).toEqual(providerKindNames);
});

test.each(lines.map((text, index) => [index + 1, text] as const))('lines %i of docs/providers.md', (_, text) => {
  const sections = text.startsWith('providers:') ? text : `providers:\n${text.replace(/^/gm, '  ')}`;
  const role = /^ {2}(\w+):/m.exec(sections.split('\nroles:')[1] ?? '')?.[1] ?? 'authenticated';
  const rest = `services: { wiki: { url: "https://wiki:8443" } }\nhosts: { wiki.example.com: { /*: { service: wiki, allow: [${role}] } } }`;
  const open = sections.includes('accounts.google.com');
  const allow = open ? rest.replace('authenticated', 'people') : rest;
  const roles = open ? 'roles: { people: { claim: hd, is: example.com } }\n' : '';
  const { errors } = parsePolicy(`version: 1\n${sections}\n${roles}${allow}`, 'providers.md');
  expect(errors.map(formatError)).toEqual([]);
});
