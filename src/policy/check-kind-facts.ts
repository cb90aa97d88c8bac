import { type Owners, ownersOf, type ProviderKind, providerKinds, unverifiedNames } from '../providers/index.ts';
import { kindOfDraft } from './check-kinds.ts';
import { type DraftFact, type DraftPolicy, entriesOf, routesOf, writes } from './draft.ts';
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
  checkNames(report, draft, kindOf, only);
  checkAnybody(report, draft, (name) => kindOf(name)?.ofAnybody === true);
  for (const name of names) {
    const owners = ownersOf[kindOf(name)?.name ?? ''];
    if (owners !== undefined) checkOwners(report, draft, name, owners, only);
  }
}

/** A role that a token of the provider can give, and an agent that it can be of, name exactly whose the token is. */
function checkOwners(report: Report, draft: DraftPolicy, provider: string, owners: Owners, only: string | undefined) {
  const why = `nothing in it names ${owners.named} exactly; write ${owners.write}`;
  const says = saysOwner(provider, owners)(draft);
  for (const at of roleFacts(draft)) {
    const { role, path } = at;
    if (says.role(role) !== 'anybody' || allFacts(at).some((inner) => report.touches(inner.path))) continue;
    report.add(path, `anybody on ${owners.at} can have this role: ${why}, beside the rest in all`, 'key');
  }
  for (const [agent, { match }] of entriesOf(draft.agents)) {
    const path = ['agents', agent, 'match'];
    if (match?.claim === undefined || (match.provider ?? only) !== provider || report.touches(path)) continue;
    if (namesOwner(match, owners)) continue;
    report.add(path, `anybody on ${owners.at} can be this agent: ${why}`, 'key');
  }
}

/**
 * What a fact says of the owner of a provider's token: it is true of an owner's alone, or of none; of anybody's; or it looks
 * at the request and not at the token.
 */
type Owned = 'owner' | 'anybody' | 'request';

const saysOwner = (provider: string, owners: Owners) =>
  draftReader<Owned>(() => ({
    leaf: (fact) => leafSaysOwner(fact as DraftForm, provider, owners),
    sum: (op, parts) => {
      const order: readonly Owned[] = op === 'all' ? ['owner', 'anybody'] : ['anybody', 'request'];
      if (op === 'none') return parts.every((part) => part === 'request') ? 'request' : 'anybody';
      return order.find((it) => parts.includes(it)) ?? (op === 'all' ? 'request' : 'owner');
    },
    missing: 'owner',
  }));

type DraftForm = Exclude<DraftFact, string>;

function leafSaysOwner(fact: DraftForm, provider: string, owners: Owners): Owned {
  if (writes(fact, 'none')) return 'anybody';
  if (fact.provider !== undefined && fact.provider !== provider) return 'owner';
  if (writes(fact, 'network', 'certificate')) return 'request';
  return namesOwner(fact, owners) ? 'owner' : 'anybody';
}

/** Whether a claim is that of one owner. The words of a text, which `has` looks at, are not: anybody writes more than one. */
function namesOwner({ claim, is, like }: Pick<DraftForm, 'claim' | 'is' | 'like'>, { claims }: Owners): boolean {
  const owner = claim !== undefined && Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (owner === undefined) return false;
  if (like?.includes('*')) return owner.pattern !== undefined && new RegExp(owner.pattern).test(like);
  const value = like ?? is;
  return value !== undefined && new RegExp(owner.value ?? '').test(String(value));
}

function checkFact(report: Report, { fact, path, within = [] }: FactAt, kind: ProviderKind): void {
  if (typeof fact !== 'object' || report.touches(path)) return;
  const instead = 'write { claim: NAME, is: VALUE }';
  if (fact.group !== undefined && kind.groups === undefined) {
    const message = `never true: tokens of the kind ${kind.name} have no groups of their own; ${instead}`;
    report.add([...path, 'group'], message, 'key');
  } else if (fact.scope !== undefined && kind.scopes.length === 0) {
    report.add([...path, 'scope'], `never true: tokens of the kind ${kind.name} have no scopes; ${instead}`, 'key');
  } else if (isPartOfName(fact, kind)) {
    report.add([...path, 'like'], partOfName(fact.claim));
  } else if (kind.ofAnybody && isProviderAlone(fact) && !within.some(saysMore)) {
    report.add(path, anybody(kind.name), 'key');
  }
}

const isName = (claim: string | undefined, kind: ProviderKind): boolean =>
  claim !== undefined && unverifiedNames[kind.name]?.includes(claim) === true;

const isPartOfName = ({ claim, like }: Pick<DraftForm, 'claim' | 'like'>, kind: ProviderKind): boolean =>
  like?.includes('*') === true && isName(claim, kind);

const partOfName = (claim: string | undefined): string =>
  `nobody has verified ${claim}, and x@evil@example.com is like *@example.com; write a group, or { claim: email, … }, which counts with xms_edov`;

/** Names that nobody has verified are no subjects, and no agent is known by a part of one. */
function checkNames(
  report: Report,
  draft: DraftPolicy,
  kindOf: (name: string | undefined) => ProviderKind | undefined,
  only: string | undefined,
): void {
  for (const [name, { subject }] of entriesOf(draft.providers)) {
    const kind = kindOf(name);
    const path = ['providers', name, 'subject', 'claim'];
    if (kind === undefined || !isName(subject?.claim, kind) || report.touches(path)) continue;
    const message = `nobody has verified ${subject?.claim}, and it passes from one person to another; write oid, or email, which counts with xms_edov`;
    report.add(path, message);
  }
  for (const [agent, { match }] of entriesOf(draft.agents)) {
    const kind = kindOf(match?.provider ?? only);
    const path = ['agents', agent, 'match', 'like'];
    if (match === undefined || kind === undefined || !isPartOfName(match, kind) || report.touches(path)) continue;
    report.add(path, partOfName(match.claim));
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
