import { stageOf } from '../../audit/lines/decided-by.ts';
import { isCut, type LogLine } from '../../audit/lines/line.ts';
import { doneText, redecide, requestedAs } from '../../audit/replay/decide-again.ts';
import { Decider } from '../../audit/replay/decider.ts';
import { foreign } from '../../base/hostile-text.ts';
import { type ReasonCode, reasons } from '../../base/reasons.ts';
import type { Message } from '../../policy/checked/types.ts';
import { policyDigest } from '../../rules/digest.ts';
import type { McpHeaders } from '../../rules/tools.ts';
import { NO, WrongUse, YES } from '../common/context.ts';
import { type Loaded, loadValid } from '../common/load.ts';
import { type Logged, logLines, placeText } from '../common/log-lines.ts';
import { count, type Report } from '../common/print.ts';
import { readsStdin, type Source, sourceName } from '../common/source.ts';
import { type Reached, reach } from '../decide/ask.ts';
import { type Explanation, explainRefusal, explainRoute } from '../decide/explanation.ts';
import { loggedCaller } from '../decide/logged-caller.ts';
import type { Runtime } from '../machine/runtime.ts';
import { explanationReport } from './text.ts';

/** Parses the value of `--request`. */
export function parseRequestId(text: string): string {
  if (/^[0-9a-f]{32}$/i.test(text.trim())) return text.trim().toLowerCase();
  throw new Error('write the 32 hexadecimal digits of request_id, as a denied page and the log show them');
}

type Found = Extract<Logged, { readonly line: LogLine }>;

/** Finds the line of a request. A line that occurs in several files, such as a copy, counts once. */
async function findLine(runtime: Runtime, id: string, logs: readonly string[]): Promise<Found> {
  const found = new Map<string, Found>();
  const unread: string[] = [];
  let read = 0;
  const wanted = (text: string): boolean => {
    read += 1;
    return text.includes(id);
  };
  for await (const logged of logLines(runtime, logs, wanted)) {
    if ('mistake' in logged) unread.push(`${placeText(logged)}: ${logged.mistake}`);
    if ('mistake' in logged || logged.line.id !== id) continue;
    const key = JSON.stringify(logged.line);
    if (!found.has(key)) found.set(key, logged);
  }
  const [first, ...more] = found.values();
  if (first === undefined) {
    const names = logs.map((log) => (log === '-' ? 'standard input' : log));
    throw new WrongUse(
      `no line of ${names.join(', ')} has the request_id ${id}, of ${read} lines${unread.length === 0 ? '' : `; ${count(unread.length, 'line')} of them cannot be read, first ${unread[0]}`}; give the log of that time, also rotated files; with gateway.audit, it is the file gateway.audit.log`,
    );
  }
  if (more.length > 0) {
    const places = [first, ...more].map((it) => `${placeText(it)} at ${it.line.time}`);
    throw new WrongUse(`several requests have the request_id ${id}: ${places.join(', ')}; give one file`);
  }
  return first;
}

/** Returns the MCP message of a line. Names that are no plain ASCII are base64 (SEP-2243). */
function messageOf(mcp: McpHeaders | undefined): Message | undefined {
  if (!mcp?.method) return undefined;
  const [, encoded] = /^=\?base64\?(.*)\?=$/.exec(mcp.name ?? '') ?? [];
  const name = encoded === undefined ? mcp.name : Buffer.from(encoded, 'base64').toString();
  return { method: mcp.method, ...(name && { name }) };
}

/** Finds the route of a line. If a part of the URL is missing, the line's own route counts. */
function reachedBy({ policy }: Loaded, { host, path, method, route }: LogLine): Reached {
  if (!isCut(host) && !isCut(path)) return reach(policy, method, `https://${host}${path}`);
  for (const one of policy.hosts) {
    const found = one.routes.find(({ name }) => name === route);
    if (found !== undefined) return { host: one, route: found };
  }
  return { reason: 'route_unknown', detail: 'the path in the log is cut, and the policy has no such route' };
}

