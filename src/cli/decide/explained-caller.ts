import { HEADER_LINE_BYTES } from '../../base/limits.ts';
import { type Refusal, type Result, refuse } from '../../base/reasons.ts';
import { explainFact, type FactExplanation } from '../../caller/roles/explain.ts';
import type { Caller } from '../../caller/types.ts';
import type { Agent, Policy, RequestOrigin, Role } from '../../policy/checked/types.ts';
import { CERTIFICATE_PROVIDER, NOBODY_PROVIDER } from '../../policy/forms/reserved-names.ts';
import { advise } from '../../policy/read/suggest.ts';
import { ELSEWHERE, heldByAnonymous } from '../../rules/compare/anonymous-callers.ts';
import { type DecidingCaller, travelling } from '../../rules/decide/decide.ts';
import { WrongUse } from '../common/context.ts';
import { readFile, utf8 } from '../common/load.ts';
import { headerOf } from '../common/service-credential.ts';
import { fromText } from '../common/words.ts';
import type { Runtime } from '../machine/runtime.ts';
import type { Reached } from './ask.ts';
import { type ClaimedCaller, Offline } from './offline.ts';
import { noRoom, refusedBeside } from './policy-tests.ts';

/** A caller, with an explanation for each role. */
export interface ExplainedCaller {
  readonly kind: 'nobody' | 'roles' | 'token' | 'certificate';
  /** The caller in one line, for people. */
  readonly text: string;
  readonly caller: DecidingCaller | null;
  /** Other callers that the same flags can mean, if no address is given and an address would change the roles. */
  readonly elsewhere?: readonly DecidingCaller[];
  readonly claimed?: ClaimedCaller;
  /** The `Authorization` header of the request, if it belongs to the service. */
  readonly authorization?: string;
  /** Explains why the caller has the role or does not have it. */
  role(role: Role): FactExplanation;
}

export interface CallerFlags {
  readonly as?: readonly string[];
  readonly agent?: string;
  readonly token?: string;
  readonly now?: number;
  /** The address of the client; `certificate` is a name in the certificate. */
  readonly network?: string;
  readonly certificate?: string;
  /** The form of the `Authorization` header, which belongs to the service. */
  readonly serviceCredential?: string;
}

function given(held: readonly string[], text: string, { name, at }: Role): FactExplanation {
  return { text: `role ${JSON.stringify(name)}${text}`, truth: held.includes(name), at, parts: [] };
}

/** Explains whether a caller has a role, by the role's fact. */
const byFact =
  ({ facts }: ClaimedCaller) =>
  ({ name, fact, at }: Role): FactExplanation => {
    const why = explainFact(fact, facts);
    return { text: `role ${JSON.stringify(name)}`, truth: why.truth, at, parts: [why] };
  };

/** Returns a caller without a token. The caller has a role only if the request itself gives the role. */
function withoutToken(policy: Policy, claimed: ClaimedCaller, from: RequestOrigin): ExplainedCaller {
  const { subject, roles, nobody } = claimed.caller;
  const where = fromText(nobody ? { ...(from.network !== undefined && { network: from.network }) } : from);
  const held = roles.length === 0 ? '' : `; roles: ${roles.join(', ')}`;
  const byAddress = nobody && where === '' ? heldByAnonymous(policy) : undefined;
  const who = nobody ? 'an anonymous caller' : `${JSON.stringify(subject)} by certificate`;
  return {
    kind: nobody ? 'nobody' : 'certificate',
    text: `${who}${where === '' ? '' : `, ${where}`}${held}`,
    caller: claimed.caller,
    role: (role) => {
      if (byAddress === undefined) return byFact(claimed)(role);
      if (!byAddress.has(role.name)) return given([], ': no caller has it without a credential', role);
      return { ...given([], '', role), truth: undefined, unsaid: 'the address is not given; add --network' };
    },
  };
}

