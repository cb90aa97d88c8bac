import { encodeValue } from '../caller/encode.ts';
import { headerValue } from '../caller/headers.ts';
import type { Caller } from '../caller/types.ts';
import { MAX_ABOUT_BYTES } from '../limits.ts';
import {
  detailOf,
  ok,
  type ReasonCode,
  type ReasonEntry,
  type Refusal,
  type Result,
  reasons,
  refuse,
} from '../reasons.ts';
import type { Decision, Rule } from '../rules/types.ts';
import type { HeaderPlan, PlannedHeader, PreparedRoute } from './routes.ts';
import type { MadeAssertion } from './signer.ts';

type Line = readonly [name: string, value: string];

/** A caller with the header lines made from it so far, by plan. */
export interface KnownCaller {
  readonly caller: Caller;
  readonly provider: string;
  /** Seconds since the epoch at which the entry dies. */
  readonly until: number;
  /** Thumbprint of the key that signed the token. */
  readonly key: string;
  readonly lines: Result<readonly Line[]>[];
  readonly about: readonly Line[];
  /** Answers that let this caller pass, made once: names and values in turn, by method and route. Absent at first: most new tokens come once. */
  ready?: Map<string, readonly string[]>;
  /** The keys' epoch in which `key` was found among them, and how long they are good for. */
  epoch?: string | undefined;
  usableUntil?: number;
  /** By the index of the grant. */
  readonly assertions: MadeAssertion[];
}

export function knownCaller(caller: Caller, until: number, key: string): KnownCaller {
  return { caller, provider: caller.provider, until, key, lines: [], about: aboutCaller(caller), assertions: [] };
}

/** Lines that say who asks, for nginx's log. The first is the subject's. */
function aboutCaller(caller: Caller): Line[] {
  const lines: Line[] = [
    ['X-Meshgate-User', encodeValue(caller.subject)],
    ['X-Meshgate-Provider', caller.provider],
  ];
  if (caller.roles.length > 0) lines.push(['X-Meshgate-Roles', caller.roles.join(',')]);
  if (caller.agent !== undefined) lines.push(['X-Meshgate-Agent', caller.agent]);
  return lines;
}

/** What lines take in an answer. */
function bytesOf(lines: readonly Line[]): number {
  let sum = 0;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as Line;
    sum += line[0].length + line[1].length + 4;
  }
  return sum;
}

/** The identity headers of a plan, under the names in which they travel to nginx. */
function planLines(plan: HeaderPlan, { caller, about }: KnownCaller): Result<readonly Line[]> {
  const lines: Line[] = [];
  for (let i = 0; i < plan.headers.length; i++) {
    const { name, source, carrier } = plan.headers[i] as PlannedHeader;
    const value = headerValue(source, caller);
    if (value === undefined) return refuse('claim_absent', `the value of ${name} is too long for a header`);
    if (carrier !== undefined && value !== '') lines.push([carrier, value]);
  }
  if (bytesOf(lines) + bytesOf(about) <= plan.room) return ok(lines);
  return refuse('claim_absent', 'the values of the identity headers are too long together');
}

/** {@link planLines}, made once per caller. */
function linesFor(plan: HeaderPlan, known: KnownCaller): Result<readonly Line[]> {
  let lines = known.lines[plan.index];
  if (lines === undefined) {
    lines = planLines(plan, known);
    known.lines[plan.index] = lines;
  }
  return lines;
}

/** Each request passes here: taking pairs apart by pattern would cost an iterator a line. */
function write(out: NginxHTTPRequest['headersOut'], lines: readonly Line[]): void {
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as Line;
    out[line[0]] = line[1];
  }
}

/** Methods and routes that a caller has ready answers for; whoever makes up methods gets no more. */
const MAX_READY = 64;

const readyKey = (method: string, route: PreparedRoute): string => `${method} ${route.name}`;

/** Keeps the lines of an answer, for {@link again}. */
function keepReady(ready: Map<string, readonly string[]>, key: string, lines: readonly Line[]): void {
  if (ready.size >= MAX_READY) ready.clear();
  ready.set(key, lines.flat());
}

/**
 * Lets a known caller pass as before: same method, same route. The hot path of the hot path. It holds as long as nothing
 * but caller, route and method decides: a fact of the request (network, age) must not be answered from here.
 *
 * @returns false where there is no such answer yet
 */
