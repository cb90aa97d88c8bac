import { type Owners, ownersOf, type ProviderKind, providerKinds } from '../../../providers/index.ts';
import { isUnverified, never, type WrittenClaim } from '../../facts/claim.ts';
import { COMBINED } from '../../facts/combined.ts';
import { malformedIn, neverIn, OPERATORS, type WrittenLeaf } from '../../facts/describe.ts';
import { operators } from '../../facts/index.ts';
import { REQUEST } from '../../facts/operator.ts';
import { quote } from '../../forms/path.ts';
import { type DraftFact, type DraftPolicy, entriesOf, routesOf, writes } from '../../read/draft.ts';
import {
  allFacts,
  type DraftForm,
  draftBits,
  draftReader,
  type FactAt,
  innerFacts,
  isProviderAlone,
  neededAcrs,
  providersOf,
  roleFacts,
} from '../../read/draft-facts.ts';
import type { Report } from '../../read/report.ts';
import { namesOf } from '../../read/sections.ts';
import { oneOf } from '../../read/suggest.ts';
import { wantsProofs } from '../gateway.ts';
import { kindOfDraft } from './kinds.ts';
import { asksCertificates } from './request-facts.ts';

/** Checks that each fact has one meaning, belongs to one provider, and can be true. */
export function checkRoles(report: Report, draft: DraftPolicy): void {
  const providers = namesOf(report, 'provider') ?? [];
  for (const role of roleFacts(draft)) {
    for (const fact of allFacts(role)) {
      checkFact(report, fact);
      checkProvider(report, draft, fact, providers);
    }
  }
}

function checkFact(report: Report, { fact, path }: FactAt): void {
  if (typeof fact !== 'object' || report.touches(path)) return;
  const [op, other] = [...OPERATORS, ...COMBINED].filter((it) => writes(fact, it));
  const mistake = malformedIn(fact as WrittenLeaf);
  if (other !== undefined) {
    report.key(path, `one fact has ${op} and ${other}; write all: [{ ${op}: … }, { ${other}: … }]`);
  } else if (mistake !== undefined) {
    report.add([...path, ...mistake.path], mistake.message, mistake.part);
  } else if ((writes(fact, ...COMBINED) || (draftBits(fact) & REQUEST) !== 0) && writes(fact, 'provider')) {
    report.key([...path, 'provider'], `no effect together with ${op}; write all: [{ provider: NAME }, { ${op}: … }]`);
  } else if (op === undefined && !writes(fact, 'provider')) {
    report.key(path, 'this fact is empty; write { group: staff } or another fact');
  }
}

function checkProvider(report: Report, draft: DraftPolicy, at: FactAt, providers: readonly string[]): void {
  const { fact, path, provider } = at;
  if (typeof fact !== 'object' || report.touches(path)) return;
  const op = OPERATORS.find((it) => writes(fact, it));
  const asks = op && operators[op].provider;
  const isPinned =
    asks === 'required unless pinned' && at.within?.some((it) => providersOf(draft).fact(it)?.size === 1);
  const isNamed = writes(fact, 'provider') || provider !== undefined || isPinned;
  if (asks?.startsWith('required') && providers.length > 1 && !isNamed) {
    report.key(path, `${op} of which provider? add provider: ${oneOf(providers)}`);
  } else if (provider !== undefined && fact.provider !== undefined && fact.provider !== provider) {
    report.add([...path, 'provider'], `never true inside all with provider ${provider}; write ${provider}, or any`);
  } else if (
    fact.all &&
    providersOf(draft).fact(fact)?.size === 0 &&
    !innerFacts(at).some((it) => isIneffective(report, draft, it))
  ) {
    report.key([...path, 'all'], 'never true: these facts are about different providers; write any');
  } else if (fact.all && !at.within?.some((it) => neededAcrs(draft).fact(it).length > 1)) {
    const [acr, other] = neededAcrs(draft).fact(fact);
    if (other === undefined) return;
    report.key([...path, 'all'], `never true: a person signs in by ${acr} or by ${other}, not by both; write any`);
  }
}

function isIneffective(report: Report, draft: DraftPolicy, { fact, path, provider }: FactAt): boolean {
  const named = typeof fact === 'object' ? fact.provider : undefined;
  const isOther = named !== undefined && provider !== undefined && named !== provider;
  return isOther || report.touches(path) || providersOf(draft).fact(fact)?.size === 0;
}

export type KindOf = (name: string | undefined) => ProviderKind | undefined;

export const kindsOf =
  (draft: DraftPolicy): KindOf =>
  (name) => {
    const kind = name === undefined ? undefined : kindOfDraft(draft.providers?.[name]);
    return kind && providerKinds[kind];
  };

/** The policy's only provider, to which facts without a provider apply; undefined if there are several. */
export function onlyProvider(report: Report): string | undefined {
  const [only, other] = namesOf(report, 'provider') ?? [];
  return other === undefined ? only : undefined;
}

/** Checks that each fact can be true here, and that a token which anyone can get gives no role by itself. */
export function checkFacts(report: Report, draft: DraftPolicy): void {
  const kindOf = kindsOf(draft);
  const only = onlyProvider(report);
  const around = {
    certificates: entriesOf(draft.hosts).some(([, host]) => asksCertificates(draft, host)),
    unbound: (by: 'dpop' | 'certificate' | 'any') => wantsProofs(report, draft, by),
  };
  for (const { fact, path, provider, within = [] } of roleFacts(draft).flatMap(allFacts)) {
    if (typeof fact !== 'object' || report.touches(path)) continue;
    const kind = kindOf(fact.provider ?? provider ?? only);
    for (const mistake of neverIn(fact as WrittenLeaf, { ...around, kind })) {
      report.add([...path, ...mistake.path], mistake.message, mistake.part);
    }
    if (!kind?.ofAnybody || !isProviderAlone(fact) || within.some(saysMore)) continue;
    const message = `anyone in the world can get a token of the kind ${kind.name}; write all: [{ provider: … }, { claim: …, is: … }] with a claim that only your tokens have`;
    report.key(path, message);
  }
}

