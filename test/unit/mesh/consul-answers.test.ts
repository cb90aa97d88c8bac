/** Compares the model of Consul, test/mesh/consul, with what Consul's own code made of rendered entries, and with the
 * answers of a real Envoy. */
import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { isCanonical } from '../../../src/base/raw-path.ts';
import type { Assertion } from '../../../src/policy/checked/types.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { covers } from '../../../src/rules/compare/cover.ts';
import { proveIdentities } from '../../../src/rules/compare/prove.ts';
import { compile } from '../../../src/rules/compile.ts';
import type { MeshRule } from '../../../src/rules/types.ts';
import { consulDrift } from '../../../src/targets/consul/drift.ts';
import type { ConsulPermission } from '../../../src/targets/consul/permissions.ts';
import { consulProjection, serviceHost } from '../../../src/targets/consul/project.ts';
import { readConsul } from '../../../src/targets/consul/read.ts';
import { filterBytes } from '../../../src/targets/consul/size.ts';
import { coversMethod, NAMED, REST } from '../../../src/targets/kit/methods.ts';
import { describeWith } from '../../harness/needs.ts';
import {
  lacksAnswers,
  leafOf,
  PASSING,
  type RecordedRequest,
  ROLELESS,
  record,
  recordNames,
  requestedOf,
  sourceIn,
} from '../../mesh/consul/answers.ts';
import { type Bearer, storeWith } from '../../mesh/consul/ask.ts';
import { type Setup, verdictOf } from '../../mesh/consul/evaluate.ts';
import { isFor } from '../../mesh/consul/is-for.ts';
import { takenIn } from '../../mesh/consul/objects.ts';
import { filtersOf } from '../../mesh/consul/proxy.ts';
import { readPath } from '../../mesh/consul/target.ts';

const NOW = 1_800_000_000;
const SETUP: Setup = {
  trustDomain: '5f1c0b6e-1d9a-4f0e-9b0e-2f3f7a1c9d42.consul',
  byDefault: 'deny',
  mutualTls: 'strict',
  normalizes: true,
};

/** The filters that decide. The others of a proxy only count and forward. */
const DECIDING = ['envoy.filters.http.jwt_authn', 'envoy.filters.http.rbac'];
const NEUTRAL = [
  ...['envoy.filters.http.header_to_metadata', 'envoy.filters.http.router'],
  ...['envoy.filters.http.grpc_stats', 'envoy.filters.http.grpc_http1_bridge'],
];

/** The real answer. Envoy has no route for the target `*`, so such a request reaches no service. */
function realOf({ status }: RecordedRequest): 'allowed' | 'no connection' | 'refused' {
  return status === 0 ? 'no connection' : status === 200 ? 'allowed' : 'refused';
}

const SENT_ELSEWHERE = ['authorization', 'query'];

/** A filter with its names of headers in lower case: they have no case. */
const withoutCase = (filter: unknown): unknown =>
  JSON.parse(JSON.stringify(filter), (key, value) =>
    key === 'from_headers' ? value.map(({ name }: { name: string }) => ({ name: name.toLowerCase() })) : value,
  );

/** How the model differs from the real answer; undefined: it does not. */
function difference(name: string, { entries, requests }: ReturnType<typeof record>): readonly string[] {
  const store = storeWith(entries);
  const [provider] = store.providers.values();
  const { issuer = 'https://none.test', keys = '' } = provider ?? {};
  const settings: Assertion = { issuer, keysFile: '/run/keys', lifetime: 60, byRole: true };
  return requests.flatMap((request) => {
    const requested = requestedOf(request, settings, keys, NOW);
    const verdict = verdictOf(store, requested, SETUP);
    const { arrived, assertion, method, path } = request;
    const text = `${name}: ${request.service} ${request.client} ${JSON.stringify(assertion)} ${method} ${path}`;
    const reported = verdict.kind === 'refused token' ? 'refused' : verdict.kind;
    if (reported !== realOf(request)) return [`${text}: ${reported}, but Envoy answered ${request.status}`];
    if (arrived === undefined || verdict.kind !== 'allowed') return [];
    const plain = readPath(method, path, true);
    if (arrived.path.replace(/\?.*$/s, '') !== plain) return [`${text}: matched as ${plain}, but as ${arrived.path}`];
    const isSent = assertion !== undefined && !SENT_ELSEWHERE.includes(assertion.flaw ?? '');
    return isSent && arrived.assertions > 0 !== verdict.forwarded ? [`${text}: the assertion is not forwarded`] : [];
  });
}

