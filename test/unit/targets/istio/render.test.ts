import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Policy } from '../../../../src/policy/checked/types.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { istio } from '../../../../src/targets/istio/index.ts';
import { istioObjects } from '../../../../src/targets/istio/layers.ts';
import { LOG_PROVIDER } from '../../../../src/targets/istio/objects.ts';
import { patterns } from '../../../../src/targets/istio/rule.ts';
import { cases, golden, goldenPolicy, policyOf, render } from './golden.ts';

const demo = goldenPolicy('demo');
const text = readFileSync(golden('demo', 'policy.yaml'), 'utf8');
const rulesOf = (policy: Policy) => compile(policy);
const gapsOf = (policy: Policy) => render(policy).gaps.map(({ part, text }) => `${part}: ${text}`);

describe('paths as Istio’s patterns', () => {
  test.each([
    [{ prefix: '', except: [] }, ['/*']],
    [{ prefix: '/x', except: [] }, ['/x', '/x/*']],
    [{ exact: '/x' }, ['/x']],
  ])('%j', (path, expected) => {
    expect(patterns(path)).toEqual(expected);
  });
});

describe('names', () => {
  test.each(cases)('no two objects of %s have the same name', (name) => {
    const policy = goldenPolicy(name);
    const all = Object.values(istioObjects(policy, rulesOf(policy))).flat();
    const keys = all.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('the key set', () => {
  const jwks = '{"keys":[{"kty":"EC"}]}';
  const verifiers = (files: Readonly<Record<string, string>>) =>
    Object.values(files)
      .flatMap((file) => parseAllDocuments(file).map((it) => it.toJS()))
      .filter(({ kind }) => kind === 'RequestAuthentication');

  test('is fetched from the gateway', () => {
    const found = verifiers(render(demo).files).map(({ spec }) => spec.jwtRules[0]);
    expect(found.map(({ jwksUri }) => jwksUri)).toEqual(Array(3).fill('https://wiki.example.com/.meshgate/jwks'));
  });

  test('or is a part of the objects', () => {
    const found = verifiers(render(demo, { assertionJwks: jwks }).files).map(({ spec }) => spec.jwtRules[0]);
    expect(found.map((it) => [it.jwks, it.jwksUri])).toEqual(Array(3).fill([jwks, undefined]));
  });
});

describe('coverage', () => {
  test('with an assertion and a place every rule is exact', () => {
    expect(rulesOf(demo).map((rule) => istio.covers(rule, demo).kind)).toEqual(Array(7).fill('exact'));
  });

  test('without an assertion, roles of one identity are one', () => {
    const policy = policyOf(
      text
        .replace(/ {2}assertion:.*\n/, '')
        .replace(/, as: (editor|reader)/g, '')
        .replace(/ {4}(editor|reader): \{ spiffe.*\n/g, ''),
    );
    expect(istio.covers(rulesOf(policy)[0]!, policy)).toMatchObject({
      kind: 'wider',
      text: expect.stringContaining('role editor shares the identity default with role reader'),
    });
  });

  test.each([
    ['outside', 'wider', 'the policy does not say where the workload runs'],
    ['beside', 'none', 'connects to the service directly'],
    ['nowhere', 'none', '10.1.2.3 is not a DNS name'],
  ])('a service %s', (service, kind, text) => {
    const policy = goldenPolicy('connection');
    const rule = rulesOf(policy).find((it) => it.service === service)!;
    expect(istio.covers(rule, policy)).toMatchObject({ kind, text: expect.stringContaining(text) });
  });
});

describe('an incomplete policy', () => {
  const envoy = text.replace('kind: istio', 'kind: envoy');

  test.each([
    [
      'where the ingress is',
      envoy.replace(/ {4}namespace: edge\n {4}labels.*\n/, ''),
      'write mesh.ingress: { namespace, labels }',
    ],
    [
      'a name for any service',
      envoy
        .replace(/authority: \w+\.\w+\.svc\.cluster\.local/g, 'authority: a_b')
        .replace('authority: a_b,', 'authority: a_c,'),
      'no service is reached through Istio',
    ],
    [
      'an issuer that is not a pattern',
      envoy.replace('issuer: https://wiki.example.com,', 'issuer: "https://wiki.example.com/*",'),
      'reads the * at the end',
    ],
  ])('%s', (_, changed, message) => {
    const { files, gaps } = render(policyOf(changed));
    expect(files).toEqual({});
    expect(gaps).toEqual([{ part: 'mesh', text: expect.stringContaining(message) }]);
  });

  test('no mesh', () => {
    const direct = text
      .replace(/^mesh:[\s\S]*?(?=^services:)/m, '')
      .replace(/authority: (\w+).*$/gm, 'url: https://$1.test }')
      .replace(/, as: \w+/g, '');
    expect(render(policyOf(direct)).gaps[0]?.text).toContain('the policy has no mesh');
  });

  test('the ingress’s own identity: no workload is protected', () => {
    const policy = policyOf(envoy.replace(/ {4}service_account.*\n/, ''));
    expect(Object.keys(render(policy).files)).toEqual(['kustomization.yaml', 'ingress.yaml']);
    expect(gapsOf(policy)).toContainEqual(expect.stringContaining('write mesh.ingress.service_account'));
    expect(istio.covers(rulesOf(policy)[0]!, policy).kind).toBe('wider');
  });
});

describe('docs/istio.md', () => {
  const document = readFileSync('docs/istio.md', 'utf8');
  const blocks = [...document.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);

  test('shows a complete policy', () => {
    const head = `version: 1\nproviders: { okta: { issuer: "https://okta.example.com", audiences: [a] } }\n`;
    const identities =
      '  identities: { default: { spiffe: spiffe://example.org/gateway, pem_file: /run/gateway.pem } }\n';
    const hosts = 'hosts: { wiki.example.com: { /*: { service: wiki, allow: [authenticated] } } }\n';
    const entire =
      head +
      blocks[0]?.replace('gateway:', 'gateway:\n  insecure_http: true').replace('services:', `${identities}services:`) +
      hosts;
    const { files } = render(policyOf(entire));
    expect(Object.keys(files)).toEqual(['kustomization.yaml', 'ingress.yaml', 'workloads/wiki.yaml']);
  });

  test('defines the log that objects name, and names their secret', () => {
    expect(parseAllDocuments(blocks[1] ?? '')[0]?.toJS().extensionProviders[0].name).toBe(LOG_PROVIDER);
    expect(document).toContain('create secret generic meshgate-ingress ');
  });
});
