import { PORT } from './istio-policies.ts';
import type { Mutant } from './mutants.ts';
import type { Rendered } from './types.ts';

/** Whether Istio's authorization policies allow the same requests with one rule changed: what it gains or loses, others
 * allow as well. Istio's matching is done here, on one request of each kind that the rules distinguish. */

// biome-ignore lint/suspicious/noExplicitAny: a mutant may have any shape
type Json = any;

/** Istio's `AuthorizationPolicy` rule, as far as it is rendered. */
interface Rule {
  readonly from?: readonly { readonly source: Json }[];
  readonly to?: readonly { readonly operation: Json }[];
  readonly when?: readonly Json[];
}

interface Requested {
  readonly principal: string;
  readonly host: string;
  readonly method: string;
  readonly path: string;
}

type Claims = Readonly<Record<string, string | undefined>>;

/** The form of a rule is not among the rendered ones, or their changes. */
class Unknown extends Error {}

/** Exact, or with `*` at an end; `*` alone is any text that is not empty. */
function matches(pattern: string, text: string): boolean {
  if (pattern === '*') return text !== '';
  if (pattern.endsWith('*')) return text.startsWith(pattern.slice(0, -1));
  return pattern.startsWith('*') ? text.endsWith(pattern.slice(1)) : text === pattern;
}

const some = (patterns: readonly string[] | undefined, text: string): boolean =>
  patterns === undefined || patterns.length === 0 || patterns.some((it) => matches(it, text));

function only(value: Json, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Object.keys(value).some((key) => !known.includes(key)))
    throw new Unknown(JSON.stringify(value));
}

/** Whether source and operation of a rule match, at the only port on which the pods of the matrix listen. A unit test of
 * the target changes the ports of rules (shared-pods.test.ts). */
function isFor({ from = [], to = [] }: Rule, requested: Requested): boolean {
  const source = ({ source }: Json) => {
    only(source, ['principals']);
    return some(source.principals, requested.principal);
  };
  const operation = ({ operation }: Json) => {
    only(operation, ['hosts', 'ports', 'methods', 'paths', 'notPaths']);
    const { hosts, ports, methods, paths, notPaths = [] } = operation;
    const not = notPaths.some((it: string) => matches(it, requested.path));
    return (
      some(hosts, requested.host) &&
      some(ports, String(PORT)) &&
      some(methods, requested.method) &&
      some(paths, requested.path) &&
      !not
    );
  };
  return (from.length === 0 || from.some(source)) && (to.length === 0 || to.some(operation));
}

const CLAIM = /^request\.auth\.claims\[(\w+)\]$/;
const HEADER = /^request\.headers\[([\w-]+)\]$/;

/** Headers of a request, by name. */
type Headers = Readonly<Record<string, string>>;

/** Whether the conditions of a rule match. */
export function says({ when = [] }: Pick<Rule, 'when'>, claims: Claims | undefined, headers: Headers = {}): boolean {
  return when.every((condition: Json) => {
    only(condition, ['key', 'values', 'notValues']);
    const name = CLAIM.exec(condition.key)?.[1];
    const header = HEADER.exec(condition.key)?.[1];
    if (name === undefined && header === undefined) throw new Unknown(condition.key);
    const reported = header === undefined ? claims?.[name as string] : headers[header];
    const has = (patterns: readonly string[]) => reported !== undefined && patterns.some((it) => matches(it, reported));
    const { values, notValues } = condition;
    if (values === undefined && notValues === undefined) throw new Unknown(condition.key);
    return (values === undefined || has(values)) && (notValues === undefined || !has(notValues));
  });
}

/** A character with which no text of the objects continues. */
const MORE = '~';

/** One text of each kind that some patterns distinguish. */
function kinds(patterns: readonly string[]): readonly string[] {
  const texts = patterns.flatMap((it) => {
    const plain = it.replace(/^\*|\*$/g, '');
    return [plain, plain + MORE];
  });
  return [...new Set([...texts, MORE])];
}

/** All texts below nodes, by their field. */
function textsOf(node: Json, found = new Map<string, string[]>(), field = ''): ReadonlyMap<string, readonly string[]> {
  if (typeof node === 'string') found.set(field, [...(found.get(field) ?? []), node]);
  else if (Array.isArray(node)) for (const child of node) textsOf(child, found, field);
  else if (typeof node === 'object' && node !== null) {
    const named = [CLAIM, HEADER].map((it) => it.exec(node.key ?? '')?.[1]).find((it) => it !== undefined);
    for (const [key, child] of Object.entries(node)) textsOf(child, found, named === undefined ? key : named);
  }
  return found;
}

/** The possible requests: the accepted connections, the forwarded hosts, and the issuers whose assertions are
 * verified. */
interface MeshContext {
  /** Absent: every client with a certificate of the mesh. */
  readonly principals?: readonly string[];
  /** Absent: any, because there is only the one service. */
  readonly hosts?: readonly string[];
  readonly issuers: readonly string[];
  readonly audiences: readonly string[];
}