interface IntentionsEntry {
  readonly Kind: string;
  readonly Name: string;
  readonly Sources: readonly { readonly Permissions?: readonly ConsulPermission[] }[];
}

interface RbacConfig {
  readonly rules: { readonly policies?: Readonly<Record<string, { readonly permissions: readonly object[] }>> };
}

const issuerOf = (entries: readonly object[]): string =>
  entries.map((it) => ('Issuer' in it ? String(it.Issuer) : '')).join('');

/** The size of a value as a field of a message. All fields of permissions have tags of one byte. */
function fieldBytes(value: unknown): number {
  if (typeof value === 'boolean') return 2;
  if (Array.isArray(value)) return value.reduce((sum, item) => sum + fieldBytes(item), 0);
  const content =
    typeof value === 'string'
      ? Buffer.byteLength(value)
      : Object.values(value as object).reduce((sum, it) => sum + fieldBytes(it), 0);
  const digits = content === 0 ? 1 : Math.ceil(Math.log2(content + 1) / 7);
  return 1 + digits + content;
}

/** Records whose entries are not read back, and why. */
const UNREAD: ReadonlyMap<string, string> = new Map([
  ['dotted-identity', 'meshgate rejects the policy, which has no ingress'],
  ['identities', 'meshgate rejects the policy, which has no ingress'],
  ['wildcard-destination', 'an entry was added by hand'],
  ['tools', 'rendered when the rules for MCP messages were other ones'],
  ['agents2', 'rendered when the rules for MCP messages were other ones'],
]);

/** A policy with the meaning of an older one that had `/long/` without `/long/*`: the route `/*` is written for `/long/*` too. */
function current(text: string): string {
  const wide = /^ {4}\/\*: (.*)$/m.exec(text)?.[1];
  return text.replace(/^ {4}\/long\/: .*$/m, (line) => `${line}\n    /long/*: ${wide}`);
}

/** The policy of a record, its entries as files, and the keys in them. */
function readable({ policy: text, entries }: ReturnType<typeof record>) {
  const { policy, errors } = parsePolicy(current(text), 'meshgate.yaml');
  if (policy === undefined) throw new Error(errors.map(({ message }) => message).join('\n'));
  const provider = entries.map(takenIn).find((it) => it.kind === 'jwt-provider');
  const files = Object.fromEntries(entries.map((entry, index) => [`${index}.json`, JSON.stringify(entry)]));
  const options = provider?.keys === undefined ? {} : { assertionJwks: provider.keys };
  return { policy, rules: compile(policy), files, options };
}

/** The caller in an assertion that Envoy accepts. It compares no list of audiences with a text. */
function bearerOf({ assertion }: RecordedRequest): Bearer | null {
  if (assertion === undefined || typeof assertion.aud !== 'string') return null;
  const { aud: service, flaw, ...caller } = assertion;
  // A wrong by_role is that of no person and of no agent.
  if (ROLELESS.includes(flaw)) return { roles: [], agent: 'without by_role', as: caller.as, service };
  return PASSING.includes(flaw) ? { ...caller, service } : null;
}

/** Requests that Envoy decides differently from the rules that are read from its entries. */
function otherwise({ requests }: ReturnType<typeof record>, rules: readonly MeshRule[]): readonly string[] {
  return requests.flatMap((request) => {
    const { service, client, method, path, mcp = {}, status, assertion } = request;
    const plain = readPath(method, path, true);
    const source = sourceIn(client);
    const message = { version: mcp['mcp-protocol-version'], method: mcp['mcp-method'], name: mcp['mcp-name'] };
    const right =
      plain !== undefined &&
      isCanonical(plain) &&
      rules.some(
        (rule) =>
          rule.host === serviceHost(service) &&
          rule.as === source &&
          covers(rule.path, plain) &&
          coversMethod(rule, NAMED.includes(method) ? method : REST) &&
          isFor(rule, bearerOf(request), message),
      );
    if (right === (status === 200)) return [];
    return [`${service} ${client} ${JSON.stringify([assertion, mcp])} ${method} ${path}: ${status}`];
  });
}