export function again(r: NginxHTTPRequest, route: PreparedRoute, method: string, known: KnownCaller): boolean {
  const lines = known.ready?.get(readyKey(method, route));
  if (lines === undefined) return false;
  const out = r.headersOut;
  for (let i = 0; i < lines.length; i += 2) out[lines[i] as string] = lines[i + 1] as string;
  reply(r, 204);
  return true;
}

/** `"` and `\` may not stand in a challenge's description (RFC 6750 section 3). */
const challengeText = (text: string): string => text.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '.');

/**
 * The `WWW-Authenticate` value for a reason (RFC 6750 section 3), or `undefined` where the reason has no challenge.
 *
 * @param realm host of the route
 */
export function challenge(reason: ReasonCode, realm: string): string | undefined {
  const entry: ReasonEntry = reasons[reason];
  if (entry.challenge === undefined) return undefined;
  if (entry.challenge === '') return `Bearer realm="${realm}"`;
  return `Bearer realm="${realm}", error="${entry.challenge}", error_description="${reason}: ${challengeText(entry.help)}"`;
}

/** For a JSON string inside a header: escaped, printable ASCII only. */
export function jsonInHeader(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Answers nginx. Its client may have gone meanwhile: then `r.return` throws, and nobody is there to be told. */
function reply(r: NginxHTTPRequest, status: 204 | 401): void {
  try {
    r.return(status);
  } catch (error) {
    ngx.log(ngx.INFO, `meshgate: the check is not answered: ${(error as Error).message}`);
  }
}

/** 401 to nginx, with the true status and reason in headers: `auth_request` understands little else. */
export function deny(
  r: NginxHTTPRequest,
  realm: string,
  refusal: Refusal,
  more: {
    readonly known?: KnownCaller | undefined;
    readonly nearest?: string | undefined;
    readonly retryAfter?: number;
  } = {},
): void {
  const out = r.headersOut;
  const entry: ReasonEntry = reasons[refusal.reason];
  out['X-Meshgate-Status'] = String(entry.status);
  out['X-Meshgate-Reason'] = refusal.reason;
  out['X-Meshgate-Detail'] = jsonInHeader(detailOf(refusal));
  if (more.nearest !== undefined) out['X-Meshgate-Rule'] = more.nearest;
  if (entry.status === 503) out['X-Meshgate-Retry-After'] = String(more.retryAfter ?? 1);
  const authenticate = challenge(refusal.reason, realm);
  if (authenticate !== undefined) out['WWW-Authenticate'] = authenticate;
  const about = more.known?.about;
  if (about !== undefined && bytesOf(about) <= MAX_ABOUT_BYTES) write(out, about);
  reply(r, 401);
}

/**
 * Speaks a decision: 204 with rule, identity and headers, or the refusal.
 *
 * @param assertion what is signed for the caller, where the policy has it; an answer without is kept ready
 */
export function speak(
  r: NginxHTTPRequest,
  route: PreparedRoute,
  method: string,
  decision: Decision<Pick<Rule, 'id' | 'as'>>,
  known?: KnownCaller,
  assertion?: string,
): void {
  if (!decision.allow) {
    deny(r, route.realm, { reason: decision.reason }, { known, nearest: decision.nearest?.id });
    return;
  }
  const { id, as } = decision.rule;
  const out = r.headersOut;
  if (known !== undefined) {
    const lines = linesFor(route.plan, known);
    if (!lines.ok) {
      deny(r, route.realm, lines, { known, nearest: id });
      return;
    }
    write(out, known.about);
    write(out, lines.value);
    if (known.ready !== undefined && assertion === undefined) {
      const own: Line[] =
        as === ''
          ? [['X-Meshgate-Rule', id]]
          : [
              ['X-Meshgate-Rule', id],
              ['X-Meshgate-As', as],
            ];
      keepReady(known.ready, readyKey(method, route), [...known.about, ...lines.value, ...own]);
    }
  }
  out['X-Meshgate-Rule'] = id;
  if (as !== '') out['X-Meshgate-As'] = as;
  if (assertion !== undefined) out['X-Meshgate-Assertion'] = assertion;
  reply(r, 204);
}
