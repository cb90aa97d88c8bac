/**
 * Every member that a live object may have, by the mesh's own definitions, is changed, taken away or added, and each list
 * is set to an empty one, also in a copy beside the rendered one: `prove` says no, unless the member is one of those
 * below, which change no answer. docs/prove.md is the table of it.
 */
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { MeshKind } from '../../../src/policy/checked/types.ts';
import { compile } from '../../../src/rules/compile.ts';
import { meshTarget } from '../../../src/targets/index.ts';
import type { MeshOptions } from '../../../src/targets/types.ts';
import { Changer, prover, schemaOf } from './members.ts';
import { JWKS, policyFor, rootOf } from './members-policy.ts';
import { UNNOTICED } from './unnoticed.ts';

const KEPT = 'only the API server uses it';
const REMOVAL = 'says who removes the object';
const STATUS = 'a controller writes it, and no proxy reads it';
const COUNTS = 'Consul uses it as a counter';
const ASKING = 'is about requests that the service sends, not about those that it receives';
const TIMES = 'limits times and numbers, not callers';

const METADATA = {
  'metadata uid': KEPT,
  'metadata resourceVersion': KEPT,
  'metadata generation': KEPT,
  'metadata creationTimestamp':
    'says which of two objects is older; a second one that could count already prevents a yes',
  'metadata managedFields': KEPT,
  'metadata selfLink': KEPT,
  'metadata ownerReferences': REMOVAL,
  'metadata finalizers': REMOVAL,
};

/** Members that change no decision, and why. Written by hand: nothing of it comes from the code. */
const NEUTRAL: Readonly<Record<MeshKind, Readonly<Record<string, string>>>> = {
  istio: {
    ...METADATA,
    'metadata annotations': '`meshgate/rules` names rules of the policy for people who read the object',
    'Gateway status': STATUS,
    'VirtualService status': STATUS,
    'RequestAuthentication status': STATUS,
    'PeerAuthentication status': STATUS,
    'AuthorizationPolicy status': STATUS,
    'Telemetry status': STATUS,
  },
  linkerd: {
    ...METADATA,
    'metadata name': 'the name of a policy, or of a route that denies requests, decides nothing',
    'HTTPRoute.spec.rules[].matches[].path type': 'it may become a prefix if all requests below the path pass anyway',
    'Server status': STATUS,
    'MeshTLSAuthentication status': STATUS,
    'AuthorizationPolicy status': STATUS,
  },
  envoy: {},
  consul: {
    'JWTProviderConfigEntry CreateIndex': COUNTS,
    'JWTProviderConfigEntry ModifyIndex': COUNTS,
    'ServiceIntentionsConfigEntry CreateIndex': COUNTS,
    'ServiceIntentionsConfigEntry ModifyIndex': COUNTS,
    'SourceIntention Precedence': 'Consul computes it from the names',
    'SourceIntention Description': 'for people',
    'ServiceConfigEntry CreateIndex': COUNTS,
    'ServiceConfigEntry ModifyIndex': COUNTS,
    'ServiceConfigEntry Meta': 'for people',
    'ServiceConfigEntry Mode': ASKING,
    'ServiceConfigEntry TransparentProxy': ASKING,
    'ServiceConfigEntry MeshGateway': 'is about requests to other datacenters',
    'ServiceConfigEntry UpstreamConfig': ASKING,
    'ServiceConfigEntry MaxInboundConnections': TIMES,
    'ServiceConfigEntry LocalConnectTimeoutMs': TIMES,
    'ServiceConfigEntry LocalRequestTimeoutMs': TIMES,
    'ServiceConfigEntry BalanceInboundConnections': TIMES,
  },
};

/** The members of each type in the mesh's definitions, and the result of `prove` for them. */
interface Row {
  readonly rendered: Set<string>;
  readonly unnoticed: Set<string>;
}

/** The name of a type without the folders of its definition. */
const short = (type: string): string => type.replace(/^.*:/, '');

/** Istio has the keys in its objects, or their address. */
const FETCHED: readonly MeshKind[] = ['istio'];

function rowsOf(kind: MeshKind): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>();
  addRows(rows, kind, meshTarget(kind).takesJwks ? { assertionJwks: JWKS } : {}, () => true);
  if (FETCHED.includes(kind)) addRows(rows, kind, {}, (object) => JSON.stringify(object).includes('jwksUri'));
  return rows;
}

