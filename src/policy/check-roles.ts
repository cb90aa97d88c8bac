import { type DraftPolicy, writes } from './draft.ts';
import { allFacts, draftBits, type FactAt, innerFacts, neededAcrs, providersOf, roleFacts } from './draft-facts.ts';
import { COMBINED } from './facts/combined.ts';
import { malformedIn, OPERATORS, type WrittenLeaf } from './facts/describe.ts';
import { operators } from './facts/index.ts';
import { REQUEST } from './facts/operator.ts';
import { namesOf } from './names.ts';
import type { Report } from './report.ts';
import { oneOf } from './suggest.ts';

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
    report.add(path, `${op} and ${other} in one fact; write all: [{ ${op}: … }, { ${other}: … }]`, 'key');
  } else if (mistake !== undefined) {
    report.add([...path, ...mistake.path], mistake.message, mistake.part);
  } else if ((writes(fact, ...COMBINED) || (draftBits(fact) & REQUEST) !== 0) && writes(fact, 'provider')) {
    report.add([...path, 'provider'], `no effect beside ${op}; write all: [{ provider: NAME }, { ${op}: … }]`, 'key');
  } else if (op === undefined && !writes(fact, 'provider')) {
    report.add(path, 'an empty fact; write { group: staff } or another one', 'key');
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
    report.add(path, `whose ${op}? add provider: ${oneOf(providers)}`, 'key');
  } else if (provider !== undefined && fact.provider !== undefined && fact.provider !== provider) {
    report.add([...path, 'provider'], `never true inside all with provider ${provider}; write ${provider}, or any`);
  } else if (
    fact.all &&
    providersOf(draft).fact(fact)?.size === 0 &&
    !innerFacts(at).some((it) => isOdd(report, draft, it))
  ) {
    report.add([...path, 'all'], 'never true: these are facts of different providers; write any', 'key');
  } else if (fact.all && !at.within?.some((it) => neededAcrs(draft).fact(it).length > 1)) {
    const [acr, other] = neededAcrs(draft).fact(fact);
    if (other === undefined) return;
    const message = `never true: a person signs in by ${acr} or by ${other}, not by both; write any`;
    report.add([...path, 'all'], message, 'key');
  }
}

/** Whether a fact inside an `all` is wrong, whatever the other facts are. */
function isOdd(report: Report, draft: DraftPolicy, { fact, path, provider }: FactAt): boolean {
  const named = typeof fact === 'object' ? fact.provider : undefined;
  const isOther = named !== undefined && provider !== undefined && named !== provider;
  return isOther || report.touches(path) || providersOf(draft).fact(fact)?.size === 0;
}
