import { ALONE } from '../../assertion/claims.ts';
import type { PersonWho, Policy } from '../../policy/checked/types.ts';
import type { Enforced } from '../../rules/enforced.ts';
import type { MeshRule, Path, Rule } from '../../rules/types.ts';
import { differences } from '../kit/compare.ts';
import { pathsIn, perFiles, requireSameForm, unlike } from '../kit/reading.ts';
import { meshRule, meshRules, spiffeOf } from '../kit/rules.ts';
import { namedTools } from '../kit/tool-messages.ts';
import { allDocumentsIn } from '../kit/yaml.ts';
import { type Files, Foreign } from '../types.ts';
import { assertionPrincipals, type ClaimPrincipal, type ClaimValue, verifies } from './assertion.ts';
import { authoritiesOf, domainsOf } from './domains.ts';
import type { EnvoyPermission } from './permission.ts';
import { ALLOW_FILTER, type principal, type RbacPolicy, rbacPolicy } from './rbac.ts';
import { isOfTools, toolPermission, toolsIn } from './tools.ts';

const FILE = 'envoy.yaml';

type Asserted = Pick<MeshRule, 'asserted'>;

/** The assertion that a rule requires, in words: an assertion for this identity. */
const assertedBy = (as: string | undefined): Asserted => (as === undefined ? {} : { asserted: `as ${as}` });

/** The rules, reduced to what can be read back from Envoy's configuration. The authority stands for host and service,
 * and the SPIFFE id stands for the identity. Unless Envoy verifies the assertion, any caller may have this identity. */
export function envoyProjection(policy: Policy, rules: readonly Rule[]): readonly MeshRule[] {
  const authorities = authoritiesOf(policy, rules);
  const isVerified = verifies(policy) !== undefined;
  return meshRules(policy, rules).map((rule) => {
    const { who, agent, alone, as, tools } = rule;
    return meshRule(
      FILE,
      rule,
      { host: domainsOf(rule, authorities)[0] as string, as: spiffeOf(policy, rule) },
      {
        who: isVerified ? who : { kind: 'anyone' },
        ...(isVerified && agent !== undefined && { agent }),
        ...(isVerified && alone && { alone }),
        ...(tools && { tools: namedTools(tools) }),
        ...assertedBy(isVerified && who.kind !== 'anyone' ? as : undefined),
      },
    );
  });
}

/** Reads a list of alternatives. It must not be empty: meshgate renders no empty list, and Envoy does not load one. */
function alternatives(permission: EnvoyPermission): readonly EnvoyPermission[] {
  if (!('or_rules' in permission)) return [permission];
  if (permission.or_rules.rules.length === 0) throw unlike(permission);
  return permission.or_rules.rules;
}

/** The values in a header matcher with this name; undefined if the permission is something else. */
function headerValues(permission: EnvoyPermission, name: string): readonly string[] | undefined {
  const values = alternatives(permission).map((it) =>
    'header' in it && it.header.name === name && 'exact' in it.header.string_match
      ? it.header.string_match.exact
      : undefined,
  );
  return values.every((value) => value !== undefined) ? (values as string[]) : undefined;
}

/** The paths in a list of matchers. */
const paths = (permissions: readonly EnvoyPermission[]): readonly Path[] =>
  pathsIn(
    permissions.flatMap(alternatives),
    (it) => {
      if (!('url_path' in it)) return undefined;
      const match = it.url_path.path;
      if ('exact' in match) return match;
      return 'prefix' in match && match.prefix.endsWith('/') ? { below: match.prefix.slice(0, -1) } : undefined;
    },
    unlike,
  );

function pathOf(permissions: readonly EnvoyPermission[]): Path {
  const [own, ...more] = paths(permissions.filter((it) => !('not_rule' in it)));
  if (own === undefined || more.length > 0) throw unlike(permissions);
  const except = permissions.flatMap((it) => ('not_rule' in it ? paths(alternatives(it.not_rule)) : []));
  if ('exact' in own) return own;
  return { prefix: own.prefix, except };
}

/** The authorities of a rule; undefined if the rule names none. */
export function authoritiesIn({ permissions: [first] }: RbacPolicy): readonly string[] | undefined {
  if (first === undefined || !('and_rules' in first)) return undefined;
  return first.and_rules.rules.map((it) => headerValues(it, ':authority')).find((it) => it !== undefined);
}

type Connects = ReturnType<typeof principal>;

type Principal = Connects | { readonly and_ids: { readonly ids: readonly [Connects, ...ClaimPrincipal[]] } };

