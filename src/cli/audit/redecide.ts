import type { LogLine } from '../../audit/lines/line.ts';
import { isoTime } from '../../audit/log/clocks.ts';
import type { SealerLeaf } from '../../audit/log/leaf.ts';
import { Malformed } from '../../audit/log/malformed.ts';
import { redecide, type Undecided, type Verdict } from '../../audit/replay/decide-again.ts';
import type { Decider } from '../../audit/replay/decider.ts';
import { type PolicyUse, PolicyUses } from '../../audit/replay/policy-uses.ts';
import { First } from '../../audit/verify/first.ts';
import { SealedPolicies } from '../../audit/verify/sealed-policies.ts';
import { foreign } from '../../base/hostile-text.ts';
import {
  argument,
  command,
  flag,
  formatFlag,
  NO,
  NOT_PROVEN,
  policyFlag,
  several,
  WrongUse,
  YES,
} from '../common/context.ts';
import { loadAll, reasonOf } from '../common/load.ts';
import { LOGS, logLines, type Place, placeText, requestJson, requestText, sealedLines } from '../common/log-lines.ts';
import { count, type Paint } from '../common/print.ts';
import { sourceFlags, sourceOf } from '../common/source.ts';
import { CompiledPolicies, loadAny } from '../replay/compiled-policies.ts';
import type { Invalid } from '../replay/replayed.ts';
import { logFolder as logFolderOf } from './sealed-folder.ts';

/** Why lines were not decided again, in words. */
const NOT_DECIDED: Readonly<Record<Undecided, string>> = {
  credential: 'the credential was refused before any rule, and no line contains a credential',
  nginx: 'nginx refused or answered the request without the check',
  cut: 'a value was too long for the log',
  caller_long: 'the caller was too long for the log',
};

interface Difference {
  readonly place: Place;
  readonly line: LogLine;
  readonly gateway: string;
  readonly policy: string;
}

/** Decides a line again. The owner of a log chooses its policies, so one of them may be no policy. */
function verdictOf(line: LogLine, decider: Decider): Verdict | { readonly kind: 'invalid'; readonly mistake: string } {
  try {
    return redecide(line, decider);
  } catch (error) {
    return { kind: 'invalid', mistake: foreign(`the policy ${line.policy} is not valid: ${reasonOf(error)}`) };
  }
}

/** Maximum number of policies that are not known and are kept: anyone who can write to the log can invent digests. */
const MOST_UNKNOWN = 1000;

class Findings {
  readonly uses = new PolicyUses();
  lines = 0;
  same = 0;
  readonly differences = new First<Difference>();
  readonly undecided = new Map<Undecided, number>();
  /** The lines of each policy that is not known, and the place of the first. */
  readonly unknown = new Map<string, { lines: number; readonly first: string }>();
  /** Number of lines whose policy is not known either, and is none of these. */
  moreUnknown = 0;
  readonly invalid = new First<Invalid>();
  /** The policies of the transparency log. Absent: the policies are those of `--policy`. */
  sealed: Set<string> | undefined;

  add(place: Place, line: LogLine, policies: CompiledPolicies): void {
    this.lines += 1;
    const decider = policies.of(line.policy);
    if (decider === undefined) {
      const known = this.unknown.get(line.policy);
      if (known !== undefined) known.lines += 1;
      else if (this.unknown.size < MOST_UNKNOWN) this.unknown.set(line.policy, { lines: 1, first: placeText(place) });
      else this.moreUnknown += 1;
      return;
    }
    this.uses.add(line, placeText(place));
    const verdict = verdictOf(line, decider);
    if (verdict.kind === 'same') this.same += 1;
    else if (verdict.kind === 'undecided') this.undecided.set(verdict.why, (this.undecided.get(verdict.why) ?? 0) + 1);
    else if (verdict.kind === 'other')
      this.differences.add(() => ({ place, line, gateway: verdict.gateway, policy: verdict.policy }));
    else this.invalid.add(() => ({ at: placeText(place), mistake: verdict.mistake }));
  }