function withRoles(policy: Policy, roles: readonly string[]): ExplainedCaller {
  const known = Object.keys(policy.roles);
  for (const role of roles) {
    if (!known.includes(role))
      throw new WrongUse(`the policy has no role ${JSON.stringify(role)}; ${advise(role, [...known, 'nobody'])}`);
  }
  return {
    kind: 'roles',
    text: `${roles.join(', ')} (as given)`,
    caller: { roles },
    role: (role) => given(roles, roles.includes(role.name) ? ': given' : ': not given', role),
  };
}

/** Reads a token from a file or standard input, and removes the scheme before the token. */
export function tokenText(runtime: Runtime, file: string): string {
  const text = utf8(readFile(runtime, file, 'the token'));
  // No error message contains the text, even if it is not a token.
  return (text ?? '').trim().replace(/^(?:authorization: *)?(?:bearer|dpop) +/i, '');
}

/** Returns the caller that the command's flags describe, or the refusal if the gateway would reject the token. */
export function explainedCallerOf(
  runtime: Runtime,
  policy: Policy,
  flags: CallerFlags,
  reached: Exclude<Reached, Refusal>,
): ExplainedCaller | Refusal {
  const { as, agent, token, serviceCredential: form } = flags;
  const explained = callerOf(runtime, policy, flags, reached);
  const isGiven = (as !== undefined && as[0] !== 'nobody') || (agent !== undefined && token === undefined);
  if (form === undefined || !isGiven || 'reason' in explained) return explained;
  const authorization = headerOf(form);
  const offline = new Offline(policy, flags.now ?? runtime.now());
  return refusedBeside(offline, { authorization }, reached) ?? { ...explained, authorization };
}

function callerOf(
  runtime: Runtime,
  policy: Policy,
  flags: CallerFlags,
  reached: Exclude<Reached, Refusal>,
): ExplainedCaller | Refusal {
  const { as, agent, token } = flags;
  if (agent !== undefined && as === undefined && token === undefined) return itself(policy, agent);
  const person = personOf(runtime, policy, flags, reached);
  return agent === undefined || 'reason' in person ? person : throughAgent(policy, person, agent);
}

function agentNamed(policy: Policy, name: string): Agent {
  const agent = Object.hasOwn(policy.agents, name) ? policy.agents[name] : undefined;
  if (agent !== undefined) return agent;
  const known = Object.keys(policy.agents);
  throw new WrongUse(`the policy has no agent ${JSON.stringify(name)}; ${advise(name, known)}`);
}

/** Returns the caller for an agent that acts for itself. */
function itself(policy: Policy, name: string): ExplainedCaller {
  const agent = agentNamed(policy, name);
  if (!agent.alone) throw new WrongUse(`agent ${name} never acts for itself: give --as ROLE or --token FILE as well`);
  return {
    kind: 'roles',
    text: `agent ${name}, alone`,
    caller: { roles: [], agent: name, alone: true },
    role: (role) => given([], `: agent ${name} acts for itself, and has no role`, role),
  };
}

/** Returns the caller for an agent that acts for a person. Only roles in its `acts_for` count. */
function throughAgent(policy: Policy, person: ExplainedCaller, name: string): ExplainedCaller {
  const agent = agentNamed(policy, name);
  if (agent.actsFor.length === 0) throw new WrongUse(`agent ${name} acts for no person: leave --as and --token out`);
  if (person.caller?.agent !== undefined) throw new WrongUse('the token itself names the agent: leave --agent out');
  if (person.caller === null || person.caller.nobody === true)
    throw new WrongUse('an agent acts for a person: give --as ROLE or --token FILE as well');
  return {
    ...person,
    text: `agent ${name}, which acts for ${agent.actsFor.join(', ')}; for ${person.text}`,
    caller: { ...travelling(person.caller, agent.actsFor), agent: name },
    ...(person.elsewhere && {
      elsewhere: person.elsewhere.map((it) => ({ ...travelling(it, agent.actsFor), agent: name })),
    }),
    role: (role) => {
      if (agent.actsFor.includes(role.name)) return person.role(role);
      return given([], `: agent ${name} does not act for it`, role);
    },
  };
}

