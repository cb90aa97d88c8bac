/** Live objects, as `kubectl get -o yaml` prints them, are read with everything that an API server adds. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { nonCanonicalPatterns } from '../../../src/targets/kit/non-canonical-paths.ts';
import { meshgate } from './fake.ts';

// biome-ignore lint/suspicious/noExplicitAny: objects of many kinds
type Any = any;

const golden = (target: string, name: string) => join(import.meta.dirname, '../targets', target, 'golden', name);

const text = (...path: [string, string, string]) => readFileSync(join(golden(path[0], path[1]), path[2]), 'utf8');

/** The rendered objects of a golden folder. */
function objectsOf(target: string, name: string): Any[] {
  const files = readdirSync(golden(target, name), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.yaml') && !/^(policy|kustomization)\.yaml$/.test(file))
    .flatMap((file) => parseAllDocuments(text(target, name, file)).map((document) => document.toJS() as Any));
}

const ACCEPTED = [{ type: 'Accepted', status: 'True', lastTransitionTime: '2026-11-25T10:00:01Z' }];

/** The status that controllers write: Linkerd's says for each parent whether a route counts. */
function statusOf({ kind, spec }: Any): Any {
  if (kind !== 'HTTPRoute') return { conditions: ACCEPTED };
  const controllerName = 'linkerd.io/policy-controller';
  return { parents: spec.parentRefs.map((parentRef: Any) => ({ parentRef, controllerName, conditions: ACCEPTED })) };
}

/** An object as the API server stores it. */
function kept(object: Any, index: number): Any {
  const { metadata, spec, ...rest } = structuredClone(object);
  const applied = { 'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify(object)}\n` };
  return {
    ...rest,
    metadata: {
      annotations: { ...metadata.annotations, ...applied },
      creationTimestamp: '2026-11-25T10:00:00Z',
      generation: 3,
      labels: metadata.labels,
      managedFields: [
        { apiVersion: object.apiVersion, fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': {} }, manager: 'kubectl' },
      ],
      name: metadata.name,
      namespace: metadata.namespace,
      resourceVersion: String(41_000 + index),
      uid: `0b9ce1f2-7a3e-4c53-9f0e-0000000000${10 + index}`,
    },
    spec: object.kind === 'Server' ? { proxyProtocol: 'unknown', ...spec } : spec,
    status: statusOf(object),
  };
}

const list = (items: readonly Any[]) =>
  stringify(
    { apiVersion: 'v1', items, kind: 'List', metadata: { resourceVersion: '' } },
    { aliasDuplicateObjects: false },
  );

async function prove(target: string, name: string, live: string) {
  const files = { 'meshgate.yaml': text(target, name, 'policy.yaml'), '-': live };
  const { code, out, err } = await meshgate(['prove', '--target', target, 'meshgate.yaml', '-'], { files });
  return { code, out, err };
}

const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'wiki-0', namespace: 'wiki' }, spec: {} };
/** For Istio the answer names its assumptions. */
const yesOf = (target: string) => ({
  code: 0,
  out: `yes: meshgate.yaml and stdin allow the same requests${target === 'istio' ? ", if the mesh's root namespace is istio-system" : ''}\n`,
  err: '',
});

describe.each([
  ['istio', 'confluence'],
  ['istio', 'demo'],
  ['linkerd', 'confluence'],
  ['linkerd', 'identities'],
])('%s, %s', (target, name) => {
  const objects = objectsOf(target, name).map(kept);

  test('as applied: no difference', async () => {
    expect(await prove(target, name, list(objects))).toEqual(yesOf(target));
  });

  test('in another order, as JSON, and as several documents: no difference', async () => {
    expect(await prove(target, name, JSON.stringify({ kind: 'List', items: [...objects].reverse() }))).toEqual(
      yesOf(target),
    );
    expect(await prove(target, name, objects.map((it) => stringify(it)).join('---\n'))).toEqual(yesOf(target));
  });

  test('a changed method: a request', async () => {
    const changed = structuredClone(objects);
    for (const { kind, spec } of changed) {
      for (const rule of spec.rules ?? []) {
        if (kind === 'AuthorizationPolicy') rule.to[0].operation.methods?.push('DELETE');
        const match = kind === 'HTTPRoute' && rule.matches.find((it: Any) => it.method === 'GET');
        if (match) match.method = 'DELETE';
      }
    }
    const { code, out } = await prove(target, name, list(changed));
    expect(code).toBe(1);
    expect(out).toMatch(/^no: meshgate.yaml and stdin differ\n/);
  });
});

describe('objects that are not the mesh’s', () => {
  test('is an error for Istio', async () => {
    expect(await prove('istio', 'demo', list([pod]))).toEqual({
      code: 2,
      out: '',
      err: 'meshgate: stdin: no object of Istio, but Pod wiki/wiki-0; get the objects of Istio with: kubectl get gateways.networking.istio.io,virtualservices.networking.istio.io,authorizationpolicies.security.istio.io,requestauthentications.security.istio.io,peerauthentications.security.istio.io,telemetries.telemetry.istio.io,envoyfilters.networking.istio.io,wasmplugins.extensions.istio.io -A -o yaml\n',
    });
    expect((await prove('istio', 'demo', list([]))).err).toContain('no object of Istio; get the');
    expect(await prove('istio', 'demo', list([...objectsOf('istio', 'demo'), pod]))).toMatchObject({
      code: 3,
      out: expect.stringContaining('  Pod wiki/wiki-0: prove does not know objects of this kind\n'),
    });
  });

  test('is an error for Linkerd', async () => {
    const ask =
      'get the objects of Linkerd with: kubectl get -A -o yaml servers.policy.linkerd.io,httproutes.policy.linkerd.io,authorizationpolicies.policy.linkerd.io,meshtlsauthentications.policy.linkerd.io,networkauthentications.policy.linkerd.io,serverauthorizations.policy.linkerd.io,serviceprofiles.linkerd.io';
    const objects = objectsOf('linkerd', 'identities');
    expect(await prove('linkerd', 'identities', list([...objects, pod]))).toEqual({
      code: 2,
      out: '',
      err: `meshgate: stdin: Pod wiki/wiki-0 is not an object of Linkerd; ${ask}\n`,
    });
    expect((await prove('linkerd', 'identities', list([]))).err).toBe(`meshgate: stdin: no objects; ${ask}\n`);
    expect((await prove('linkerd', 'identities', 'text')).err).toBe(
      `meshgate: stdin: no objects of Kubernetes; ${ask}\n`,
    );
  });

  test('is an error for Consul', async () => {
    const [name = ''] = readdirSync(golden('consul', ''));
    const ask = 'give a folder with the output of "consul config read -kind KIND -name NAME", one file for each entry';
    expect(await prove('consul', name, 'kind: x\n')).toMatchObject({
      code: 2,
      err: `meshgate: stdin: not JSON; ${ask}\n`,
    });
    expect((await prove('consul', name, JSON.stringify(pod))).err).toBe(
      `meshgate: stdin: no entries of Consul; ${ask}\n`,
    );
  });

  test('names the place of invalid YAML, and does not follow aliases', async () => {
    expect((await prove('linkerd', 'identities', 'a: [\n')).err).toMatch(/^meshgate: stdin: not YAML, line \d+: /);
    expect((await prove('istio', 'demo', 'a: &x {}\nb: *x\n')).err).toMatch(/^meshgate: stdin: not YAML.*alias/);
  });
});

describe('a change in Linkerd’s own objects is a difference', () => {
  const changed = async (kind: string, change: (object: Any) => void) => {
    const objects = objectsOf('linkerd', 'identities');
    const found = objects.find((object) => object.kind === kind);
    change(found);
    return prove('linkerd', 'identities', list(objects));
  };

  test.each<[string, string, (object: Any) => void, string]>([
    [
      'an open server',
      'Server',
      ({ spec }) => (spec.accessPolicy = 'all-unauthenticated'),
      'its accessPolicy is all-unauthenticated, so Linkerd allows more than the routes',
    ],
    [
      'an opaque port',
      'Server',
      ({ spec }) => (spec.proxyProtocol = 'opaque'),
      'its proxyProtocol is opaque, so Linkerd ignores all routes',
    ],
    [
      'a policy for a server',
      'AuthorizationPolicy',
      ({ spec }) => (spec.targetRef.kind = 'Server'),
      'it applies to a whole Server, and allows more than the routes',
    ],
    [
      'no authentication',
      'AuthorizationPolicy',
      ({ spec }) => (spec.requiredAuthenticationRefs = []),
      'it does not require exactly one existing MeshTLSAuthentication',
    ],
    [
      'networks instead of identities',
      'AuthorizationPolicy',
      ({ spec }) => {
        spec.requiredAuthenticationRefs[0].kind = 'NetworkAuthentication';
      },
      'it does not require exactly one existing MeshTLSAuthentication',
    ],
    [
      'a weaker pattern',
      'HTTPRoute',
      ({ spec }) => {
        spec.rules[0].matches[0].path = { type: 'RegularExpression', value: `${nonCanonicalPatterns([])[0]}x` };
      },
      'meshgate does not render the pattern ^[^?]*',
    ],
    [
      'another parent',
      'HTTPRoute',
      ({ spec }) => (spec.parentRefs[0].name = 'x'),
      'it does not belong to exactly one existing Server',
    ],
    [
      'headers',
      'HTTPRoute',
      ({ spec }) => (spec.rules[0].matches[0].headers = []),
      'meshgate does not render "headers"',
    ],
    ['filters', 'HTTPRoute', ({ spec }) => (spec.rules[0].filters = []), 'meshgate does not render "filters"'],
    [
      'a pattern',
      'HTTPRoute',
      ({ spec }) => (spec.rules[0].matches[0].path = { type: 'RegularExpression', value: '.*' }),
      'meshgate does not render the pattern .*',
    ],
  ])('%s', async (_, kind, change, says) => {
    const { code, out, err } = await changed(kind, change);
    expect({ code, err }).toEqual({ code: 3, err: '' });
    expect(out).toMatch(
      /^not proven: stdin differs from what meshgate renders from meshgate.yaml\n {2}\w+ [\w-]+\/[\w.-]+: /,
    );
    expect(out).toContain(says);
  });
});