/** Changes rendered objects, and records the results. */
function addRows(rows: Map<string, Row>, kind: MeshKind, options: MeshOptions, isMeant: (object: unknown) => boolean) {
  const policy = policyFor(kind);
  const { files } = meshTarget(kind).emit(policy, compile(policy), options);
  const objects = Object.entries(files)
    .filter(([file]) => file !== 'kustomization.yaml')
    .flatMap(([, text]) => parseAllDocuments(text).map((it) => it.toJS() as unknown));
  const isProved = prover(kind, policy, options);
  expect(isProved(objects)).toBe(true);
  const schema = schemaOf(kind);
  const changer = new Changer(schema);
  for (const [index, object] of objects.entries()) {
    if (!isMeant(object)) continue;
    for (const { type, member, isRendered, object: changed } of changer.changes(object, rootOf(kind, object, schema))) {
      const row = rows.get(short(type)) ?? { rendered: new Set(), unnoticed: new Set() };
      rows.set(short(type), row);
      if (isRendered) row.rendered.add(member);
      if (isProved(objects.map((it, other) => (other === index ? changed : it)))) row.unnoticed.add(member);
    }
  }
}

const MESHES: readonly MeshKind[] = ['istio', 'linkerd', 'envoy', 'consul'];

const HEAD = `# What prove compares

\`meshgate prove --target\` compares the live objects of a mesh with the policy. It compares each member with the rendered value, or converts it back into a rule and proves this rule.

- *Compared or proved*: if the member has another value or is missing, the answer is never yes. The exit code is 1 if some request gets a different decision, and 3 if no request does.
- *Changes no answer*: the value of the member makes no difference, for the reason in the same cell.
- Any other member: the answer is "not proven" (exit code 3) and names the path of the member. The same is true for an object that meshgate did not render and that may affect the same requests ([Istio](istio.md), [Linkerd](linkerd.md), [Consul](consul.md)).

Treat exit code 3 as an alarm: a difference that no request shows may still open the mesh. A test changes, removes and adds each member that the mesh's own definitions allow, and writes this page.
`;

const names = (members: Iterable<string>): string => [...members].map((it) => `\`${it}\``).join(', ') || '–';

const title: Readonly<Record<MeshKind, string>> = {
  istio: 'Istio',
  linkerd: 'Linkerd',
  envoy: 'Envoy',
  consul: 'Consul',
};

function tableOf(kind: MeshKind, rows: ReadonlyMap<string, Row>): string {
  const lines = [...rows].map(([type, { rendered, unnoticed }]) => {
    const reasons = [...unnoticed].map((it) => `\`${it}\`: ${NEUTRAL[kind][`${type} ${it}`] ?? '?'}`).join('; ');
    const plain = (members: Set<string>) => [...members].filter((it) => !unnoticed.has(it) && it !== 'unheardOf');
    return `| \`${type}\` | ${names(plain(rendered))} | ${reasons || '–'} |`;
  });
  return [
    `## ${title[kind]}`,
    '',
    '| object | compared or proved | changes no answer |',
    '| --- | --- | --- |',
    ...lines,
    '',
  ].join('\n');
}

const EQUAL = `## Fields that may change

A second test changes, removes and empties each field of each rendered file, for policies with tools, networks and several meshes. \`prove\` notices every change, except changes that mean the same to the mesh:

| mesh | field | why the change means the same |
| --- | --- | --- |
${MESHES.flatMap((kind) => UNNOTICED[kind].map(({ field, why }) => `| ${title[kind]} | \`${field}\` | ${why} |`)).join('\n')}
`;

test('no change of a member goes unnoticed, except changes that change no decision', async () => {
  const pages = [HEAD];
  for (const kind of MESHES) {
    const rows = rowsOf(kind);
    const unnoticed = [...rows].flatMap(([type, row]) => [...row.unnoticed].map((it) => `${type} ${it}`));
    expect({ [kind]: unnoticed.sort() }).toEqual({ [kind]: Object.keys(NEUTRAL[kind]).sort() });
    pages.push(tableOf(kind, rows));
  }
  pages.push(EQUAL);
  await expect(pages.join('\n')).toMatchFileSnapshot(new URL('../../../docs/prove.md', import.meta.url).pathname);
}, 600_000);
