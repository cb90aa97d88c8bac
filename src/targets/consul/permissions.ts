import { pathAtoms } from '../../rules/compare/atoms.ts';
import type { Enforced } from '../../rules/enforced.ts';
import {
  areAmong,
  coversMessages,
  type HeaderIs,
  headerConditions,
  type Messages,
  messageKinds,
} from '../kit/message-order.ts';
import { NAMED, REST } from '../kit/methods.ts';
import { encodableOf, nonCanonicalPattern } from '../kit/non-canonical-paths.ts';
import { MESH_METHODS, NO_CALLERS, namesKey, type Reach, RulesByPath, sameReach } from '../kit/reach.ts';
import { grouped } from '../kit/rules.ts';
import { merged, type Node } from './merge.ts';
import { fewest, type HeldClaim, type Pass, requiredClaims } from './pass.ts';
import { type ConsulPath, regexOf } from './path-regex.ts';

/** Consul's `IntentionHTTPHeaderPermission`, with the members that meshgate renders. */
export interface Header {
  readonly Name: string;
  readonly Exact?: string;
  readonly Regex?: string;
  readonly Invert?: true;
}

/** Consul's `IntentionPermission`, with the members that meshgate renders. */
export interface ConsulPermission {
  readonly Action: 'allow' | 'deny';
  readonly HTTP: {
    readonly PathExact?: string;
    readonly PathPrefix?: string;
    readonly PathRegex?: string;
    /** Absent: all methods. */
    readonly Methods?: readonly string[];
    /** Absent: the headers do not matter. */
    readonly Header?: readonly Header[];
  };
  readonly JWT?: {
    readonly Providers: readonly { readonly Name: string; readonly VerifyClaims: readonly HeldClaim[] }[];
  };
}

function permission(http: ConsulPermission['HTTP'], passes: readonly Pass[], provider: string): ConsulPermission {
  if (passes.length === 0) return { Action: 'deny', HTTP: http };
  const says = passes.flatMap((pass) => pass.says ?? []);
  const providers = says.map((it) => ({ Name: provider, VerifyClaims: requiredClaims(it) }));
  return { Action: 'allow', HTTP: http, ...(providers.length > 0 && { JWT: { Providers: providers } }) };
}

const header = ({ name, exact, regex, not }: HeaderIs): Header => ({
  Name: name,
  ...(exact !== undefined && { Exact: exact }),
  ...(regex !== undefined && { Regex: regex }),
  ...(not && { Invert: true }),
});

/** A kind of messages, or all other messages, and the callers that may send them. */
interface Case {
  readonly messages?: Messages;
  readonly passes: readonly Pass[];
}

/** The kinds of messages in their order, then all other messages, each with its callers. A kind is left out if
 * the next case that includes it has the same callers. */
function casesOf(passes: readonly Pass[]): readonly Case[] {
  const always = passes.filter(({ tools }) => tools === undefined);
  const some = passes.flatMap(({ tools }) => tools ?? []);
  if (some.length === 0) return [{ passes }];
  const all = messageKinds(some.flatMap(({ patterns }) => patterns)).map((messages) => {
    const more = some.flatMap(({ patterns, open }) => (coversMessages(patterns, messages) ? open : []));
    return { messages, passes: fewest(unique([...always, ...more])) };
  });
  const others: Case = { passes: always };
  const declared = (own: Case & { messages: Messages }, index: number) =>
    all.slice(index + 1).find(({ messages }) => areAmong(own.messages, messages)) ?? others;
  return [...all.filter((own, index) => namesKey(own.passes) !== namesKey(declared(own, index).passes)), others];
}

const unique = (passes: readonly Pass[]): readonly Pass[] => {
  const named = new Map(passes.map((pass) => [pass.name, pass]));
  return [...named.values()].sort((a, b) => byText(a.name, b.name));
};

/** A decision at a path: the callers that pass with these methods and messages. */
interface Decision extends Case {
  /** Absent: all methods. */
  readonly methods?: readonly string[];
}

const keyOf = ({ methods, messages, passes }: Decision): string =>
  JSON.stringify([methods, messages, namesKey(passes)]);

/** One decision; or several, one for each kind of messages that only some callers may send. */
const decisions = (methods: readonly string[] | undefined, passes: readonly Pass[]): readonly Decision[] =>
  casesOf(passes).map((it) => ({ ...it, ...(methods && { methods }) }));

const passesOf = (reach: Reach<Pass>, method: string): readonly Pass[] => reach.get(method) ?? [];

