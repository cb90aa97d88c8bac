import { FROM_CHECK, TO_CHECK } from '../../base/internal-headers.ts';
import { ANSWER_SMALL, MAX_ABOUT_BYTES, MAX_HEADER_VALUE } from '../../base/limits.ts';
import { type About, type ReasonCode, type ReasonEntry, type Refusal, reasons } from '../../base/reasons.ts';
import { asciiJson, shorten } from '../../caller/encode.ts';
import {
  callerLine,
  type DisclosedCaller,
  disclosedTo,
  fieldsOf,
  fieldsOfNone,
} from '../../rules/decide/answer-lines.ts';
import { type Challenged, challengesOf, type DpopError } from '../../rules/decide/challenge.ts';
import { nearestRule } from '../../rules/decide/decide.ts';
import type { SigninMode } from '../../session/names.ts';
import type { StepUp } from '../../session/signin-table.ts';
import { increment } from '../shared/counts.ts';
import { credentialKind, type KnownCaller, knownCaller } from '../shared/known.ts';
import { decisionName, replyRefused } from './answer.ts';
import type { PreparedRoute, PreparedRule } from './routes.ts';

/** The texts of a reason, made once per context. `help` is for `detail` of the problem document. */
interface Words {
  readonly status: string;
  readonly help: string;
}

const words = new Map<ReasonCode, Words>();

/** Returns text for a JSON string inside a header. */
const jsonInHeader = (text: string): string => asciiJson(text).slice(1, -1);

function wordsOf(reason: ReasonCode): Words {
  let made = words.get(reason);
  if (made === undefined) {
    const entry: ReasonEntry = reasons[reason];
    made = { status: String(entry.status), help: jsonInHeader(entry.help) };
    words.set(reason, made);
  }
  return made;
}

/** The place where a request is refused: a route, or {@link NOWHERE}. */
type RefusedAt = Challenged & Partial<Pick<PreparedRoute, 'name' | 'rules' | 'scopes' | 'plan'>>;

/** The place of a request that reaches no route of the policy. */
export const NOWHERE: RefusedAt = { realm: '-', metadata: '' };

/** Returns the scopes that the request needs: those of the rule that came closest, or else of the first rule. */
function scopeOf({ rules, scopes }: RefusedAt, nearest: PreparedRule | undefined, method: string): string | undefined {
  if (scopes === undefined || rules === undefined) return undefined;
  const who = (nearest ?? nearestRule(rules, method))?.who;
  return who?.kind === 'role' ? scopes[who.role] : undefined;
}

/** Returns the DPoP error for a caller that has proved a key. The challenge then offers the scheme DPoP too. */
const asDpop = (reason: ReasonCode, known: KnownCaller | undefined): DpopError | undefined =>
  known?.binding?.kind === 'dpop' ? (reasons[reason] as ReasonEntry).challenge : undefined;

export interface More {
  readonly known?: KnownCaller | undefined;
  /** The rule that came closest to allowing the request. */
  readonly nearest?: PreparedRule | undefined;
  readonly retryAfter?: number | undefined;
  /** The kind of sign-in to which a browser is redirected if it opens a page. */
  readonly signin?: SigninMode | undefined;
  /** Requirements for the sign-in from which the token comes. */
  readonly requested?: StepUp | undefined;
  /** The required scopes; absent: those of the rule. */
  readonly scope?: string | undefined;
  /** The DPoP error, for callers that used the scheme DPoP or must use it. */
  readonly dpop?: DpopError | undefined;
}

/** Answers nginx with 401, and sends status and reason in headers, because `auth_request` supports few statuses. */
export function deny(r: NginxHTTPRequest, to: RefusedAt, { reason, detail, about }: Refusal, more: More = {}): void {
  const { status, help } = wordsOf(reason);
  const { known, nearest, retryAfter = 1, signin, requested } = more;
  const out = r.headersOut;
  out[FROM_CHECK.status] = status;
  out[FROM_CHECK.reason] = reason;
  out[FROM_CHECK.detail] = detail === undefined ? help : jsonInHeader(detail);
  const disclosed = known === undefined ? about && disclosedOfClaims(about) : disclosedTo(known, to.plan?.hides);
  out[FROM_CHECK.caller] = callerLine(fieldsAbout(nearest?.id ?? '', disclosed, to.plan?.room ?? 0));
  if (status === '503' || status === '429') out[FROM_CHECK.retryAfter] = String(retryAfter);
  if (signin !== undefined) out[FROM_CHECK.signin] = signin;
  const method = r.headersIn[TO_CHECK.method];
  const scope = more.scope ?? scopeOf(to, nearest, method as string);
  const challenge = challengesOf(reason, to, { scope, signin: requested, dpop: more.dpop ?? asDpop(reason, known) });
  // The probe of readyz has no method, and is not a request of a caller.
  if (method !== undefined) {
    increment(decisionName(to.name ?? '', nearest?.id ?? '', reason, known === undefined ? '' : credentialKind(known)));
  }
  // For an array, njs writes one header line for each element.
  if (challenge !== undefined) out['WWW-Authenticate'] = challenge as string;
  replyRefused(r);
}

/** The fields about a caller that are cut if they are too long together: from the user to the actors. */
const FIRST_CUT = 2;
const END_CUT = 7;

/** Returns the log's fields about the caller, also of a valid token that is refused. If they are too long together for the
 * answer, long ones are cut. */
function fieldsAbout(rule: string, disclosed: DisclosedCaller | undefined, room: number): readonly string[] {
  if (disclosed === undefined) return fieldsOfNone(rule);
  const fields = fieldsOf(rule, '', disclosed);
  const most = room > ANSWER_SMALL ? MAX_HEADER_VALUE : MAX_ABOUT_BYTES;
  if (fields.slice(FIRST_CUT, END_CUT).join('').length <= most) return fields;
  return fields.map((it, i) => (i < FIRST_CUT || i >= END_CUT ? it : shorten(it, most / 8)));
}

/** What a refusal says about a caller whose token is valid, but does not give the caller. */
const disclosedOfClaims = ({ subject, provider, agent, actors }: About): DisclosedCaller =>
  knownCaller(
    {
      subject,
      provider,
      roles: [],
      groups: [],
      claims: {},
      ...(agent !== undefined && { agent, actors: actors ?? [] }),
    },
    '',
    0,
    '',
  );
