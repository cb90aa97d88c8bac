import { describe, expect, test } from 'vitest';
import { compile } from '../../../../src/rules/compile.ts';
import { bootstrap } from '../../../../src/targets/envoy/bootstrap.ts';
import { envoyDrift } from '../../../../src/targets/envoy/drift.ts';
import { ALLOW_FILTER } from '../../../../src/targets/envoy/rbac.ts';
import { policiesIn, rulesInEnvoy } from '../../../../src/targets/envoy/read.ts';
import { policyFor } from '../members-policy.ts';

// biome-ignore lint/suspicious/noExplicitAny: the whole of Envoy's configuration
type Any = any;

const own = policyFor('envoy');
const rules = compile(own);
const tree = (): Any => JSON.parse(JSON.stringify(bootstrap(own, rules, own.mesh!.ingress.own!)));

/** A part of the first rule that has it, in any place. */
function find(node: Any, has: (it: Any) => boolean): Any {
  if (typeof node !== 'object' || node === null) return undefined;
  if (has(node)) return node;
  for (const child of Object.values(node)) {
    const found = find(child, has);
    if (found !== undefined) return found;
  }
  return undefined;
}

const header = (name: string) => (it: Any) => it.name === name && it.string_match !== undefined;

describe('a member that means something else to Envoy is not read, and its path is reported', () => {
  test.each<[string, (it: Any) => boolean, Any, string]>([
    [
      'another method',
      header(':method'),
      { invert_match: true },
      '.header.invert_match is true, which meshgate does not render',
    ],
    ['another host', header(':authority'), { invert_match: true }, '.header.invert_match is true'],
    [
      'a missing header',
      header(':method'),
      { treat_missing_header_as_empty: true },
      '.treat_missing_header_as_empty is true',
    ],
    ['any case', (it) => typeof it.exact === 'string', { ignore_case: true }, '.ignore_case is true'],
    ['another identity', (it) => it.san_type === 'URI', { oid: '1' }, '.san_matcher.oid is "1"'],
    [
      'another claim',
      (it) => it.filter !== undefined && it.path !== undefined,
      { invert: true },
      '.metadata_matcher.invert is true',
    ],
    [
      'a condition',
      (it) => it.permissions !== undefined,
      { condition: {} },
      'condition is {}, which meshgate does not render',
    ],
  ])('%s', (_, has, more, message) => {
    const live = tree();
    Object.assign(find(policiesIn(live), has), more);
    expect(() => rulesInEnvoy(live)).toThrow(message);
  });
});

test('parts beside the rules are reported', () => {
  const lines = (change: (filter: Any) => void) => {
    const live = tree();
    change(find(live, (it) => it.name === ALLOW_FILTER));
    return envoyDrift(own, rules, {}, { a: JSON.stringify(live) });
  };
  expect(lines(() => {})).toEqual([]);
  expect(lines(({ typed_config }) => (typed_config.shadow_rules = {}))).toEqual([
    expect.stringMatching(/typed_config\.shadow_rules is \{\}, which meshgate does not render$/),
  ]);
  expect(lines((filter) => (filter.disabled = true))).toEqual([expect.stringMatching(/\.disabled is true, which/)]);
});

test('a second document is reported', () => {
  const text = JSON.stringify(tree());
  expect(envoyDrift(own, rules, {}, { a: text, b: text })).toEqual([
    'there is more than one document, and Envoy reads only the first',
  ]);
});