  get code(): number {
    if (this.differences.count > 0) return NO;
    return this.lines === 0 || this.unknown.size + this.invalid.count > 0 ? NOT_PROVEN : YES;
  }
}

/** Maximum number of invalid lines, and of policies, that are named. */
const MOST_INVALID = 20;
const MOST_POLICIES = 20;

/** Says why a line with this digest was not decided. */
function unknownText({ sealed }: Findings, digest: string): string {
  if (sealed === undefined) return `no policy has the digest ${foreign(digest)}`;
  return sealed.has(digest)
    ? `the policy ${foreign(digest)} was not sealed before this line, or --policy does not name it`
    : `no policy with the digest ${foreign(digest)} is in the log`;
}

function policyText(found: Findings, use: PolicyUse): string {
  const { digest, lines, first, last, from, to } = use;
  const other = found.uses.alternating(use);
  const beside = other && `; it alternates with ${foreign(other.digest)}, which also decided in this time`;
  const places = lines === 1 ? foreign(first) : `${foreign(first)} to ${foreign(last)}`;
  const times = lines === 1 ? isoTime(from) : `${isoTime(from)} to ${isoTime(to)}`;
  return `policy ${foreign(digest)}: ${count(lines, 'line')}, ${places}, decided ${times}${beside ?? ''}`;
}

function findingsText(found: Findings, paint: Paint): string {
  const out: string[] = [];
  for (const { place, line, gateway, policy } of found.differences.kept) {
    out.push(`${paint('bad', 'no')} ${placeText(place)}: ${foreign(requestText(line))}`);
    out.push(`   the gateway: ${foreign(gateway)}`, `   the policy:  ${foreign(policy)}`);
  }
  if (found.differences.more > 0) out.push(`   and ${count(found.differences.more, 'more line')} decided otherwise`);
  for (const [digest, { lines, first }] of found.unknown) {
    out.push(
      `${paint('bad', 'no')} ${first}: ${unknownText(found, digest)} (${count(lines, 'line')})${found.sealed === undefined ? ': give it with --policy' : ''}`,
    );
  }
  if (found.moreUnknown > 0)
    out.push(`   and ${count(found.moreUnknown, 'more line')} of other policies that are not known`);
  for (const { at, mistake } of found.invalid.kept.slice(0, MOST_INVALID))
    out.push(`${paint('bad', 'no')} ${at}: ${mistake}`);
  const more = found.invalid.count - MOST_INVALID;
  if (more > 0) out.push(`   and ${count(more, 'more line')} that cannot be read`);
  out.push(
    `${count(found.lines, 'line')}: ${found.same} decided as the gateway did, ${found.differences.count} otherwise`,
  );
  for (const [why, number] of found.undecided) out.push(`${number} not decided by rules: ${NOT_DECIDED[why]}`);
  const uses = found.uses.list();
  for (const use of uses.slice(0, MOST_POLICIES)) out.push(policyText(found, use));
  if (uses.length > MOST_POLICIES) out.push(`and ${uses.length - MOST_POLICIES} more policies (--format json has all)`);
  return `${out.join('\n')}\n`;
}

const findingsJson = (found: Findings) => ({
  lines: found.lines,
  same: found.same,
  differences: found.differences.kept.map(({ place, line, gateway, policy }) => ({
    ...requestJson(place, line),
    ...{ digest: line.policy, gateway, policy },
  })),
  notDecided: Object.fromEntries(found.undecided),
  unknownPolicies: [...found.unknown].map(([digest, it]) => ({ digest, ...it })),
  invalid: found.invalid.kept,
  policies: found.uses.list().map((use) => ({ ...use, alternatesWith: found.uses.alternating(use)?.digest ?? null })),
  moreDifferences: found.differences.more || undefined,
  moreInvalid: found.invalid.more || undefined,
  moreUnknownLines: found.moreUnknown || undefined,
});

/** Reads the policies of a transparency log while its lines are decided. A policy decides only the lines after its leaf.
 * What is wrong with a policy is a finding.
 * @param only the digests of `--policy`; empty: every policy of the log counts */