const isReason = (text: string): text is ReasonCode => Object.hasOwn(reasons, text);

/** Explains a line: by the rules if they decided, and otherwise by the reason in the line. */
function explained(loaded: Loaded, decider: Decider, line: LogLine): Explanation {
  const message = messageOf(line.mcp);
  const requested = { method: line.method, url: `https://${line.host}${line.path}`, ...(message && { message }) };
  const reached = reachedBy(loaded, line);
  if ('reason' in reached) return explainRefusal(requested, reached);
  const at = { ...requested, ...reached };
  const request = requestedAs(line, decider);
  const stage = stageOf(line);
  const isOfRules = stage === 'rules' || stage === 'later';
  if (isOfRules && typeof request !== 'string' && line.reason !== 'protocol_refused') {
    const explanation = explainRoute(loaded, at, loggedCaller(loaded.policy, line, request));
    if (stage === 'rules' || !explanation.decision.allow || !isReason(line.reason)) return explanation;
    // The rule allowed the request, and then a budget or the like prevented it.
    return { ...explanation, decision: { allow: false, reason: line.reason }, assumes: [] };
  }
  if (isReason(line.reason)) return explainRefusal(at, { reason: line.reason });
  if (line.reason === '') throw new WrongUse('a value of this line is cut, so the rules cannot decide it again');
  throw new WrongUse(`this version does not know the reason ${foreign(line.reason)} of this line`);
}

/** What differs between the line and the explanation, in sentences. */
function remarksOf(line: LogLine, digest: string, decider: Decider, source: Source): readonly string[] {
  if (line.policy !== digest) {
    return [
      `another policy decided this request: the line has the digest ${line.policy}, and ${sourceName(source)} has ${digest}; the explanation says what ${sourceName(source)} does`,
    ];
  }
  const verdict = redecide(line, decider);
  return verdict.kind === 'other'
    ? [
        `the gateway decided otherwise, although its policy is this one: ${verdict.gateway}; the policy: ${verdict.policy}`,
      ]
    : [];
}

/** Says which service or proxy refused a request that the gateway allowed. */
function answeredText({ status, reason, rule, service }: LogLine): string {
  const by = reason === '' && rule !== '' && status >= 400 ? `, by service ${service} or the mesh before it` : '';
  return `${status}${by}`;
}

/** `meshgate explain --request`: explains the request of a line of the log. */
export async function explainLogged(
  runtime: Runtime,
  id: string,
  logs: readonly string[],
  source: Source,
): Promise<Report> {
  if (readsStdin(source) && logs.includes('-')) throw new WrongUse('only one file can come from standard input');
  if (source.file.endsWith('.json'))
    throw new WrongUse(`${source.file} is a compiled policy, which has no places: give the policy file`);
  const loaded = loadValid(runtime, source);
  const decider = new Decider(loaded);
  const digest = policyDigest(loaded.policy, loaded.rules);
  const place = await findLine(runtime, id, logs);
  const { line } = place;
  const remarks = remarksOf(line, digest, decider, source);
  for (const remark of remarks) runtime.err(`meshgate: ${remark}\n`);
  const isOwn = line.reason === '' && line.rule === '';
  const head = {
    at: placeText(place),
    ...{ id: line.id, time: line.time, status: line.status, reason: line.reason, rule: line.rule, policy: line.policy },
  };
  if (isOwn) {
    const text = `the gateway answered it itself, and no rule decided (${doneText(line)})`;
    return {
      code: line.status < 400 ? YES : NO,
      value: { request: head, remarks },
      text: () => `${headText(line, place)}${text}\n`,
    };
  }
  const { code, value, text } = explanationReport(explained(loaded, decider, line), loaded.policy, false);
  return {
    code,
    value: { request: head, remarks, ...(value as object) },
    text: (paint) => `${headText(line, place)}${text(paint)}`,
  };
}

const headText = (line: LogLine, place: Logged): string =>
  `request   ${line.id}, at ${line.time}, ${placeText(place)}\nanswered  ${answeredText(line)}\ngateway   ${doneText(line)}\n`;
