import type { Change, Methods } from '../../rules/compare/diff.ts';
import type { Affected } from '../../rules/compare/minimal.ts';
import type { DefinitionChange } from '../../rules/compare/parts.ts';
import type { Region } from '../../rules/compare/regions.ts';
import type { Effect } from '../../rules/compare/role-changes.ts';
import type { Rule } from '../../rules/types.ts';
import { aloneText, whoText } from '../common/words.ts';

/** Maximum number of exceptions that a line names. If there are more, it gives their number. */
const MOST_EXCEPTIONS = 5;

export function affectedText(who: Affected): string {
  const sending = who.message === undefined ? '' : `, sending ${who.message}`;
  if (who.kind === 'alone') {
    const more = `${who.roles === undefined ? '' : `, whose token gives ${who.roles.join(', ')}`}${sending}`;
    return `${aloneText(who.agent)}${more}${more && ','}`;
  }
  const person = personText(who);
  return who.agent === undefined ? person : `agent ${who.agent}, for ${person}${sending},`;
}

/** The verb for a role that the request gives in both policies, only in the new one, or only in the old one. */
const GIVES = { '': 'gives', now: 'now gives', 'no longer': 'no longer gives' } as const;

function personText(who: Exclude<Affected, { kind: 'alone' }>): string {
  switch (who.kind) {
    case 'anyone':
      return 'anyone';
    case 'nobody':
      return who.roles === undefined
        ? 'a caller without a credential'
        : `a caller without a credential, where the request ${GIVES[who.given ?? '']} ${who.roles.join(', ')},`;
    case 'authenticated':
      return 'any authenticated caller';
    case 'roles':
      return who.roles.length === 1 ? (who.roles[0] as string) : `a caller who is ${who.roles.join(' and ')}`;
  }
}

/** Lists methods. If GET is listed, HEAD is left out, because GET includes HEAD. */
function listed(methods: readonly string[]): string {
  return methods.filter((method) => method !== 'HEAD' || !methods.includes('GET')).join(', ');
}

function methodsText(methods: Methods): string {
  if (methods === 'all') return 'use any method on';
  return 'only' in methods ? listed(methods.only) : `use any method but ${listed(methods.except)} on`;
}

function regionText(host: string, { path, except }: Region): string {
  const names = except.slice(0, MOST_EXCEPTIONS);
  const more = except.length > names.length ? [`${except.length - names.length} more`] : [];
  const less = except.length === 0 ? '' : ` (but ${[...names, ...more].join(', ')})`;
  return `https://${host}${path}${less}`;
}

const ways = ({ as, service }: Rule, other: Rule): string =>
  [
    ...(as === other.as ? [] : [as === '' ? 'without an identity' : `as ${as}`]),
    ...(service === other.service ? [] : [`to ${service}`]),
  ].join(' ');

function verb(change: Change): string {
  const methods = methodsText(change.methods);
  if (change.kind === 'gained') return `may now ${methods}`;
  return change.kind === 'lost' ? `may no longer ${methods}` : `may still ${methods}`;
}

/** Returns a note if one policy does not know the agent. In that policy the rule applies to a person. */
function unknown({ who: { agent }, before, after }: Change): string {
  if (agent === undefined) return '';
  if (after !== undefined && after.who.kind !== 'agent') return '; the agent does not exist now: it passes as a person';
  return before !== undefined && before.who.kind !== 'agent' ? '; the agent did not exist: it passed as a person' : '';
}

function because({ kind, before, after }: Change, routed: Routed): string {
  if (before !== undefined && after !== undefined) {
    const isSame = before.id === after.id && whoText(before.who) === whoText(after.who);
    const rules = isSame ? `by ${after.id}` : `by ${after.id}, was by ${before.id}`;
    return `now ${ways(after, before)} and not ${ways(before, after)} (${rules})`;
  }
  if (kind === 'lost') return `(was by ${before?.id})`;
  const to = after === undefined || after.service === routed(after) ? '' : `, to ${after.service}`;
  return `(by ${after?.id}${to}${after?.as ? `, as ${after.as}` : ''})`;
}

/** Returns the service of a rule's route. The text names the rule's service only if it differs from this one. */
export type Routed = (rule: Rule) => string | undefined;

/** Describes one change in a sentence without its full stop. */
export function changeText(change: Change, routed: Routed): string {
  const where = change.paths.map((region) => regionText(change.host, region)).join(', ');
  const separator = change.kind === 'changed' ? ',' : '';
  const still = change.still.length === 0 ? '' : `; ${change.still.join(', ')} still may`;
  return `${affectedText(change.who)} ${verb(change)} ${where}${separator} ${because(change, routed)}${unknown(change)}${still}`;
}

/** Maximum number of rules that a line names. If there are more, it gives their number. */
const MOST_RULES = 3;

function rulesOfRole({ rules = [] }: DefinitionChange): string {
  if (rules.length === 0) return '';
  const more = rules.length > MOST_RULES ? ` and ${rules.length - MOST_RULES} more` : '';
  return `; used in ${rules.slice(0, MOST_RULES).join(', ')}${more}`;
}

function effectText({ kind, of, came, went }: Effect): string {
  const or = (facts: readonly string[]) => facts.join(of === 'any' ? ' or ' : ' and ');
  const [more, less] = of === 'any' ? ['now also by', 'no longer by'] : ['now also needs', 'no longer needs'];
  const parts = [
    ...(came.length === 0 ? [] : [`${more} ${or(came)}`]),
    ...(went.length === 0 ? [] : [`${less} ${or(went)}`]),
  ];
  return `${kind === 'other' ? 'means something else' : `is ${kind}`}: ${parts.join(', ')}`;
}

const listOf = (json: string | undefined): readonly string[] => JSON.parse(json ?? '[]') as string[];

/** Describes which providers a host accepts now or no longer accepts. */
function acceptsText({ name, before, after }: DefinitionChange): string {
  const [was, is] = [listOf(before), listOf(after)];
  const [more, less] = [is.filter((it) => !was.includes(it)), was.filter((it) => !is.includes(it))];
  return `host ${name}: ${[
    ...(more.length === 0 ? [] : [`tokens of ${more.join(', ')} are now accepted`]),
    ...(less.length === 0 ? [] : [`tokens of ${less.join(', ')} are no longer accepted`]),
  ].join(', ')}`;
}

function affectsText({ section, affects }: DefinitionChange): string {
  if (affects.length === 0) return '';
  return section === 'header'
    ? ` on ${affects.join(', ')}`
    : `; ${affects.join(', ')} ${affects.length === 1 ? 'depends' : 'depend'} on it`;
}

/** Describes in one line a definition that changed. */
export function definitionText(change: DefinitionChange): string {
  const { section, name, key, before, after } = change;
  const what = section === name ? section : `${section} ${name}`;
  if (section === 'host' && key === 'providers') return acceptsText(change);
  if (change.effect !== undefined) {
    return `${what} ${effectText(change.effect)}${affectsText(change)}${rulesOfRole(change)}`;
  }
  const from = before ?? 'nothing';
  const fromTo = `${key === undefined ? '' : `${key} `}${from} → ${after ?? 'nothing'}`;
  if (section === 'header' || key !== undefined) return `${what}: ${fromTo}${affectsText(change)}`;
  if (before === undefined) return `${what} is new: ${after}${affectsText(change)}`;
  if (after === undefined) return `${what} is gone: it was ${before}${affectsText(change)}`;
  return `${what} means something else: ${fromTo}${affectsText(change)}${rulesOfRole(change)}`;
}
