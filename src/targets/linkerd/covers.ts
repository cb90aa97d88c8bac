import type { Policy } from '../../policy/types.ts';
import { compile } from '../../rules/compile.ts';
import { overlap } from '../../rules/cover.ts';
import { type Enforced, writtenId } from '../../rules/enforced.ts';
import type { Path, Rule } from '../../rules/types.ts';
import { whoText } from '../indistinct.ts';
import { NAMED, unnamedOf } from '../named-methods.ts';
import { Paths } from '../reach.ts';
import type { Coverage } from '../types.ts';
import { widerTexts } from '../wider.ts';
import { type Client, clientOf } from './identity.ts';
import { tiesOf } from './matches.ts';
import { type Authority, lackOf, type Workload, workloadsOf } from './workloads.ts';

/** A rule where Linkerd holds it. */
export interface Held {
  readonly rule: Enforced;
  readonly who: string;
  readonly client: Client;
  readonly place: Place;
}

/** All that Linkerd holds for one authority. */
interface Place {
  readonly authority: Authority;
  /** Whether other authorities have the same workload. */
  readonly shared: boolean;
  /** By their path, which most rules have in common with others. */
  readonly held: ReadonlyMap<Path, Held[]>;
  /** Exact paths that the path alone does not tell from the prefix of the same path. */
  readonly ties: ReadonlySet<string>;
}

/** Something of a rule that Linkerd does not hold as it is; not `wider` where nginx never sends what would pass. */
export interface Lack {
  readonly text: string;
  readonly wider: boolean;
}

function placeOf(policy: Policy, authority: Authority, { authorities }: Workload): Place {
  const client = (rule: Rule) => clientOf(policy, rule);
  const held = new Map<Path, Held[]>();
  const ties = new Set(tiesOf(Paths.of(authority.rules, client)));
  const place: Place = { authority, shared: authorities.length > 1, held, ties };
  for (const rule of authority.rules) {
    const own = { rule, who: whoText(rule), client: client(rule), place };
    held.set(rule.path, [...(held.get(rule.path) ?? []), own]);
  }
  return place;
}

/** Every rule that Linkerd holds, by its authority and path. */
export function heldOf(policy: Policy, workloads: readonly Workload[]): readonly Held[] {
  return workloads.flatMap((workload) =>
    workload.authorities.flatMap((authority) => [...placeOf(policy, authority, workload).held.values()].flat()),
  );
}

function methodsMeet(a: Rule, b: Rule): boolean {
  return a.methods === undefined || b.methods === undefined || a.methods.some((method) => b.methods?.includes(method));
}

/** Rules of other callers that Linkerd cannot tell from this one: same client, authority, and a request in common. */
function indistinct({ rule, who, client, place }: Held): readonly Held[] {
  const near = [...place.held].flatMap(([path, held]) => (overlap(rule.path, path) ? held : []));
  return near.filter((other) => other.client.id === client.id && other.who !== who && methodsMeet(rule, other.rule));
}

/** So many are named. */
const NAMES = 3;

function roleText({ who, client }: Held, others: readonly Held[]): string {
  const named = others.slice(0, NAMES).map((other) => `${other.who} (${other.rule.id})`);
  const more = others.length - named.length;
  const names = `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  const cure =
    client.name === 'ingress'
      ? 'the gateway alone tells them apart, and a service that has to know verifies the assertion'
      : 'give one of them an identity of its own if the mesh has to tell them apart';
  return `Linkerd sees who connects and not the role: ${who} comes as ${client.name} (${client.id}), as ${names} on the same requests; ${cure}`;
}

function methodText(unnamed: readonly string[]): string {
  return `routes of Linkerd can name no method but ${NAMED.join(', ')}: where ${unnamed.join(', ')} passes, all others do; the gateway alone tells them apart`;
}

function tieText({ authority: { host }, shared }: Place): string {
  const same = 'Linkerd counts an exact path no more than the prefix of the same path';
  if (shared) {
    return `${same}, and the workload has several authorities: whoever may reach the one may reach the other; give the service pods of its own`;
  }
  const dot = host.indexOf('.');
  const others = dot < 0 ? 'any other host' : `any other host in ${host.slice(dot + 1)}`;
  return `${same}, so the host ${host} tells them apart: a request for ${others}, which nginx never sends, is held as one of the prefix`;
}

/** Whether the path cannot be told from another by itself. Of two that are held as one, both cannot. */
function isTied(path: Path, { ties, shared }: Place): boolean {
  if ('exact' in path) return ties.has(path.exact);
  return shared && ties.has(path.prefix === '' ? '/' : path.prefix);
}

/** What Linkerd does not hold of one rule. */
export function lacksOf(held: Held): readonly Lack[] {
  const { rule, place } = held;
  const others = indistinct(held);
  const unnamed = unnamedOf(rule);
  const tied = isTied(rule.path, place);
  return [
    ...(others.length > 0 ? [{ text: roleText(held, others), wider: true }] : []),
    ...(unnamed.length > 0 ? [{ text: methodText(unnamed), wider: true }] : []),
    ...(tied ? [{ text: tieText(place), wider: place.shared }] : []),
  ];
}

/**
 * How well Linkerd holds one rule by itself: at the workload it sees host, path, method and the identity of the client,
 * so a role is held only where its identity is its own.
 */
export function covers(rule: Rule, policy: Policy): Coverage {
  const service = policy.services[rule.service];
  if (service === undefined || service.direct !== undefined) {
    return { kind: 'none', text: `${rule.service} is reached directly and not through the mesh` };
  }
  const lack = lackOf(service);
  if (lack !== undefined) return { kind: 'none', text: lack };
  const all = heldOf(policy, workloadsOf(policy, compile(policy)));
  const held = all.filter((it) => writtenId(it.rule.id) === rule.id);
  const lacks = held.flatMap(lacksOf).flatMap(({ text, wider }) => (wider ? text : []));
  const rules = all.map((it) => it.rule);
  const texts = [...lacks, ...widerTexts(policy, rules, rule.id, 'Linkerd', false)];
  return texts.length === 0 ? { kind: 'exact' } : { kind: 'wider', text: texts.join('; ') };
}