/** The smallest list of decisions that enforces `reach` at a path, if the permissions after it enforce `otherwise`. */
function decisionsAt(reach: Reach<Pass>, otherwise: Reach<Pass>): readonly Decision[] {
  // If no caller passes, the decision need not distinguish methods.
  if (MESH_METHODS.every((method) => passesOf(reach, method).length === 0)) {
    return sameReach(reach, otherwise) ? [] : [{ passes: [] }];
  }
  const differs = (method: string, from: readonly Pass[]) => namesKey(passesOf(reach, method)) !== namesKey(from);
  const rest = passesOf(reach, REST);
  const all = differs(REST, passesOf(otherwise, REST));
  const different = NAMED.filter((method) => differs(method, all ? rest : passesOf(otherwise, method)));
  const groups = grouped(different, (method) => namesKey(passesOf(reach, method)));
  const named = [...groups.values()].flatMap((methods) => {
    const [method] = methods;
    const own = decisions(methods, passesOf(reach, method));
    // The following permissions may decide for callers that pass with any message.
    const others = passesOf(reach, method).filter(({ tools }) => tools === undefined);
    return namesKey(others) === namesKey(all ? rest : passesOf(otherwise, method)) ? own.slice(0, -1) : own;
  });
  return all ? [...named, ...decisions(undefined, rest)] : named;
}

/** The path of a permission: plain if it is one place, else an expression. */
function pathFor(places: readonly ConsulPath[]): ConsulPermission['HTTP'] {
  const [first, ...others] = places;
  if (first === undefined || others.length > 0) return { PathRegex: regexOf(places) };
  return first.kind === 'exact' ? { PathExact: first.value } : { PathPrefix: first.value };
}

const byText = (a: string, b: string): number => (a < b ? -1 : 1);
const longestFirst = (a: string, b: string): number => b.length - a.length || byText(a, b);

const EVERY_PATH = '/';

/** A list of permissions that allows exactly the callers that the rules allow. Consul uses the first permission that
 * matches the path and the method, even if the request does not meet its JWT requirement. So a place comes before the
 * prefixes around it. Equal decisions at several places are one permission.
 * @param rules the rules of one source; not empty
 * @param pass returns the callers that a rule allows
 * @param provider the name of the `jwt-provider` that verifies the gateway's assertion: the owner of the entries */
export function permissionsOf(
  rules: readonly Enforced[],
  pass: (rule: Enforced) => Pass,
  provider: string,
): readonly ConsulPermission[] {
  const paths = new RulesByPath(rules, (rule) => [pass(rule)]);
  const at = (path: string): Reach<Pass> =>
    new Map([...paths.at(path)].map(([method, passes]) => [method, fewest(passes)]));
  const atoms = pathAtoms(paths.all);
  const points = atoms.filter(({ kind }) => kind === 'point').map(({ path }) => path);
  // The longest prefix comes first. A prefix ends with a slash here, so it does not match the path itself, which is a
  // place of its own.
  const prefixes = atoms
    .filter(({ kind }) => kind === 'below')
    .sort((a, b) => longestFirst(a.base, b.base))
    .map(({ base, path }) => ({ base, prefix: `${base}/`, reach: at(path) }));
  // The callers that the next longest prefix of a path allows.
  const around = (path: string) => prefixes.find(({ prefix }) => path.startsWith(prefix))?.reach ?? NO_CALLERS;
  const nodes: readonly Node<Decision>[] = [
    ...points.map((point) => ({
      place: { kind: 'exact' as const, value: point },
      decisions: decisionsAt(at(point), around(point)),
    })),
    ...prefixes.map(({ base, prefix, reach }) => ({
      place: { kind: 'prefix' as const, value: prefix },
      decisions: decisionsAt(reach, around(base)),
    })),
  ];
  const all = merged(nodes, keyOf);
  const own = all.map(({ places, decision: { methods, messages, passes } }) =>
    permission(
      {
        ...pathFor(places),
        ...(methods && { Methods: methods }),
        ...(messages && { Header: headerConditions(messages).map(header) }),
      },
      passes,
      provider,
    ),
  );
  const opens = all.some(({ places, decision }) => decision.passes.length > 0 && places.some(isPrefix));
  const last = own.at(-1)?.HTTP;
  const closed = last?.PathPrefix === EVERY_PATH && last.Methods === undefined;
  // Denies raw paths that Consul's proxies would match with another rule than nginx or the service does.
  const unexpected = permission({ PathRegex: nonCanonicalPattern(encodableOf(rules)) }, [], provider);
  return [
    ...(opens ? [unexpected] : []),
    ...own,
    ...(closed ? [] : [permission({ PathPrefix: EVERY_PATH }, [], provider)]),
  ];
}

const isPrefix = ({ kind }: ConsulPath): boolean => kind === 'prefix';
