import { foreign } from '../../base/hostile-text.ts';
import { type ReasonCode, reasons } from '../../base/reasons.ts';
import type { Policy, PolicyTest, RequestOrigin } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import { WrongUse } from '../common/context.ts';
import { readText } from '../common/load.ts';
import { mcpFields } from '../common/message-flags.ts';
import { headerOf } from '../common/service-credential.ts';
import { policyCallerText } from '../common/words.ts';
import { splitUrl } from '../decide/ask.ts';
import { Offline } from '../decide/offline.ts';
import type { TestOutcome } from '../decide/policy-tests.ts';
import type { Ask, Incoming, Outgoing } from '../machine/http.ts';
import type { Runtime } from '../machine/runtime.ts';

/** The name in `--token` for a caller that has no role. */
const NO_ROLE = 'authenticated';

/** Parses the value of `--token`: a test or roles, and a file. */
export function parseTokenFlag(text: string) {
  const [, whom, file] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (whom === undefined || file === undefined)
    throw new Error('write ROLE,ROLE=FILE, authenticated=FILE or tests[N]=FILE');
  return { whom, file };
}

const sorted = (roles: readonly string[]): string => [...roles].sort().join(',') || NO_ROLE;

/** The tokens of the command line, each with its roles. */
export class LiveTokens {
  readonly #byWhom = new Map<string, string>();

  /** Reads the tokens from their files. Wrong use: the policy gives a token other roles than the flag says. */
  constructor(runtime: Runtime, policy: Policy, flags: readonly ReturnType<typeof parseTokenFlag>[]) {
    const offline = new Offline(policy, runtime.now());
    for (const { whom, file } of flags) {
      const text = readText(runtime, file, 'the token')
        .trim()
        .replace(/^(?:authorization: *)?bearer +/i, '');
      const own = /^tests\[\d+\]$/.test(whom);
      const name = own ? whom : sorted(whom === NO_ROLE ? [] : whom.split(','));
      if (!own) checkRoles(offline, text, name, `--token ${whom}=${file}`);
      this.#byWhom.set(name, text);
    }
  }

  /** Returns the token for a test: the test's own token, or else a token with the test's roles. */
  of({ as }: PolicyTest, index: number): string | undefined {
    const person = as.kind === 'roles' && as.agent === undefined ? sorted(as.roles) : undefined;
    return this.#byWhom.get(`tests[${index}]`) ?? (person === undefined ? undefined : this.#byWhom.get(person));
  }

  /** Says how to give the missing token. */
  static missing({ as }: PolicyTest, index: number): string {
    const isPerson = as.kind === 'roles' && as.agent === undefined;
    return `no token: add --token ${isPerson ? sorted(as.roles) : `tests[${index}]`}=FILE`;
  }
}

function checkRoles(offline: Offline, text: string, wanted: string, flag: string): void {
  const claimed = offline.anywhere((providers, audiences) => offline.ofToken(text, providers, audiences));
  if (!claimed.ok) throw new WrongUse(`${flag}: the policy refuses this token: ${claimed.reason}`);
  const { agent } = claimed.value.caller;
  if (agent !== undefined) {
    throw new WrongUse(`${flag}: by the policy this is a token of agent ${agent}; name the test for it: tests[N]=FILE`);
  }
  const roles = sorted(claimed.value.caller.roles);
  if (roles !== wanted) throw new WrongUse(`${flag}: by the policy the roles of this token are ${roles}`);
}

/** The result of one test at the gateway or the mesh. */
export interface LiveOutcome {
  readonly outcome: TestOutcome;
  /** The caller: its roles, or its identity. */
  readonly as: string;
  /** The result by the policy: `allowed`, `refused` or a reason code. */
  readonly expect: string;
  /** The result at the gateway or the mesh; absent if no request was sent. */
  readonly got?: string;
  readonly status?: number;
  readonly agrees: boolean;
  /** Why no request was sent, or why there was no response. */
  readonly note?: string;
  /** The rule for which the two results differ. */
  readonly rule?: Rule;
}

/** All results of the gateway, or all results of the mesh. */
export interface Enforcer {
  readonly kind: 'gateway' | 'mesh';
  readonly address: string;
  readonly outcomes: readonly LiveOutcome[];
}