/** The callers, the identity and the agent that the conditions for the assertion describe. */
function reportedOf(says: readonly ClaimPrincipal[]) {
  const wanted = new Map<string, ClaimValue>();
  let agent: Pick<Enforced, 'agent' | 'alone'> = {};
  for (const one of says) {
    const { path, value } = ('not_id' in one ? one.not_id : one).sourced_metadata.metadata_matcher;
    const name = path[1]?.key ?? '';
    if ('not_id' in one) agent = { agent: null };
    else wanted.set(name, value);
  }
  const named = wanted.get('agent')?.string_match?.exact;
  if (named !== undefined) agent = { agent: named, ...(wanted.has(ALONE) && { alone: true as const }) };
  const as = wanted.get('as')?.string_match?.exact;
  const who = personOf(as !== undefined, wanted.get('roles')?.list_match?.one_of.string_match.exact);
  // The conditions that meshgate would render for this meaning.
  const understood = says.length === 0 ? [] : assertionPrincipals({ who, as: as ?? '', ...agent });
  return { declared: { who, ...agent, ...assertedBy(as) }, understood };
}

function personOf(asserted: boolean, role: string | undefined): PersonWho {
  if (role !== undefined) return { kind: 'role', role };
  return { kind: asserted ? 'authenticated' : 'anyone' };
}

/** The tools that a rule allows its agent; undefined if the rule does not read tools. */
function toolsOf(rules: readonly EnvoyPermission[]): readonly string[] | undefined {
  const [own, ...more] = rules.filter(isOfTools);
  if (own === undefined) return undefined;
  const tools = toolsIn(own);
  if (more.length > 0 || differences(toolPermission(tools), own).length > 0) throw unlike(own);
  return tools;
}

function readPolicy(id: string, live: RbacPolicy): MeshRule {
  const { permissions, principals } = live;
  const [first] = permissions;
  if (first === undefined || permissions.length !== 1 || !('and_rules' in first) || principals.length !== 1)
    throw unlike(id);
  const { rules } = first.and_rules;
  const domains = authoritiesIn(live) ?? [];
  const [authority] = domains;
  const methods = rules.map((it) => headerValues(it, ':method')).find((it) => it !== undefined);
  if (authority === undefined) throw unlike(id);
  const tools = toolsOf(rules);
  const isPath = (it: EnvoyPermission) =>
    !headerValues(it, ':authority') && !headerValues(it, ':method') && !isOfTools(it);
  const path = pathOf(rules.filter(isPath));
  const client = principals[0] as Principal;
  const [connects, ...says] = 'and_ids' in client ? client.and_ids.ids : [client];
  const spiffe = connects.custom.typed_config.san_matcher.matcher.exact;
  const { declared, understood } = reportedOf(says);
  const seen = { domains, path, ...(methods && { methods }), ...(tools && { tools }), spiffe, says: understood };
  requireSameForm(rbacPolicy(seen), live, { path: `rule ${id}: ` });
  const rule = { id, route: id.slice(0, id.lastIndexOf('#')), path, ...(methods !== undefined && { methods }) };
  return meshRule(FILE, rule, { host: authority, as: spiffe }, { ...declared, ...(tools && { tools }) });
}

type Policies = Readonly<Record<string, RbacPolicy>>;
type Filter = { readonly typed_config: { readonly rules: { readonly policies: Policies } } };

/** Finds a filter of the only listener, at any depth. */
function findFilter(node: unknown): Filter | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  if ('name' in node && node.name === ALLOW_FILTER) return node as unknown as Filter;
  for (const child of Object.values(node)) {
    const found = findFilter(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Reads Envoy's configuration as rules, reduced to what Envoy can express; see {@link envoyProjection}.
 * @throws Foreign if the configuration has no rules of meshgate; Error for rules that meshgate did not render */
export const rulesInEnvoy = (tree: unknown): readonly MeshRule[] =>
  Object.entries(policiesIn(tree)).map(([id, policy]) => readPolicy(id, policy));

/** The rules in Envoy's form, by id; throws Foreign if there are none. */
export function policiesIn(tree: unknown): Policies {
  const filter = findFilter(tree);
  if (filter === undefined)
    throw new Foreign('no rules of meshgate; give the file that "meshgate render --target envoy" wrote');
  return filter.typed_config.rules.policies ?? {};
}

/** All documents of the files. */
export const documentsOf = perFiles((files) =>
  Object.entries(files).flatMap(([name, text]) => allDocumentsIn(name, text)),
);

/** Reads exactly one file, with any name, back as rules; see {@link rulesInEnvoy}. */
export const readEnvoy = (files: Files): readonly MeshRule[] => rulesInEnvoy(documentsOf(files)[0]);
