import { type DraftPolicy, writes } from './draft.ts';
import {
  allFacts,
  type FactAt,
  GROUPINGS,
  innerFacts,
  neededAcrs,
  OPERATORS,
  providersOf,
  roleFacts,
} from './facts.ts';
import { namesOf } from './names.ts';
import type { Report } from './report.ts';
import { oneOf } from './suggest.ts';
import { seconds } from './units.ts';

/** Each fact says one thing of one provider, and can be true. */
export function checkRoles(report: Report, draft: DraftPolicy): void {
  const providers = namesOf(report, 'provider') ?? [];
  for (const role of roleFacts(draft)) {
    for (const fact of allFacts(role)) {
      checkFact(report, fact);
      checkProvider(report, draft, fact, providers);
    }
  }
}

/** What is wrong with a pattern; undefined where nothing is. */
export function patternMistake(like: string): string | undefined {
  if (!/[*]/.test(like)) return `nothing stands for other characters; write is: ${like}, or put a * in`;
  return like.includes('**') ? `one * stands for any characters; write ${like.replace(/[*]+/g, '*')}` : undefined;
}

/** Facts that are not about one provider's tokens. */
const NO_TOKEN = [...GROUPINGS, 'network', 'certificate'] as const;

function checkFact(report: Report, { fact, path }: FactAt): void {
  if (typeof fact !== 'object' || report.touches(path)) return;
  const [op, other] = [...OPERATORS, ...GROUPINGS].filter((it) => writes(fact, it));
  const [value, second] = ['is', 'has', 'like'].filter((it) => writes(fact, it));
  if (other !== undefined) {
    report.add(path, `${op} and ${other} in one fact; write all: [{ ${op}: … }, { ${other}: … }]`, 'key');
  } else if (value !== undefined && op !== 'claim') {
    report.add([...path, value], `${value} needs a claim beside it; write { claim: NAME, ${value}: VALUE }`, 'key');
  } else if (second !== undefined) {
    report.add(path, `${value} and ${second} in one fact; keep one of them`, 'key');
  } else if (op === 'claim' && value === undefined) {
    report.add(path, 'a claim needs its value; write { claim: NAME, is: VALUE }, or has for a list', 'key');
  } else if (fact.like !== undefined && patternMistake(fact.like) !== undefined) {
    report.add([...path, 'like'], patternMistake(fact.like) as string);
  } else if (fact.max_age !== undefined && seconds(fact.max_age) < 1) {
    report.add([...path, 'max_age'], `${fact.max_age} is too short, so never true; write at least 1s`);
  } else if (NO_TOKEN.includes(op as 'any') && writes(fact, 'provider')) {
    report.add([...path, 'provider'], `no effect beside ${op}; write all: [{ provider: NAME }, { ${op}: … }]`, 'key');
  } else if (op === undefined && !writes(fact, 'provider')) {
    report.add(path, 'an empty fact; write { group: staff } or another one', 'key');
  }
}

function checkProvider(report: Report, draft: DraftPolicy, at: FactAt, providers: readonly string[]): void {
  const { fact, path, provider } = at;
  if (typeof fact !== 'object' || report.touches(path)) return;
  const kind = ['group', 'claim', 'scope', 'acr'].find((it) => writes(fact, it));
  // What an acr means is the provider's affair; where another fact lets one provider's callers alone in, it is that one's.
  const isPinned = kind === 'acr' && at.within?.some((it) => providersOf(draft).fact(it)?.size === 1);
  const isNamed = writes(fact, 'provider') || provider !== undefined || isPinned;
  if (kind && providers.length > 1 && !isNamed) {
    report.add(path, `whose ${kind}? add provider: ${oneOf(providers)}`, 'key');
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
    const message = `never true: somebody signs in by ${acr} or by ${other}, and not by both; write any`;
    report.add([...path, 'all'], message, 'key');
  }
}

/** True if a fact inside an `all` is wrong by itself. */
function isOdd(report: Report, draft: DraftPolicy, { fact, path, provider }: FactAt): boolean {
  const named = typeof fact === 'object' ? fact.provider : undefined;
  const isOther = named !== undefined && provider !== undefined && named !== provider;
  return isOther || report.touches(path) || providersOf(draft).fact(fact)?.size === 0;
}
