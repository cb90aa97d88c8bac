import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { assertionClaims } from '../../../src/assertion/claims.ts';
import type { Assertion } from '../../../src/policy/checked/types.ts';
import type { Requested, Token } from './evaluate.ts';

/** What Consul's own code made of rendered entries, and what a real Envoy then answered; the folder is what
 * MESHGATE_CONSUL_ANSWERS names. */
const folder =
  process.env.MESHGATE_CONSUL_ANSWERS ?? fileURLToPath(new URL('../../../../shared/consul', import.meta.url));

/** Why the answers cannot be compared, in one line; undefined if they are there. With MESHGATE_VECTORS_REQUIRED=1 their
 * absence is an error. */
export function lacksAnswers(): string | undefined {
  if (existsSync(folder)) return undefined;
  if (process.env.MESHGATE_VECTORS_REQUIRED === '1') throw new Error(`no records in ${folder}`);
  return `no folder ${folder} (MESHGATE_CONSUL_ANSWERS) with records of Consul and Envoy`;
}

function read(path: string): string {
  const [plain, packed] = [join(folder, path), join(folder, `${path}.gz`)];
  return existsSync(plain) ? readFileSync(plain, 'utf8') : gunzipSync(readFileSync(packed)).toString();
}

/** The names of all records. */
export const recordNames = (): readonly string[] =>
  readdirSync(join(folder, 'entries')).map((file) => file.replace('.json', ''));

/** The certificate that Consul gave the sidecar of a service. */
export const leafOf = (service: string): string => read(`leaf/${service}.pem`);

type Json = Readonly<Record<string, unknown>>;

/** The listener of a service's proxy. */
export interface RecordedProxy {
  readonly network_filters: readonly string[];
  readonly http_filters: readonly { readonly name: string; readonly typed_config: Json }[];
  readonly connection_manager: Json;
}

/** One request, and the answer of the real Envoy. */
export interface RecordedRequest {
  readonly service: string;
  readonly client: string;
  readonly assertion?: {
    readonly roles: readonly string[];
    readonly agent?: string;
    readonly alone?: true;
    readonly as: string;
    readonly aud: string | readonly string[];
    readonly flaw?: string;
  };
  readonly method: string;
  readonly path: string;
  readonly mcp?: Readonly<Record<string, string>>;
  readonly status: number;
  readonly arrived?: { readonly method: string; readonly path: string; readonly assertions: number };
}

/** A record: a policy, its entries, the proxies that Consul configures, and the answers. `remote` has no answers. */
export function record(name: string) {
  const entries = JSON.parse(read(`entries/${name}.json`)) as readonly Json[];
  const answers = name === 'remote' ? '' : read(`verdicts/${name}.jsonl`);
  return {
    policy: read(`policies/${name === 'wildcard-destination' ? 'docs' : name}.yaml`),
    entries,
    proxies: JSON.parse(read(`envoy/${name}.json`)) as Readonly<Record<string, RecordedProxy>>,
    requests: answers
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as RecordedRequest),
  };
}

const CLIENTS =
  lacksAnswers() === undefined ? (JSON.parse(read('clients.json')) as Readonly<Record<string, string>>) : {};

const HEADER = 'x-meshgate-assertion';
const OTHER_KEYS = 'keys that the provider does not know';

/** Flaws of which no valid signature is left, and those that count as good. */
const UNSIGNED = [
  ...['unknown kid', 'other key', 'alg none', 'altered', 'garbage', 'empty', 'bearer', 'comma', 'good, then bad'],
];
const GOOD = [undefined, 'second key', 'no kid', 'typ', 'space', 'bad, then good'];

const without = (claims: Json, key: string): Json =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => name !== key));

/** The token of a request, wrong in what its flaw names; undefined: the proxy is not given one. */
function tokenOf({ assertion }: RecordedRequest, settings: Assertion, keys: string, now: number): Token | undefined {
  if (assertion === undefined) return undefined;
  const { flaw, as, aud, ...caller } = assertion;
  const person = { provider: 'acme', subject: 'ada', ...caller };
  const claims: Json = { ...assertionClaims(settings, { service: '', as }, person, now), aud };
  const good: Token = { header: HEADER, keys, claims };
  if (GOOD.includes(flaw)) return good;
  if (UNSIGNED.includes(flaw as string)) return { ...good, keys: OTHER_KEYS };
  const changed: Readonly<Record<string, () => Token | undefined>> = {
    'no exp': () => ({ ...good, claims: without(claims, 'exp') }),
    'expired a little': () => ({ ...good, claims: { ...claims, exp: now - 20 } }),
    'expired long': () => ({ ...good, claims: { ...claims, exp: now - 120 } }),
    'not yet': () => ({ ...good, claims: { ...claims, nbf: now + 3600 } }),
    issuer: () => ({ ...good, claims: { ...claims, iss: `${claims.iss}.test` } }),
    'no issuer': () => ({ ...good, claims: without(claims, 'iss') }),
    'no by_role': () => ({ ...good, claims: without(claims, 'by_role') }),
    'by_role list': () => ({ ...good, claims: { ...claims, by_role: caller.roles } }),
    'by_role text': () => ({ ...good, claims: { ...claims, by_role: caller.roles.join(' ') } }),
    authorization: () => ({ ...good, header: 'authorization' }),
    query: () => undefined,
  };
  const change = changed[flaw as string];
  if (change === undefined) throw new Error(`a flaw that the tests do not know: ${flaw}`);
  return change();
}

/** The flaws with which Envoy accepts an assertion. */
export const PASSING: readonly (string | undefined)[] = [...GOOD, 'no exp', 'expired a little'];

/** The flaws with which an assertion has no role that Envoy can compare. */
export const ROLELESS: readonly (string | undefined)[] = ['no by_role', 'by_role list', 'by_role text'];

/** The source that a client is; undefined if it is no source. */
export const sourceIn = (client: string): string | undefined =>
  /^spiffe:\/\/5f1c0b6e[^/]*\/ns\/default\/dc\/[^/]+\/svc\/([^/]+)$/.exec(CLIENTS[client] ?? '')?.[1];

/** A recorded request, as the model is asked about it. A certificate of another CA makes no connection. */
export function requestedOf(request: RecordedRequest, settings: Assertion, keys: string, now: number): Requested {
  const { service, client, method, path, mcp = {} } = request;
  const spiffe = client === 'otherca' ? undefined : CLIENTS[client];
  const token = tokenOf(request, settings, keys, now);
  return {
    ...{ service, method, path, headers: mcp, now },
    ...(spiffe !== undefined && { client: spiffe }),
    ...(token && { token }),
  };
}
