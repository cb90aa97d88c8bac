/** Changes of Istio's rules without effect are proved, and the proof can fail. */
import { describe, expect, test } from 'vitest';
import { partsOf } from '../../../mesh/matrix/istio.ts';
import { ISTIO_ALTERNATIVES } from '../../../mesh/matrix/istio-equivalents.ts';
import { formsOf } from '../../../mesh/matrix/istio-forms.ts';
import { istioSubjects } from '../../../mesh/matrix/istio-policies.ts';
import { isSameForAll } from '../../../mesh/matrix/istio-same.ts';
import { mutantsOf } from '../../../mesh/matrix/mutants.ts';

const subjects = await istioSubjects('https://issuers:8443/acme');
const [demo] = subjects;
const [ingress, wiki, dashboard] = partsOf(demo!, '{"keys":[]}');

/** Whether a mutant of a part means the same, by the path of its field and the change. */
function same(part: typeof ingress, object: string, path: string, change: string): boolean {
  const { objects } = part!;
  const { mutants } = mutantsOf(objects, [], [], ISTIO_ALTERNATIVES);
  const found = mutants.find(
    (it) => it.object.replace(/\.[0-9a-f]{16}$/, '').endsWith(object) && it.path === path && it.change === change,
  );
  if (found === undefined) throw new Error(`no ${object}/${path} ${change}`);
  return isSameForAll(objects, found);
}

describe('a changed rule of Istio lets the same requests pass', () => {
  const atWiki = 'AuthorizationPolicy edge/meshgate-ingress-wiki';
  test.each([
    // A prefix of the root matches every path.
    ['spec/rules/0/to/0/operation/paths', 'dropped'],
    // One issuer is verified.
    ['spec/rules/0/when/0', 'element dropped'],
  ])('if the removed part has no effect: %s %s', (path, change) => {
    expect(same(ingress, atWiki, path, change)).toBe(true);
  });

  test('if another rule allows the same requests', () => {
    // `anyone` may read the dashboard, as the shared identity.
    expect(
      same(dashboard, 'AuthorizationPolicy dashboard/meshgate-workload-dashboard', 'spec/rules/2', 'element dropped'),
    ).toBe(true);
  });

  test.each([
    ['spec/rules/0', 'element dropped'],
    ['spec/rules/0/from', 'dropped'],
    ['spec/rules/0/from/0/source/principals/0', 'changed'],
    ['spec/rules/0/to/0/operation/hosts', 'dropped'],
    ['spec/rules/1/to/0/operation/methods', 'dropped'],
    ['spec/rules/1/to/0/operation/methods/1', 'element dropped'],
    ['spec/rules/1/to/0/operation/notPaths/2', 'element dropped'],
    ['spec/rules/0/when', 'dropped'],
    ['spec/rules/0/when/1', 'element dropped'],
    ['spec/rules/0/when/2', 'element dropped'],
    ['spec/rules/0/when/3', 'element dropped'],
    ['spec/rules/0/when/3/values/0', 'changed'],
  ])('in no other case: %s %s', (path, change) => {
    expect(same(ingress, atWiki, path, change)).toBe(false);
  });

  test('without the audience, if the workload accepts no other', () => {
    const object = 'AuthorizationPolicy wiki/meshgate-workload-wiki';
    expect(same(wiki, object, 'spec/rules/0/when/1', 'element dropped')).toBe(true);
    expect(same(wiki, object, 'spec/rules/0/when/2', 'element dropped')).toBe(false);
  });

  test('only if the change is in a rule', () => {
    expect(same(ingress, atWiki, 'spec/selector', 'dropped')).toBe(false);
    expect(same(ingress, atWiki, 'metadata/namespace', 'changed')).toBe(false);
  });
});

test('forms are fields and their values, without names', () => {
  const forms = formsOf(wiki!.objects);
  expect(forms).toContain('PeerAuthentication/mtls/mode x');
  expect(forms).toContain('AuthorizationPolicy/rules/to/operation/notPaths /x/*');
  expect(forms).toContain('AuthorizationPolicy/rules/when/key request.auth.claims[roles]');
  expect([...forms].filter((it) => it.includes('wiki'))).toEqual([]);
});