/** Whether an `all` requires more than the provider. A `none` does not count, because it identifies no caller. */
const saysMore = (fact: DraftFact): boolean =>
  typeof fact === 'object' &&
  (fact.all ?? []).some((it) => it === undefined || (!isProviderAlone(it) && !(typeof it === 'object' && it.none)));

/** Checks that no token that anyone can get, and no unverified name, gives access by itself. */
export function checkKindFacts(report: Report, draft: DraftPolicy): void {
  const kindOf = kindsOf(draft);
  const only = onlyProvider(report);
  checkNames(report, draft, kindOf, only);
  checkAnybody(report, draft, (name) => kindOf(name)?.ofAnybody === true);
  for (const name of namesOf(report, 'provider') ?? []) {
    const owners = ownersOf[kindOf(name)?.name ?? ''];
    if (owners !== undefined) checkOwners(report, draft, name, owners, only);
  }
}

/** Checks that each role and agent which tokens of this provider can match identifies the owner of the token. */
function checkOwners(report: Report, draft: DraftPolicy, provider: string, owners: Owners, only: string | undefined) {
  const why = `nothing in it names ${owners.named} exactly; write ${owners.write}`;
  const says = saysOwner(provider, owners)(draft);
  for (const at of roleFacts(draft)) {
    const { role, path } = at;
    if (says.role(role) !== 'anybody' || allFacts(at).some((inner) => report.touches(inner.path))) continue;
    report.key(path, `anyone on ${owners.at} can have this role: ${why}, and put it under all with the rest`);
  }
  for (const [agent, { match }] of entriesOf(draft.agents)) {
    const path = ['agents', agent, 'match'];
    if (match?.claim === undefined || (match.provider ?? only) !== provider || report.touches(path)) continue;
    if (namesOwner(match, owners)) continue;
    report.key(path, `anyone on ${owners.at} can be this agent: ${why}`);
  }
}

/** The owners whose tokens can make a fact true. `owner`: at most one owner. `anybody`: anyone. `request`: anyone,
 * because the fact depends on the request. */
type Owned = 'owner' | 'anybody' | 'request';

const saysOwner = (provider: string, owners: Owners) =>
  draftReader<Owned>({
    leaf: (fact) => leafSaysOwner(fact, provider, owners),
    sum: (op, parts) => {
      const order: readonly Owned[] = op === 'all' ? ['owner', 'anybody'] : ['anybody', 'request'];
      if (op === 'none') return parts.every((part) => part === 'request') ? 'request' : 'anybody';
      return order.find((it) => parts.includes(it)) ?? (op === 'all' ? 'request' : 'owner');
    },
    missing: 'owner',
  });

function leafSaysOwner(fact: DraftForm, provider: string, owners: Owners): Owned {
  if (writes(fact, 'none')) return 'anybody';
  if (fact.provider !== undefined && fact.provider !== provider) return 'owner';
  if ((draftBits(fact) & REQUEST) !== 0) return 'request';
  return namesOwner(fact, owners) ? 'owner' : 'anybody';
}

/** Whether a claim identifies one owner. `has` cannot: it compares single words, and anyone can write several words. */
function namesOwner({ claim, is, like }: Pick<DraftForm, 'claim' | 'is' | 'like'>, { claims }: Owners): boolean {
  const owner = claim !== undefined && Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (owner === undefined) return false;
  if (like?.includes('*')) return owner.pattern !== undefined && new RegExp(owner.pattern).test(like);
  const value = like ?? is;
  return value !== undefined && new RegExp(owner.value ?? '').test(String(value));
}

/** Checks that no subject or agent is identified by an unverified name or a part of one. */
function checkNames(report: Report, draft: DraftPolicy, kindOf: KindOf, only: string | undefined): void {
  for (const [name, { subject }] of entriesOf(draft.providers)) {
    const kind = kindOf(name);
    const path = ['providers', name, 'subject', 'claim'];
    if (kind === undefined || !isUnverified(subject?.claim, kind) || report.touches(path)) continue;
    const message = `${subject?.claim} is not verified, and can pass from one person to another; write oid, or email, which needs the claim xms_edov`;
    report.add(path, message);
  }
  for (const [agent, { match }] of entriesOf(draft.agents)) {
    const kind = kindOf(match?.provider ?? only);
    const path = ['agents', agent, 'match', 'like'];
    const mistake = match && never(match as WrittenClaim, { kind });
    if (mistake !== undefined && !report.touches(path)) report.add(path, mistake.message);
  }
}

function checkAnybody(report: Report, draft: DraftPolicy, isOpen: (provider: string) => boolean): void {
  for (const { host, route, path, hostName } of routesOf(draft)) {
    const accepted = host.providers ?? Object.keys(draft.providers ?? {});
    const open = accepted.find((name) => name !== undefined && isOpen(name));
    if (open === undefined) continue;
    for (const [index, rule] of (route.allow ?? []).entries()) {
      const who = typeof rule === 'object' ? rule.who : rule;
      if (who !== 'authenticated') continue;
      const message = `anyone in the world can get a token of provider ${quote(open)}, and ${hostName} accepts such tokens; write a role`;
      report.key([...path, 'allow', index], message);
    }
  }
}
