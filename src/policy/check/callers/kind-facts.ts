import { type Owners, ownersOf } from '../../../providers/index.ts';
import { isUnverified, never, type WrittenClaim } from '../../facts/claim.ts';
import { REQUEST } from '../../facts/operator.ts';
import { quote } from '../../forms/path.ts';
import { type DraftPolicy, entriesOf, routesOf, writes } from '../../read/draft.ts';
import { allFacts, type DraftForm, draftBits, draftReader, roleFacts } from '../../read/draft-facts.ts';
import type { Report } from '../../read/report.ts';
import { namesOf } from '../../read/sections.ts';
import { type KindOf, kindsOf, onlyProvider } from './roles.ts';

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