function policyReader(policies: CompiledPolicies, found: Findings, only: ReadonlySet<string>) {
  const reader = new SealedPolicies();
  const sealed = new Set<string>();
  found.sealed = sealed;
  const wrong = (at: string, mistake: string) => found.invalid.add(() => ({ at, mistake: foreign(mistake) }));
  return {
    add(leaf: SealerLeaf | undefined, place: Place): void {
      const { policy, problem } = reader.add(leaf);
      if (problem !== undefined) wrong(placeText(place), problem);
      if (policy === undefined) return;
      sealed.add(policy.digest);
      if (only.size > 0 && !only.has(policy.digest)) return;
      if (!policies.addText(policy.text, policy.digest))
        wrong(placeText(place), `the policy ${policy.digest} in the log is not valid`);
    },
    end(folder: string): void {
      const problem = reader.end();
      if (problem !== undefined) wrong(folder, problem);
    },
  };
}

/** `meshgate audit redecide`: decides each line of the log again by the policy of its digest. */
export const redecideCommand = command({
  brief: 'Decide each line of the log again, and name lines on which the gateway decided otherwise',
  text: 'Decides the request of each line again, by the policy whose digest is in the line, and compares the result with what the gateway did: route, rule, service and identity, or the reason of the refusal and the nearest rule. Each --policy is a policy file, or a compiled policy (audit/policy-DIGEST.json). With --log-folder, the policies are those in the transparency log: a policy decides only lines that were sealed after it, and if --policy is given, only these policies count. The lines of LOG have no place in the transparency log, so each of its policies counts for them. The command prints when each policy decided, and whether two alternate. Refusals of credentials cannot be decided again, because no line contains a credential.',
  exits: {
    0: 'the gateway decided each line as its policy does',
    1: 'it decided a line otherwise',
    3: 'the policy of a line is not known, or a line cannot be read',
  },
  examples: [
    'meshgate audit redecide --policy meshgate.yaml access.log',
    'meshgate audit redecide --policy old.yaml --policy meshgate.yaml access.log.1.gz access.log',
    'meshgate audit redecide --policy build/audit/policy-5f2d0c81b9a3e6740c1be5a7d3f4e692.json access.log',
    'meshgate audit redecide --log-folder /var/lib/meshgate/audit',
  ],
  flags: {
    ...sourceFlags,
    policy: several(policyFlag),
    logFolder: flag('FOLDER', 'A transparency log: its policies and, without LOG, its lines'),
    format: formatFlag,
  },
  args: [{ ...argument(...LOGS), several: true, optional: true }],
  async run(runtime, { policy, overlay, env, logFolder }, ...logs) {
    if (logs.length === 0 && logFolder === undefined) throw new WrongUse('name the files of the log, or --log-folder');
    const given = new CompiledPolicies();
    const files = policy ?? (logFolder === undefined ? [undefined] : []);
    const load = (file: string | undefined) => loadAny(runtime, sourceOf(runtime, file, { overlay, env }));
    for (const it of loadAll(files.map((file) => () => load(file)))) given.add(it.digest, it);
    const found = new Findings();
    try {
      const sealed = logFolder === undefined ? undefined : logFolderOf(runtime, logFolder);
      const policies = sealed === undefined ? given : new CompiledPolicies();
      const folder = logFolder ?? '';
      const reader = sealed && policyReader(policies, found, given.digests);
      const sealedIn = sealed && sealedLines(sealed, folder, (leaf, place) => reader?.add(leaf, place));
      // The lines of files have no place in the log: a policy of the whole log counts for each of them.
      if (sealedIn !== undefined && logs.length > 0) for (const _ of sealedIn);
      const lines = logs.length > 0 || sealedIn === undefined ? logLines(runtime, logs) : sealedIn;
      for await (const logged of lines) {
        if ('mistake' in logged) found.invalid.add(() => ({ at: placeText(logged), mistake: logged.mistake }));
        else found.add(logged, logged.line, policies);
      }
      reader?.end(folder);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      throw new WrongUse(`${logFolder} is no valid transparency log: ${error.message}`);
    }
    return { code: found.code, value: findingsJson(found), text: (paint) => findingsText(found, paint) };
  },
});