function contextOf(objects: readonly Json[]): MeshContext {
  const gateway = objects.find(({ kind }) => kind === 'Gateway');
  const rules = objects.filter(({ kind }) => kind === 'RequestAuthentication').flatMap(({ spec }) => spec.jwtRules);
  const names = objects.filter(({ kind }) => kind === 'VirtualService').flatMap(({ spec }): string[] => spec.hosts);
  return {
    ...(gateway && {
      principals: gateway.spec.servers[0].tls.subjectAltNames.map((it: string) => it.replace('spiffe://', '')),
      hosts: names.flatMap((name) => [name, `${name}:${MORE}`]),
    }),
    issuers: rules.map(({ issuer }) => issuer),
    audiences: rules.flatMap(({ audiences }) => audiences),
  };
}

/** Callers that rules distinguish. One role at a time: no role makes a request fail. */
function callersOf(
  texts: ReadonlyMap<string, readonly string[]>,
  { issuers, audiences }: MeshContext,
): readonly Claims[] {
  const [as, roles, agents, alone] = ['as', 'roles', 'agent', 'alone'].map((name) => kinds(texts.get(name) ?? []));
  return issuers.flatMap((iss) =>
    [...new Set(audiences)].flatMap((aud) =>
      [undefined, ...(as ?? [])].flatMap((own) =>
        [undefined, ...(roles ?? [])].flatMap((role) =>
          [undefined, ...(agents ?? [])].flatMap((agent) =>
            [undefined, ...(agent === undefined ? [] : (alone ?? []))].map((itself) => ({
              ...{ iss, aud, as: own, roles: role, agent, alone: itself },
            })),
          ),
        ),
      ),
    ),
  );
}

function requestsOf(
  texts: ReadonlyMap<string, readonly string[]>,
  { principals, hosts = [MORE] }: MeshContext,
): readonly Requested[] {
  const of = (name: string) => kinds(texts.get(name) ?? []);
  const paths = [...of('paths'), ...of('notPaths'), '/', `/${MORE}`].filter((it) => it.startsWith('/'));
  return (principals ?? of('principals')).flatMap((principal) =>
    hosts.flatMap((host) =>
      of('methods').flatMap((method) => [...new Set(paths)].map((path) => ({ principal, host, method, path }))),
    ),
  );
}

const headersIn = (rules: readonly (Rule | undefined)[]): readonly string[] =>
  rules.flatMap((rule) => (rule?.when ?? []).flatMap(({ key }) => HEADER.exec(key)?.[1] ?? []));

/** Headers that the compared rules read. A request without one passes by no more rules than one with it. */
function messagesOf(both: readonly (Rule | undefined)[], texts: ReadonlyMap<string, readonly string[]>) {
  return [...new Set(headersIn(both))].reduce<readonly Headers[]>(
    (found, name) =>
      found.flatMap((it) => [it, ...kinds(texts.get(name) ?? []).map((value) => ({ ...it, [name]: value }))]),
    [{}],
  );
}

/**
 * Whether a mutant of one rule allows the same requests.
 *
 * @param original the objects of the ingress, or of one workload, as they were rendered
 */
export function isSameForAll(original: readonly Rendered[], { version, object, path }: Mutant): boolean {
  const index = Number(/^spec\/rules\/(\d+)/.exec(path)?.[1] ?? Number.NaN);
  if (Number.isNaN(index) || !object.startsWith('AuthorizationPolicy ')) return false;
  const objectIn = (objects: readonly Rendered[]): Json => objects.find(({ name }) => name === object)?.value;
  const [before, changed] = [objectIn(original), objectIn(version)];
  const isDropped = changed.spec.rules.length < before.spec.rules.length;
  const one: Rule = before.spec.rules[index];
  const other: Rule | undefined = isDropped ? undefined : changed.spec.rules[index];
  const others: readonly Rule[] = original
    .map(({ value }): Json => value)
    .filter(({ kind }) => kind === 'AuthorizationPolicy')
    .flatMap(({ spec }) => spec.rules)
    .filter((it) => it !== one);
  const context = contextOf(original.map(({ value }) => value));
  const texts = textsOf([one, other, others]);
  try {
    const callers = [undefined, ...callersOf(texts, context)];
    const messages = messagesOf([one, other], texts);
    return requestsOf(texts, context).every((requested) => {
      const [first, second] = [isFor(one, requested), other !== undefined && isFor(other, requested)];
      if (!first && !second) return true;
      const near = others.filter((it) => isFor(it, requested));
      return callers.every((claims) =>
        messages.every((headers) => {
          const left = first && says(one, claims, headers);
          const right = second && other !== undefined && says(other, claims, headers);
          return left === right || near.some((it) => says(it, claims, headers));
        }),
      );
    });
  } catch (error) {
    if (error instanceof Unknown) return false;
    throw error;
  }
}
