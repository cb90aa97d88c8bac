import { type ReasonCode, reasons } from '../../base/reasons.ts';
import type { LogLine } from './line.ts';

/** The part of the gateway that decided a request:
 *
 * - `rules`: a rule allowed it, or no rule did.
 * - `later`: a rule allowed it, and a budget, a header or the assertion then prevented it.
 * - `credential`: the credential was refused before any rule was evaluated. Only the credential itself could show
 *   whether this was right, and no line contains it.
 * - `nginx`: nginx refused the request, or answered it without the check, as a preflight or a page of the gateway.
 */
export type Stage = 'rules' | 'later' | 'credential' | 'nginx';

/** The stage of each reason, if the line names a rule. */
const OF_RULE: Partial<Record<ReasonCode, Stage>> = {
  credential_missing: 'rules',
  session_expired: 'rules',
  role_missing: 'rules',
  step_up_required: 'rules',
  scope_missing: 'rules',
  network_refused: 'rules',
  actor_not_allowed: 'rules',
  tool_refused: 'rules',
  protocol_refused: 'rules',
  limit_exceeded: 'later',
  claim_absent: 'later',
  assertion_unavailable: 'later',
  check_unavailable: 'later',
};

/** The reasons for which nginx itself refuses a request. */
const OF_NGINX: readonly ReasonCode[] = [
  ...(['path_not_canonical', 'request_malformed', 'host_unknown', 'route_unknown', 'header_too_large'] as const),
  ...(['worker_refused', 'check_unavailable'] as const),
];

const isReason = (text: string): text is ReasonCode => Object.hasOwn(reasons, text);

/** Returns which part of the gateway decided the request of a line; undefined if the reason is not known. */
export function stageOf({ rule, reason }: Pick<LogLine, 'rule' | 'reason'>): Stage | undefined {
  if (reason === '') return rule === '' ? 'nginx' : 'rules';
  if (!isReason(reason)) return undefined;
  if (rule !== '') return OF_RULE[reason] ?? 'credential';
  return OF_NGINX.includes(reason) ? 'nginx' : 'credential';
}
