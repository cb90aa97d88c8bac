import { JWT_FILTER } from '../../../src/targets/envoy/assertion.ts';
import { ALLOW_FILTER } from '../../../src/targets/envoy/rbac.ts';
import type { Mutant } from './mutants.ts';

/**
 * Whether Envoy's rules allow the same requests with one of them changed: what it gains or loses, others allow as well.
 * Envoy's matching is done here, on one request of each kind that the rules distinguish.
 */

// biome-ignore lint/suspicious/noExplicitAny: Envoy's configuration
type Json = any;

interface Requested {
  readonly authority: string;
  /** Whether an assertion is read here: without one no condition on it can be checked. */
  readonly asserted: boolean;
  readonly method: string;
  readonly path: string;
  /** Other headers that rules read, by name. */
  readonly headers?: Readonly<Record<string, string>>;
}

interface Query {
  readonly spiffe: string;
  /** The claims of the verified assertion; absent: there is none. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** The form of a matcher is not among the rendered ones, or their changes. */
class Unknown extends Error {}

/** The one field of an object that says which form it has. */
function formOf(node: Json): readonly [form: string, value: Json] {
  const [entry, ...more] = Object.entries(node ?? {});
  if (entry === undefined || more.length > 0) throw new Unknown(JSON.stringify(node));
  return entry;
}

function matchesText(matcher: Json, text: string): boolean {
  const [form, value] = formOf(matcher);
  if (form === 'exact') return text === value;
  if (form === 'prefix') return text.startsWith(value);
  if (form === 'safe_regex') return new RegExp(`^(?:${value.regex})$`).test(text);
  throw new Unknown(form);
}

/** Whether a permission of Envoy allows a request. */
export function permits(node: Json, requested: Requested): boolean {
  const [form, value] = formOf(node);
  switch (form) {
    case 'and_rules':
      return value.rules.every((it: Json) => permits(it, requested));
    case 'or_rules':
      return value.rules.some((it: Json) => permits(it, requested));
    case 'not_rule':
      return !permits(value, requested);
    case 'url_path':
      return matchesText(value.path, requested.path);
    case 'header': {
      const own = { ...requested.headers, ':authority': requested.authority, ':method': requested.method };
      const text = (own as Record<string, string | undefined>)[value.name];
      // Without a matcher the header must be present.
      return text !== undefined && (value.string_match === undefined || matchesText(value.string_match, text));
    }
    default:
      throw new Unknown(form);
  }
}

function hasValue(matcher: Json, value: unknown): boolean {
  const [form, own] = formOf(matcher);
  if (form === 'present_match') return own === (value !== undefined);
  if (form === 'string_match') return typeof value === 'string' && matchesText(own, value);
  if (form !== 'list_match') throw new Unknown(form);
  return Array.isArray(value) && value.some((it) => hasValue(own.one_of, it));
}

function names(node: Json, query: Query): boolean {
  const [form, value] = formOf(node);
  switch (form) {
    case 'and_ids':
      return value.ids.every((it: Json) => names(it, query));
    case 'not_id':
      return !names(value, query);
    case 'custom': {
      const { '@type': type, san_matcher } = value.typed_config;
      const { san_type, matcher } = san_matcher;
      if (!String(type).endsWith('.mtls_authenticated.v3.Config')) throw new Unknown(type);
      // A certificate of the mesh has its SPIFFE id in this place only, and no text like it elsewhere.
      return san_type === 'URI' && matchesText(matcher, query.spiffe);
    }
    case 'sourced_metadata': {
      const { filter, path, value: matcher } = value.metadata_matcher;
      const all: Json = filter === JWT_FILTER && query.claims ? { assertion: query.claims } : undefined;
      const reported = path.reduce((found: Json, { key }: Json) => found?.[key], all);
      return hasValue(matcher, reported);
    }
    default:
      throw new Unknown(form);
  }
}

/** One of Envoy's RBAC policies. */
interface Policy {
  readonly permissions: readonly Json[];
  readonly principals: readonly Json[];
}

type Policies = Readonly<Record<string, Policy>>;

const allows = ({ permissions, principals }: Policy, requested: Requested, query: Query): boolean =>
  permissions.some((it) => permits(it, requested)) && principals.some((it) => names(it, query));

/** All objects below a node that have a key. */
function* having(node: Json, key: string): Generator<Json> {
  if (typeof node !== 'object' || node === null) return;
  if (key in node) yield node;
  for (const child of Object.values(node)) yield* having(child, key);
}

/** A character with which no text of a policy continues. */
const MORE = '~';

/** Texts below nodes, and longer texts: exact and prefix matchers distinguish no others. */
function kinds(nodes: Iterable<Json>): readonly string[] {
  const all = [...nodes];
  const texts = ['exact', 'prefix'].flatMap((form) =>
    all.flatMap((it) => [...having(it, form)].map((own) => own[form])),
  );
  return [...new Set([...texts.flatMap((it) => [it, it + MORE]), MORE])];
}

interface MeshContext {
  /** Names that some virtual host has. */
  readonly authorities: readonly Pick<Requested, 'authority' | 'asserted'>[];
  /** SPIFFE ids whose connections are accepted. */
  readonly connect: readonly string[];
}

const chainOf = (file: Json): Json => file.static_resources.listeners[0].filter_chains[0];
const managerOf = (file: Json): Json => chainOf(file).filters[0].typed_config;

function contextOf(file: Json): MeshContext {
  const context = chainOf(file).transport_socket.typed_config.common_tls_context.validation_context;
  return {
    authorities: managerOf(file)
      .route_config.virtual_hosts.flatMap((host: Json) => host.domains)
      // A virtual host matches its name in any case; nothing else does.
      .flatMap((it: string) => [
        { authority: it, asserted: true },
        { authority: it.toUpperCase(), asserted: false },
      ]),
    connect: context.match_typed_subject_alt_names.map((it: Json) => it.matcher.exact),
  };
}

/** The policies of the rules, by name. */
export function policiesOf(file: Json): Policies {
  return managerOf(file).http_filters.find((it: Json) => it.name === ALLOW_FILTER).typed_config.rules.policies;
}

const headersIn = (policies: readonly Policy[]): readonly Json[] =>
  [...having(policies, 'header')].map(({ header }) => header);

/** Values that regular expressions distinguish beside those of texts: names with an encoding, an invalid one, and one
 * that no name can have. */
const ODD = ['=?base64?YQ==?=', '=?base64?YQ==?=x', '=?base64?Y?=', '\u00e9'];

/** Headers that the compared policies read, with values that all of them distinguish. */
function messagesOf(both: readonly Policy[], all: readonly Policy[]): readonly Readonly<Record<string, string>>[] {
  const names = new Set(headersIn(both).map(({ name }) => String(name)));
  return [...names]
    .filter((name) => !name.startsWith(':'))
    .reduce<readonly Readonly<Record<string, string>>[]>(
      (found, name) => {
        const texts = kinds(headersIn(all).filter((it) => it.name === name));
        const values = new Set([...texts.flatMap((it) => [it, `${it}a`, `${it}x`]), ...ODD]);
        return found.flatMap((it) => [it, ...[...values].map((value) => ({ ...it, [name]: value }))]);
      },
      [{}],
    );
}

/** Requests that policies distinguish. A request without a header passes by no more rules than one with it. */
function requestsOf(
  both: readonly Policy[],
  rest: readonly Policy[],
  { authorities }: MeshContext,
): readonly Requested[] {
  const policies = [...both, ...rest];
  const paths = ['/', `/${MORE}`, ...kinds(having(policies, 'url_path')).filter((it) => it.startsWith('/'))];
  const methods = kinds(headersIn(policies).filter(({ name }) => name === ':method'));
  const bare = both.flatMap(({ permissions }) => permissions.map(withoutMessage));
  const near = authorities
    .flatMap((it) => methods.flatMap((method) => paths.map((path) => ({ ...it, method, path }))))
    .filter((it) => bare.some((own) => permits(own, it)));
  const messages = messagesOf(both, policies);
  return messages.length === 1 ? near : near.flatMap((it) => messages.map((headers) => ({ ...it, headers })));
}

/** A permission without its conditions on headers other than Envoy's own: conditions only make it narrower. */
function withoutMessage(node: Json): Json {
  const [form, value] = formOf(node);
  if (form === 'not_rule') return isOfMessage(value) ? { and_rules: { rules: [] } } : node;
  if (form !== 'and_rules' && form !== 'or_rules') return isOfMessage(node) ? { and_rules: { rules: [] } } : node;
  return { [form]: { rules: value.rules.map(withoutMessage) } };
}

const isOfMessage = (node: Json): boolean =>
  [...having(node, 'header')].some(({ header }) => !String(header.name).startsWith(':'));

/** Callers that policies distinguish. One role at a time: no role makes a request fail. */
function callersOf(policies: readonly Policy[], { connect }: MeshContext): readonly Query[] {
  const reported = [...having(policies, 'metadata_matcher')].map((it) => it.metadata_matcher);
  const [as, roles, agents, alone] = ['as', 'roles', 'agent', 'alone'].map((claim) =>
    kinds(reported.filter(({ path }) => path.at(-1)?.key === claim)),
  ) as [readonly string[], readonly string[], readonly string[], readonly string[]];
  const claims = [undefined, ...as].flatMap((own) =>
    [[], ...roles.map((it) => [it])].flatMap((some) =>
      [undefined, ...agents].flatMap((agent) =>
        [undefined, ...(agent === undefined ? [] : alone)].map((itself) => ({
          ...{ as: own, roles: some, agent, alone: itself },
        })),
      ),
    ),
  );
  return connect.flatMap((spiffe) => [{ spiffe }, ...claims.map((it) => ({ spiffe, claims: it }))]);
}

/** Whether the other policies allow everything that only one of the two allows. */
function isSame(
  one: Policy | undefined,
  other: Policy | undefined,
  rest: readonly Policy[],
  renderContext: MeshContext,
): boolean {
  const both = [one, other].filter((it) => it !== undefined);
  const all = [...both, ...rest];
  const callers = callersOf(all, renderContext);
  const passes = (policy: Policy | undefined, request: Requested, caller: Query) =>
    policy !== undefined && allows(policy, request, caller);
  return requestsOf(both, rest, renderContext)
    .filter((request) => both.some((it) => it.permissions.some((permission) => permits(permission, request))))
    .every((request) => {
      const near = rest.filter((it) => it.permissions.some((permission) => permits(permission, request)));
      const own = request.asserted ? callers : callers.filter(({ claims }) => claims === undefined);
      return own.every(
        (caller) =>
          passes(one, request, caller) === passes(other, request, caller) ||
          near.some((it) => allows(it, request, caller)),
      );
    });
}

/**
 * Whether a mutant of one of Envoy's rules allows the same requests.
 *
 * @param original the file as it was rendered
 */
export function isSameForAll(original: Json, { version }: Pick<Mutant, 'version'>): boolean {
  const [file] = version;
  try {
    const [before, after] = [policiesOf(original), policiesOf(file?.value)];
    const changed = Object.keys(before).filter((id) => JSON.stringify(before[id]) !== JSON.stringify(after[id]));
    const [id, ...more] = changed;
    if (id === undefined || more.length > 0) return false;
    const { [id]: _, ...rest } = before;
    return isSame(before[id], after[id], Object.values(rest), contextOf(original));
  } catch (error) {
    // It has a form that cannot be compared here, or none.
    if (error instanceof Unknown || error instanceof TypeError) return false;
    throw error;
  }
}
