import { isWildcard } from '../../base/host-name.ts';
import { type Refusal, refuse } from '../../base/reasons.ts';
import { encodeList, encodeValue } from '../../caller/encode.ts';
import { hidesOf } from '../../caller/roles/team-roles.ts';
import { isAmbientScheme, passingOf, policyIssuers } from '../../caller/service-credential.ts';
import type { Caller } from '../../caller/types.ts';
import type { Host, Route } from '../../policy/checked/types.ts';
import { DEFAULTS } from '../../policy/forms/bounds.ts';
import { type DisclosedCaller, linesOf, planOf } from '../../rules/decide/answer-lines.ts';
import { toTable } from '../../rules/table/table.ts';
import type { Rule, Table } from '../../rules/types.ts';
import { httpsOrigin } from '../../session/urls.ts';
import type { Loaded } from '../common/load.ts';
import { splitUrl } from './ask.ts';
import type { ExplainedCaller } from './explained-caller.ts';

/* The checks of the gateway besides the rules that the command can make: the end of a session, the origin of the
 * request, the length of identity headers. The command assumes that all other checks succeed, and prints each
 * assumption. */

export interface BeyondFlags {
  /** The origin of the page that sends the request. */
  readonly origin?: string;
  /** Seconds since the session began. */
  readonly signedIn?: number;
}

/** A request and its caller. */
interface Requested extends BeyondFlags {
  readonly method: string;
  readonly url: string;
  readonly host: Host;
  readonly route: Route;
  readonly explained: ExplainedCaller;
}

/** For other methods, nginx passes on the origin only if the request has `Upgrade`. */
const SAFE = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

/** Whether the request can belong to a session. */
const mayHaveSession = ({ route, explained }: Requested): boolean =>
  explained.kind === 'roles' && explained.caller?.agent === undefined && route.accept.includes('session');

/** Checks a request as the gateway does besides the rules. */
export class Beyond {
  readonly #loaded: Loaded;
  readonly #requested: Requested;
  readonly #table: Table;
  readonly #certificates: boolean;

  constructor(loaded: Loaded, requested: Requested) {
    this.#loaded = loaded;
    this.#requested = requested;
    this.#table = toTable(loaded.policy, loaded.rules, { egress: '' });
    this.#certificates = requested.explained.kind === 'certificate';
  }

  #isForeign(named: readonly string[] = []): boolean {
    const { origin, method, url, host } = this.#requested;
    if (origin === undefined || SAFE.includes(method)) return false;
    const { publicPort = DEFAULTS.publicPort } = this.#loaded.policy.gateway;
    const requested = splitUrl(url)?.host.toLowerCase().replace(/:\d*$/, '');
    const name = isWildcard(host.name) ? (requested ?? '') : host.name;
    return !named.includes(origin) && origin !== httpsOrigin(name, publicPort);
  }

  /** Whether the request has a service's credential that browsers add by themselves. */
  get #hasCached(): boolean {
    const { route, explained } = this.#requested;
    if (route.serviceCredential === undefined || explained.authorization === undefined) return false;
    return isAmbientScheme(passingOf(route.serviceCredential, policyIssuers(this.#table)), explained.authorization);
  }

  /** Returns the refusal of a request with a session, a certificate or a service's credential, before any rule is
   * evaluated. */
  credential(): Refusal | undefined {
    const { signedIn } = this.#requested;
    const isSession = mayHaveSession(this.#requested);
    const { session } = this.#loaded.policy.gateway;
    if (isSession && session !== undefined && signedIn !== undefined && signedIn >= session.absolute) {
      return refuse('session_expired', `a session ends ${session.absolute}s after the sign-in`);
    }
    const isAmbient = isSession || this.#certificates || this.#hasCached;
    return isAmbient && this.#isForeign(this.#table.routes[this.#requested.route.name]?.origins)
      ? refuse('origin_refused')
      : undefined;
  }

  /** Whether a page of another origin sends the request. The network then gives an anonymous caller no role. */
  isForeignNetwork(): boolean {
    return (
      this.#requested.explained.caller?.nobody === true &&
      this.#isForeign(this.#table.routes[this.#requested.route.name]?.openOrigins)
    );
  }

  /** Returns the refusal if a rule allows the request but an identity header would be too long or invalid. */
  headers(rule: Rule): Refusal | undefined {
    const { explained, route } = this.#requested;
    const caller = explained.claimed?.caller;
    if (caller === undefined) return undefined;
    const { headerNames, answerRoom, teams, routes } = this.#table;
    const hides = hidesOf(teams, routes[route.name]?.team);
    const lines = linesOf(disclosedOf(caller), planOf(route.headers, headerNames, answerRoom, hides), rule);
    return 'reason' in lines ? lines : undefined;
  }

  /** Lists the assumptions about an allowed request. */
  assumptions(limits: readonly string[]): readonly string[] {
    const { method, origin, route, explained, signedIn } = this.#requested;
    const { session } = this.#loaded.policy.gateway;
    const isSession = mayHaveSession(this.#requested);
    const isAmbient = isSession || this.#certificates || (explained.caller?.roles.length ?? 0) > 0;
    const isOfCaller = isAmbient && explained.kind !== 'token' && (explained.kind !== 'roles' || isSession);
    const isOfBrowser = isOfCaller || this.#hasCached;
    const began = signedIn === undefined ? `began in the last ${session?.absolute}s and ` : '';
    return [
      ...(isSession && session !== undefined
        ? [`if the credential is a session, it ${began}was used in the last ${session.idle}s`]
        : []),
      ...(isOfBrowser && origin === undefined && !SAFE.includes(method)
        ? ['a program sends it, or a page of this host: give --origin']
        : []),
      ...(explained.claimed === undefined && Object.values(route.headers).some(isLong)
        ? ['the identity headers fit into an answer']
        : []),
      ...limits.map(() => 'no limit is used up'),
    ].filter((text, index, all) => all.indexOf(text) === index);
  }
}

/** Whether the provider's claims decide the length of an identity header. */
const isLong = (source: Route['headers'][string]): boolean =>
  source === 'groups' || (typeof source === 'object' && 'claim' in source);

const disclosedOf = (caller: Caller): DisclosedCaller => ({
  caller,
  provider: caller.provider,
  user: encodeValue(caller.subject),
  roles: caller.roles.join(','),
  ...(caller.agent !== undefined && { agent: caller.agent, actors: encodeList(caller.actors ?? []) }),
});
