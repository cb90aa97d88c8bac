import { isWithin, readAddress, readRange } from '../../base/cidr.ts';
import type { Result } from '../../base/reasons.ts';
import { certificateCaller } from '../../caller/reserved.ts';
import type { Caller, TokenAgent } from '../../caller/types.ts';
import type { PolicyTest, RequestOrigin, Who } from '../../policy/checked/types.ts';
import { type CertificateNames, isNamed } from '../../policy/facts/certificate.ts';
import type { RequestView } from '../../policy/facts/operator.ts';
import type { Rule } from '../../rules/types.ts';

/** Names the callers of a rule in the words of the policy. */
export function whoText(who: Who): string {
  switch (who.kind) {
    case 'role':
      return `role ${who.role}`;
    case 'agent':
      return `agent ${who.agent}${who.tools === undefined ? '' : ` with tools ${who.tools.join(' ')}`}`;
    default:
      return who.kind;
  }
}

/** Describes a rule in one line: `role editor, GET POST, as wiki-editor`.
 * @param routed service of the route; if the rule has another service, the text names it: `to wiki-canary` */
export function ruleText({ who, methods, service, as }: Rule, routed?: string): string {
  return [
    whoText(who),
    ...(methods === undefined ? [] : [methods.join(' ')]),
    ...(routed === undefined || service === routed ? [] : [`to ${service}`]),
    ...(as === '' ? [] : [`as ${as}`]),
  ].join(', ');
}

/** Describes a caller that has roles, and the agent if there is one. */
export function rolesText(roles: readonly string[], agent?: string): string {
  const person = roles.length === 0 ? 'a caller without a role' : roles.join(', ');
  return agent === undefined ? person : `agent ${agent} for ${person}`;
}

/** Describes an agent that acts for itself. */
export const aloneText = (agent: string): string => `agent ${agent} alone`;

/** Describes the caller of a policy test. The values of claims are left out. */
export function policyCallerText(as: PolicyTest['as']): string {
  switch (as.kind) {
    case 'nobody':
      return as.certificate === undefined && as.network === undefined
        ? 'an anonymous caller'
        : `an anonymous caller, ${fromText(as)}`;
    case 'alone':
      return aloneText(as.agent);
    case 'roles':
      return rolesText(as.roles, as.agent);
    case 'claims':
      return `a caller of ${as.provider}${fromText(as) === '' ? '' : `, ${fromText(as)}`}`;
  }
}

/** The note if the result depends on the client's address and no address is given. */
export const ADDRESS_UNSAID = 'the result depends on the client’s address, which is not given';

/** Returns the names of a certificate for which the user gave one name. */
function namesOf(certificate: string): CertificateNames {
  return certificate.startsWith('spiffe:') ? { spiffe: certificate, dns: [] } : { dns: [certificate] };
}

/** Returns the request as a test or a command describes it. Without an address, facts about networks are unknown. */
export function requestView({ network, certificate }: RequestOrigin): RequestView {
  const address = network === undefined ? undefined : readAddress(network);
  const names = certificate === undefined ? undefined : namesOf(certificate);
  const isIn = (text: string): boolean => {
    const range = readRange(text);
    return address !== undefined && range !== undefined && isWithin(address, range);
  };
  return {
    within: (ranges) => (address === undefined ? undefined : ranges.some(isIn)),
    named: (name) => (names === undefined ? undefined : isNamed(names, name)),
  };
}

/** Returns the caller whose only credential is a certificate with this name. */
export function holderOf(certificate: string, agents?: readonly TokenAgent[]): Result<Caller> {
  const named = { ...namesOf(certificate), subject: '', notBefore: 0, notAfter: 0, thumbprint: '' };
  return certificateCaller(named, agents);
}

/** Describes in words where a request comes from; empty if neither address nor certificate is given. */
export function fromText({ network, certificate }: RequestOrigin): string {
  return [
    ...(network === undefined ? [] : [`from ${network}`]),
    ...(certificate === undefined ? [] : [`with the certificate of ${certificate}`]),
  ].join(', ');
}