describeWith(lacksAnswers(), 'records of Consul and Envoy', () => {
  const names = recordNames();
  const records = new Map(names.map((name) => [name, record(name)]));
  const of = (name: string) => records.get(name) as ReturnType<typeof record>;

  test.each(names)('%s: the model accepts the entries, and makes the filters that Consul makes', (name) => {
    const { entries, proxies } = of(name);
    const taken = entries.map(takenIn);
    expect(Object.keys(proxies).length).toBeGreaterThan(0);
    for (const [service, { network_filters, http_filters, connection_manager }] of Object.entries(proxies)) {
      expect(network_filters).toEqual(['envoy.filters.network.http_connection_manager']);
      const deciding = http_filters.filter((it) => DECIDING.includes(it.name));
      expect(filtersOf(taken, service, SETUP.trustDomain)).toEqual(deciding.map(withoutCase));
      const others = http_filters.filter((it) => !DECIDING.includes(it.name)).map((it) => it.name);
      expect(others.filter((it) => !NEUTRAL.includes(it))).toEqual([]);
      expect(connection_manager).toMatchObject({ normalize_path: true });
      expect(connection_manager).not.toHaveProperty('merge_slashes');
    }
  });

  test.each(names)('%s: the estimated size of a listener is that of its permissions in Protocol Buffers', (name) => {
    const { entries, proxies } = of(name);
    for (const { Kind, Name, Sources } of entries as unknown as readonly IntentionsEntry[]) {
      if (Kind !== 'service-intentions' || Name === '*') continue;
      const filter = proxies[Name]?.http_filters.find((it) => it.name === DECIDING[1])
        ?.typed_config as unknown as RbacConfig;
      const real = Object.values(filter.rules.policies ?? {}).flatMap((it) => it.permissions);
      const own = Sources.map(({ Permissions = [] }) => filterBytes(Permissions, issuerOf(entries)));
      const bytes = real.filter((it) => !('any' in it)).reduce((sum, it) => sum + fieldBytes(it), 0);
      expect(own.reduce((sum, size) => sum + size, 0)).toBe(bytes);
    }
  });

  test.each(names.filter((name) => !UNREAD.has(name)))(
    '%s: the entries are read as the rules of the policy',
    (name) => {
      const { policy, rules, files, options } = readable(of(name));
      expect(proveIdentities(consulProjection(policy, rules), readConsul(files))).toBeUndefined();
      expect(consulDrift(policy, rules, options, files)).toEqual([]);
      expect(otherwise(of(name), readConsul(files))).toEqual([]);
    },
  );

  test('an intention for every service is read as a difference', () => {
    const { policy, rules, files, options } = readable(of('wildcard-destination'));
    const text = 'it allows writer to call every service, whatever the intentions of that service say';
    expect(consulDrift(policy, rules, options, files)).toEqual([`service-intentions *: ${text}`]);
  });

  test('a name with a dot, which lets another name pass, is rejected', () => {
    const text = of('dotted-identity').policy.replace('ingress: {', 'ingress: { consul_service: gate.way,');
    expect(parsePolicy(text, 'meshgate.yaml').errors).toMatchObject([{ path: 'mesh.ingress.consul_service' }]);
    const passed = of('dotted-identity').requests.filter((it) => it.client === 'gate-way' && it.status === 200);
    expect(passed.length).toBeGreaterThan(0);
  });

  test('nginx could verify no name of a sidecar, so a policy without an ingress is rejected', () => {
    for (const name of ['wiki', 'dashboard']) {
      const { subject, subjectAltName } = new X509Certificate(leafOf(name));
      expect(subject ?? '').toBe('');
      expect(subjectAltName).toMatch(/^URI:spiffe:\/\/[^,]+$/);
    }
    for (const name of ['identities', 'dotted-identity']) {
      expect(parsePolicy(of(name).policy, 'meshgate.yaml').errors).toMatchObject([
        { path: 'mesh.ingress', message: expect.stringContaining('no DNS name that nginx could verify') },
      ]);
    }
  });

  test('the model gives the answers of Envoy', () => {
    expect(names.flatMap((name) => difference(name, of(name)))).toEqual([]);
    const all = names.flatMap((name) => of(name).requests.map(realOf));
    const count = (answer: string) => all.filter((it) => it === answer).length;
    expect(count('allowed')).toBeGreaterThan(3000);
    expect(count('refused')).toBeGreaterThan(10_000);
    expect(count('no connection')).toBeGreaterThan(50);
  });
});