/** Parses `host:port`. The host may be an IP address in brackets. */
export function hostPort(text: string, what: string, port?: number) {
  const [, host, given] = /^([^\s:/?#[\]]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/.exec(text) ?? [];
  const number = given === undefined ? port : Number(given);
  if (host === undefined || number === undefined || number > 65535)
    throw new WrongUse(`${what} ${text}: write HOST:PORT`);
  return { address: host.replace(/^\[(.*)\]$/, '$1'), port: number };
}

/** Parses the value of `--gateway`. The host name of a request comes from its test.
 * @param flag the flag that has the value */
export function gatewayAddress(url: string, flag = '--gateway') {
  const [, scheme, host] = /^(https?):\/\/([^/?#]+)\/?$/i.exec(url) ?? [];
  if (scheme === undefined || host === undefined) {
    throw new WrongUse(`${flag} ${url}: write https://HOST:PORT, without a path`);
  }
  const tls = scheme.toLowerCase() === 'https';
  return { url, tls, ...hostPort(host, flag, tls ? 443 : 80) };
}

const isReason = (code: unknown): code is ReasonCode => typeof code === 'string' && Object.hasOwn(reasons, code);

function bodyReason(body: string, status: number): ReasonCode | undefined {
  try {
    const { reason } = JSON.parse(body) as { reason?: unknown };
    return isReason(reason) && reasons[reason].status === status ? reason : undefined;
  } catch {
    return undefined;
  }
}

const PROBLEM = 'application/problem+json';

/** Returns the reason in a refusal of the gateway; undefined if the response is another. */
export function refusalReason({
  status,
  headers,
  body,
}: Extract<Incoming, { status: number }>): ReasonCode | undefined {
  return (headers['content-type'] ?? '').startsWith(PROBLEM) ? bodyReason(body, status) : undefined;
}

/** Finds the gateway's decision in a response. A refusal of the gateway is a problem document with a reason. The
 * response to HEAD has no body, so its status decides. Every other response comes from the service. */
function verdict({ status, headers, body }: Extract<Incoming, { status: number }>, expect: string): string {
  if (status === 403 && body.startsWith('RBAC: access denied')) return 'refused by the mesh';
  if (!(headers['content-type'] ?? '').startsWith(PROBLEM)) return 'allowed';
  if (body === '') return isReason(expect) && reasons[expect].status === status ? expect : 'refused';
  return bodyReason(body, status) ?? 'allowed';
}

/** The files and settings for requests to the gateway. */
interface Means {
  /** The CA bundle for the gateway's certificate, as PEM. */
  readonly ca?: string;
  /** Whether the gateway trusts this machine as a proxy. Then the command can set the client's address. */
  readonly forwarded: boolean;
  /** Client certificates with their keys, as PEM; the key of the map is a name in the certificate. */
  readonly clients: ReadonlyMap<string, string>;
}

/** Returns the address and the certificate that a test gives for its request. */
const requestOrigin = (as: PolicyTest['as']): RequestOrigin => (as.kind === 'nobody' || as.kind === 'claims' ? as : {});

/** Returns why a test is not sent from this machine; undefined if it is sent. */
function notSent(policy: Policy, { test, index }: TestOutcome, token: string | undefined, means: Means) {
  const { as } = test;
  const agent = 'agent' in as && as.agent !== undefined ? policy.agents[as.agent] : undefined;
  if (agent?.match.kind === 'service') return 'this agent needs the certificate of its service';
  const { network, certificate } = requestOrigin(as);
  if (network !== undefined && !means.forwarded) {
    return `from ${network}: give --forwarded if the gateway trusts this machine as a proxy`;
  }
  if (certificate !== undefined && !means.clients.has(certificate)) {
    return `no certificate: add --client ${certificate}=FILE`;
  }
  const hasRoom = test.serviceCredential === undefined || policy.gateway.credentialHeader !== undefined;
  if (as.kind !== 'nobody' && !hasRoom) return 'only a session can be beside the credential of the service';
  return as.kind === 'nobody' || token !== undefined ? undefined : LiveTokens.missing(test, index);
}

function requestOf(
  gateway: ReturnType<typeof gatewayAddress>,
  { as, method, url, message, serviceCredential }: TestOutcome['test'],
  token: string | undefined,
  tokenHeader: string | undefined,
  { ca, forwarded, clients }: Means,
): Outgoing {
  const { host, target } = splitUrl(url) ?? { host: '', target: '/' };
  const { address, port, tls } = gateway;
  const { network, certificate } = requestOrigin(as);
  const own = serviceCredential === undefined ? 'Authorization' : (tokenHeader ?? 'Authorization');
  const headers = {
    ...(serviceCredential !== undefined && { Authorization: headerOf(serviceCredential) }),
    ...(token !== undefined && { [own]: `Bearer ${token}` }),
    ...(network !== undefined && forwarded && { 'X-Forwarded-For': network }),
    ...mcpFields(message),
  };
  const pem = certificate === undefined ? undefined : clients.get(certificate);
  const name = host.replace(/:\d*$/, '');
  return {
    ...{ address, port, tls, name, authority: host, method, target, headers },
    ...(ca !== undefined && { ca }),
    ...(pem !== undefined && { client: { cert: pem, key: pem } }),
  };
}

async function askOne(
  ask: Ask,
  outcome: TestOutcome,
  request: Outgoing,
): Promise<Pick<LiveOutcome, 'agrees' | 'got' | 'status' | 'note'>> {
  const answer = await ask(request);
  if ('error' in answer) return { agrees: false, note: `no answer: ${foreign(answer.error)}` };
  const got = verdict(answer, outcome.got);
  return { agrees: got === outcome.got, got, status: answer.status };
}

/** Sends the policy's tests to the running gateway, one after another. */
export async function askGateway(
  ask: Ask,
  gateway: ReturnType<typeof gatewayAddress>,
  policy: Policy,
  outcomes: readonly TestOutcome[],
  tokens: LiveTokens,
  means: Means,
): Promise<Enforcer> {
  const all: LiveOutcome[] = [];
  for (const outcome of outcomes) {
    const { test, index, rule } = outcome;
    const token = tokens.of(test, index);
    const note = notSent(policy, outcome, token, means);
    all.push({
      ...{ outcome, as: policyCallerText(test.as), expect: outcome.got, ...(rule && { rule }) },
      ...(note === undefined
        ? await askOne(ask, outcome, requestOf(gateway, test, token, policy.gateway.credentialHeader, means))
        : { agrees: true, note }),
    });
  }
  return { kind: 'gateway', address: gateway.url, outcomes: all };
}
