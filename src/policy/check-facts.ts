import { type ProviderKind, providerKinds } from '../providers/index.ts';
import { kindOfDraft } from './check-kinds.ts';
import { wantsProofs } from './check-proof.ts';
import { asksCertificates } from './check-request-facts.ts';
import { type DraftFact, type DraftPolicy, entriesOf } from './draft.ts';
import { allFacts, isProviderAlone, roleFacts } from './draft-facts.ts';
import { neverIn, type WrittenLeaf } from './facts/describe.ts';
import { namesOf } from './names.ts';
import type { Report } from './report.ts';

/** The kind of a provider by its name; undefined if not known. */
export type KindOf = (name: string | undefined) => ProviderKind | undefined;

export const kindsOf =
  (draft: DraftPolicy): KindOf =>
  (name) => {
    const kind = name === undefined ? undefined : kindOfDraft(draft.providers?.[name]);
    return kind && providerKinds[kind];
  };

/** The name of the policy's only provider, to which facts without a provider apply; undefined if there are several. */
export function onlyProvider(report: Report): string | undefined {
  const names = namesOf(report, 'provider') ?? [];
  return names.length === 1 ? names[0] : undefined;
}

/** Checks that each fact can be true in this policy. Also checks that a token which anyone can get gives no role by
 * itself. */
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
    const message = `anyone in the world can get a token of the kind ${kind.name}; write all: [{ provider: … }, { claim: …, is: … }] with the claim that makes it yours`;
    report.add(path, message, 'key');
  }
}

/** Whether an `all` requires something besides the provider. A `none` does not count, because it does not identify the
 * caller. */
const saysMore = (fact: DraftFact): boolean =>
  typeof fact === 'object' &&
  (fact.all ?? []).some((it) => it === undefined || (!isProviderAlone(it) && !(typeof it === 'object' && it.none)));
