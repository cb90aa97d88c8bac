import type { Policy } from '../../policy/types.ts';
import { compile } from '../../rules/compile.ts';
import { overlap } from '../../rules/cover.ts';
import { type Enforced, writtenId } from '../../rules/enforced.ts';
import type { Path, Rule } from '../../rules/types.ts';
import { whoText } from '../indistinct.ts';
import { NAMED, unnamedOf } from '../named-methods.ts';
import { twiceText } from '../tool-messages.ts';
import type { Coverage } from '../types.ts';
import { widerTexts } from '../wider.ts';
import { consulRules, sourceOf } from './scene.ts';

/** What nobody in Consul is. */
export const unknownText = (spiffe: string | undefined): string =>
  `${spiffe ?? 'the identity'} is no service in Consul’s default namespace, so nobody passes by it; write mesh.ingress.consul_service, or a SPIFFE id …/ns/default/dc/DATACENTER/svc/NAME`;

/** The held rules of one service and source, by their path, which most have in common with others. */
interface Held {
  readonly rule: Enforced;
  readonly source: string;
  readonly near: ReadonlyMap<Path, readonly Enforced[]>;
}

/** Every rule that Consul holds, with those that it might not tell from it. */
export function heldOf(policy: Policy, rules: readonly Rule[]): readonly Held[] {
  const places = new Map<string, Map<Path, Enforced[]>>();
  return consulRules(policy, rules).map((rule): Held => {
    const source = sourceOf(policy, rule) as string;
    const place = JSON.stringify([rule.service, source]);
    const near = places.get(place) ?? new Map<Path, Enforced[]>();
    places.set(place, near);
    near.set(rule.path, [...(near.get(rule.path) ?? []), rule]);
    return { rule, source, near };
  });
}

function methodsMeet(a: Rule, b: Rule): boolean {
  return a.methods === undefined || b.methods === undefined || a.methods.some((method) => b.methods?.includes(method));
}

/** So many are named. */
const NAMES = 3;

/** Without an assertion callers from one source are one. */
function roleText(policy: Policy, { rule, source, near }: Held): readonly string[] {
  if (policy.gateway.assertion !== undefined) return [];
  const who = whoText(rule);
  const others = [...near]
    .flatMap(([path, rules]) => (overlap(rule.path, path) ? rules : []))
    .filter((other) => whoText(other) !== who && methodsMeet(rule, other));
  if (others.length === 0) return [];
  const named = others.slice(0, NAMES).map((other) => `${whoText(other)} (${other.id})`);
  const more = others.length - named.length;
  const names = `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  const text = `without an assertion Consul sees who connects and not the role: ${who} comes as ${source}, as ${names} on the same requests; write gateway.assertion`;
  return [text];
}

function methodText(rule: Rule): readonly string[] {
  const unnamed = unnamedOf(rule);
  if (unnamed.length === 0) return [];
  const text = `intentions can name no method but ${NAMED.join(', ')}: where ${unnamed.join(', ')} passes, all others do; the gateway alone tells them apart`;
  return [text];
}

/** An assertion that must not be there cannot be asked for. */
function agentText(policy: Policy, { who, agent }: Enforced): readonly string[] {
  if (who.kind !== 'anyone' || agent === undefined || policy.gateway.assertion === undefined) return [];
  return ['intentions cannot say that no agent asks: where anyone passes, agents do; the gateway alone refuses them'];
}

/** Envoy compares each value of a header by itself. */
function toolText({ tools }: Enforced): readonly string[] {
  return tools === undefined ? [] : [twiceText('Consul’s proxies')];
}

/** What Consul does not hold of one rule: each lets more pass. */
export function lacksOf(policy: Policy, held: Held): readonly string[] {
  return [...toolText(held.rule), ...roleText(policy, held), ...methodText(held.rule), ...agentText(policy, held.rule)];
}

/**
 * How well Consul holds one rule by itself. At the workload it sees path, method and who connects, and what the
 * assertion says of service, identity, role and agent; never the host.
 */
export function covers(rule: Rule, policy: Policy): Coverage {
  const service = policy.services[rule.service];
  if (service === undefined || service.direct !== undefined) {
    return { kind: 'none', text: `${rule.service} is reached directly and not through Consul` };
  }
  if (sourceOf(policy, rule) === undefined) {
    return { kind: 'none', text: unknownText(policy.mesh?.identities[rule.as]?.spiffe) };
  }
  const all = heldOf(policy, compile(policy));
  const held = all.filter((it) => writtenId(it.rule.id) === rule.id);
  const rules = all.map((it) => it.rule);
  const lacks = held.flatMap((it) => lacksOf(policy, it));
  const texts = [...new Set([...lacks, ...widerTexts(policy, rules, rule.id, 'Consul')])];
  return texts.length === 0 ? { kind: 'exact' } : { kind: 'wider', text: texts.join('; ') };
}
