import { MESH_PROBE_MAX_AGE } from '../base/limits.ts';
import { type DeniedBy, healthReasons, type MeshProbe, type Part } from './types.ts';

/** The part of an answer that tells which proxy sent it. */
export interface ProbeAnswer {
  readonly status: number;
  /** Whether nginx had a connection. Otherwise the status is nginx's own. */
  readonly reached: boolean;
  /** Whether Envoy added the header that it adds only to answers from behind it. */
  readonly behind: boolean;
  /** Whether Linkerd's proxy says that the answer is its own. */
  readonly proxyError: boolean;
  readonly type: string;
  readonly length: string;
}

/** `closed`: the object denied the request. `open`: it did not. `unknown`: the answer does not tell. */
type Verdict = 'closed' | 'open' | 'unknown';

/** The result of a probe, as the dict has it. */
export interface Probed {
  /** Identifies the request and the object that the result is about. */
  readonly about: string;
  readonly verdict: Verdict;
  /** The status of the answer; 0 if nginx had no connection. */
  readonly status: number;
  /** When the answer came, in seconds since the epoch. */
  readonly at: number;
  /** Whether it is the first result, without a connection, which the log does not have. */
  readonly unsaid?: boolean;
}

/** The length of the text `RBAC: access denied`, with which Envoy denies a request by its rules. */
const RBAC_LENGTH = '19';

/** Whether an answer has the form of Envoy's denials. A service that has its own 403 hardly has this form too. */
const isRbac = ({ status, type, length }: ProbeAnswer): boolean =>
  status === 403 && type.startsWith('text/plain') && length === RBAC_LENGTH;

const isDenial = ({ status }: ProbeAnswer): boolean => status === 401 || status === 403;

/** Whether a status says nothing about the rules: something failed, or there were too many requests. */
const isVague = ({ status }: ProbeAnswer): boolean => status >= 500 || status === 408 || status === 429;

const verdicts: Readonly<Record<DeniedBy, (answer: ProbeAnswer) => Verdict>> = {
  first: (it) => (it.behind ? 'open' : isDenial(it) ? 'closed' : isVague(it) ? 'unknown' : 'open'),
  // If the first Envoy denied the request, it did not reach the other one.
  behind: (it) => (!it.behind || isVague(it) ? 'unknown' : isRbac(it) ? 'closed' : 'open'),
  any: (it) => (isRbac(it) ? 'closed' : isVague(it) || isDenial(it) ? 'unknown' : 'open'),
  linkerd: (it) => {
    if (isVague(it)) return 'unknown';
    if (it.proxyError) return it.status === 403 || it.status === 404 ? 'closed' : 'unknown';
    // To a client without an identity, such as one with an RSA key, Linkerd's own denials have no mark and no body.
    const isBare = it.type === '' && (it.length === '' || it.length === '0');
    return it.status === 403 || (it.status === 404 && isBare) ? 'unknown' : 'open';
  },
};

/** Says whether the object denied the request.
 * @param answer absent: there was no answer in time */
export function verdictOf({ by, assertion }: MeshProbe, answer: ProbeAnswer | undefined): Verdict {
  if (!answer?.reached) return 'unknown';
  // The mesh rejected the assertion itself, perhaps because it does not know the key yet.
  if (assertion !== undefined && answer.status === 401) return 'unknown';
  return verdicts[by](answer);
}

/** The state of a probe: its result, unless that is too old. */
export const stateOf = (found: Pick<Probed, 'verdict' | 'at'> | undefined, every: number, now: number): Verdict =>
  found === undefined || now - found.at > MESH_PROBE_MAX_AGE * every ? 'unknown' : found.verdict;

const answered = ({ status }: Probed): string =>
  status === 0
    ? 'had no answer'
    : `had the answer ${status}, which ${status >= 500 ? 'says nothing' : 'does not tell'}`;

/** Describes a result in one line that names the object and the rule. */
export function probeLine(probe: MeshProbe, found: Probed): string {
  const { mesh, ingress, service, layer, object, rule, identity, path, assertion } = probe;
  const where = `mesh ${mesh}${ingress === '' ? '' : `, ingress ${ingress}`}, service ${service}`;
  const shows = assertion === undefined ? 'without an assertion' : `with an assertion for ${assertion.as}`;
  const requested = `HEAD ${path} as ${identity}, ${shows}`;
  const text = {
    closed: `${object} denies ${requested}`,
    open: `${object} does not enforce rule ${rule}: mesh_not_enforcing: ${requested}, passed the ${layer} (status ${found.status})`,
    unknown: `whether ${object} enforces rule ${rule} is unknown: mesh_not_probed: ${requested}, ${answered(found)}`,
  }[found.verdict];
  return `${where}: ${text}`;
}

/** A probe with its result, and whether the result counts. */
export interface ProbeState {
  readonly probe: MeshProbe;
  readonly found: Probed | undefined;
  readonly state: Verdict;
}

/** Returns the state of a mesh for readyz. It never makes the gateway unready: the gateway itself enforces the rules. */
export function meshPart(states: readonly ProbeState[]): Part {
  const bad = states.find(({ state }) => state === 'open') ?? states.find(({ state }) => state === 'unknown');
  if (bad === undefined) return { state: 'ok' };
  const reason = bad.state === 'open' ? 'mesh_not_enforcing' : 'mesh_not_probed';
  const why = bad.found && probeLine(bad.probe, bad.found);
  return { state: 'warning', reason, help: healthReasons[reason], ...(why !== undefined && { why }) };
}