function personOf(
  runtime: Runtime,
  policy: Policy,
  flags: CallerFlags,
  reached: Exclude<Reached, Refusal>,
): ExplainedCaller | Refusal {
  const { host, route } = reached;
  const { as: roles = ['nobody'], token: file } = flags;
  if (roles.length > 1 && roles.includes('nobody')) throw new WrongUse('--as nobody cannot be combined with roles');
  if (file === undefined && roles[0] !== 'nobody') return withRoles(policy, roles);
  const offline = new Offline(policy, flags.now ?? runtime.now());
  let text: string | undefined;
  const { serviceCredential: form } = flags;
  const passing = offline.passingAt(route);
  // A token may belong to the service. Only then the command reads it before the gateway would.
  if (file !== undefined && passing !== undefined) text = tokenText(runtime, file);
  if (file !== undefined && form !== undefined && !offline.hasTokenHeader) return noRoom;
  const more = {
    ...(text !== undefined && { text }),
    ...(form !== undefined && { authorization: headerOf(form) }),
  };
  const claimedFrom = (from: RequestOrigin): Result<ClaimedCaller> => {
    const token = () => {
      text ??= tokenText(runtime, file as string);
      if ('Authorization: Bearer \r\n'.length + text.length > HEADER_LINE_BYTES) return refuse('header_too_large');
      return offline.ofToken(text, host.providers, route.audiences, from);
    };
    return offline.callerAt(reached, { ...from, ...more, ...(file !== undefined && { token }) });
  };
  const claimed = claimedFrom(flags);
  if (!claimed.ok) return claimed;
  const isToken = ![NOBODY_PROVIDER, CERTIFICATE_PROVIDER].includes(claimed.value.caller.provider);
  const explained = isToken ? bearerOf(claimed.value, flags) : withoutToken(policy, claimed.value, flags);
  const passed = form === undefined ? text !== undefined && `Bearer ${text}` : headerOf(form);
  const authorization = passed && passing?.schemeOf(passed) !== undefined ? { authorization: passed } : {};
  return withAddress({ ...explained, ...authorization }, flags, claimed.value, claimedFrom);
}

/** If no address is given, adds the callers with other roles that the same flags mean at other addresses. */
function withAddress(
  explained: ExplainedCaller,
  from: RequestOrigin,
  { caller }: ClaimedCaller,
  claimedFrom: (from: RequestOrigin) => Result<ClaimedCaller>,
): ExplainedCaller {
  if (from.network !== undefined) return explained;
  const elsewhere = ELSEWHERE.flatMap((network) => {
    const claimed = claimedFrom({ ...from, network });
    return claimed.ok && claimed.value.caller.roles.join() !== caller.roles.join() ? [claimed.value.caller] : [];
  });
  return elsewhere.length === 0 ? explained : { ...explained, elsewhere };
}

/** Describes the caller of a token in one line: the person, the agent and the roles; or an agent alone. */
function callerText({ subject, provider, roles, agent, alone }: Caller): string {
  const who = `${JSON.stringify(subject)} of ${provider}`;
  if (agent === undefined) return `${who}; roles: ${roles.join(', ') || 'none'}`;
  if (alone) return `agent ${agent}, alone: ${who}`;
  return `agent ${agent}, for ${who}; roles that the agent keeps: ${roles.join(', ') || 'none'}`;
}

/** Returns the caller that a token's claims describe. */
export function bearerOf(claimed: ClaimedCaller, from: RequestOrigin = {}): ExplainedCaller {
  const { caller } = claimed;
  const { agent, alone } = caller;
  const where = fromText(from);
  return {
    kind: 'token',
    text: `${callerText(caller)}${where === '' ? '' : `; ${where}`}`,
    caller,
    claimed,
    role: (role) => {
      if (agent !== undefined && alone) return given([], `: agent ${agent} acts for itself, and has no role`, role);
      const why = byFact(claimed)(role);
      if (agent === undefined || why.truth !== true || caller.roles.includes(role.name)) return why;
      return given([], `: agent ${agent} does not act for it`, role);
    },
  };
}
