import { type ProviderKind, providerKinds } from '../providers/index.ts';
import { kindOfDraft } from './check-kinds.ts';
import { type DraftFact, type DraftPolicy, routesOf, writes } from './draft.ts';
import { allFacts, type FactAt, GROUPINGS, OPERATORS, roleFacts } from './facts.ts';
import { namesOf } from './names.ts';
import { quote } from './path.ts';
import { draftReader } from './read-facts.ts';
import type { Report } from './report.ts';

/**
 * Facts ask for what tokens of their provider's kind have; and of a provider whose tokens anybody in the world can have,
 * that a token is good lets nobody in.
 */
export function checkKindFacts(report: Report, draft: DraftPolicy): void {
  const names = namesOf(report, 'provider') ?? [];
  const kindOf = (name: string | undefined): ProviderKind | undefined => {
    const kind = name === undefined ? undefined : kindOfDraft(draft.providers?.[name]);
    return kind && providerKinds[kind];
  };
  const only = names.length === 1 ? names[0] : undefined;
  for (const role of roleFacts(draft)) {
    for (const at of allFacts(role)) {
      const named = typeof at.fact === 'object' ? at.fact.provider : undefined;
      const kind = kindOf(named ?? at.provider ?? only);
      if (kind !== undefined) checkFact(report, at, kind);
    }
  }
  checkAnybody(report, draft, (name) => kindOf(name)?.ofAnybody === true);
  for (const name of names) {
    const owners = kindOf(name)?.owners;
    if (owners !== undefined) checkOwners(report, draft, name, owners);
  }
}

type Owners = NonNullable<ProviderKind['owners']>;

/** A role that a token of the provider can give names exactly whose the token is. */
function checkOwners(report: Report, draft: DraftPolicy, provider: string, owners: Owners): void {
  const named = namesOwner(provider, owners)(draft);
  for (const { role, fact, path } of roleFacts(draft)) {
    if (report.touches(path) || fact === undefined || named.role(role)) continue;
    const message = `anybody on ${owners.at} can have this role: nothing in it names a repository or an owner exactly; write ${owners.write}, beside the rest in all`;
    report.add(path, message, 'key');
  }
}

/** Whether a fact is true of no token of the provider, or only of those whose owner it names. */
const namesOwner = (provider: string, owners: Owners) =>
  draftReader<boolean>(() => ({
    leaf: (fact) => leafNamesOwner(fact as DraftForm, provider, owners),
    sum: (op, parts) => (op === 'all' ? parts.includes(true) : op === 'any' && !parts.includes(false)),
    missing: true,
  }));

type DraftForm = Exclude<DraftFact, string>;

function leafNamesOwner(fact: DraftForm, provider: string, owners: Owners): boolean {
  if (writes(fact, 'none')) return false;
  if (writes(fact, 'network', 'certificate') || (fact.provider !== undefined && fact.provider !== provider))
    return true;
  const { claim, like } = fact;
  if (claim === undefined || !Object.hasOwn(owners.claims, claim)) return false;
  if (like === undefined) return true;
  const begin = owners.claims[claim];
  return !like.includes('*') || (begin !== undefined && new RegExp(begin).test(like));
}

function checkFact(report: Report, { fact, path, within = [] }: FactAt, kind: ProviderKind): void {
  if (typeof fact !== 'object' || report.touches(path)) return;
  const instead = 'write { claim: NAME, is: VALUE }';
  if (fact.group !== undefined && kind.groups === undefined) {
    const message = `never true: tokens of the kind ${kind.name} have no groups of their own; ${instead}`;
    report.add([...path, 'group'], message, 'key');
  } else if (fact.scope !== undefined && kind.scopes.length === 0) {
    report.add([...path, 'scope'], `never true: tokens of the kind ${kind.name} have no scopes; ${instead}`, 'key');
  } else if (kind.ofAnybody && isProviderAlone(fact) && !within.some(saysMore)) {
    report.add(path, anybody(kind.name), 'key');
  }
}

const anybody = (kind: string): string =>
  `anybody in the world can have a token of the kind ${kind}; write all: [{ provider: … }, { claim: …, is: … }] with what makes it one of yours`;

/** A fact that a token is of this provider, and nothing else. */
const isProviderAlone = (fact: DraftFact | undefined): boolean =>
  typeof fact === 'object' && fact.provider !== undefined && !writes(fact, ...OPERATORS, ...GROUPINGS);

/** Whether something is asked for in an `all` beside the provider: what is not there, `none`, says nothing of who it is. */
const saysMore = (fact: DraftFact): boolean =>
  typeof fact === 'object' &&
  (fact.all ?? []).some((it) => it === undefined || (!isProviderAlone(it) && !(typeof it === 'object' && it.none)));

function checkAnybody(report: Report, draft: DraftPolicy, isOpen: (provider: string) => boolean): void {
  for (const { host, route, path, hostName } of routesOf(draft)) {
    const accepted = host.providers ?? Object.keys(draft.providers ?? {});
    const open = accepted.find((name) => name !== undefined && isOpen(name));
    if (open === undefined) continue;
    for (const [index, rule] of (route.allow ?? []).entries()) {
      const who = typeof rule === 'object' ? rule.who : rule;
      if (who !== 'authenticated') continue;
      const message = `anybody in the world can have a token of provider ${quote(open)}, which ${hostName} accepts; write a role`;
      report.add([...path, 'allow', index], message, 'key');
    }
  }
}
