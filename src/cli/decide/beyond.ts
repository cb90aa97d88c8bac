import { isWildcard } from '../../base/host-name.ts';
import { type Refusal, refuse } from '../../base/reasons.ts';
import { encodeList, encodeValue } from '../../caller/encode.ts';
import { hidesOf } from '../../caller/roles/team-roles.ts';
import { isAmbientScheme, issuersOf, passingOf } from '../../caller/service-credential.ts';
import type { Caller } from '../../caller/types.ts';
import type { Host, Route } from '../../policy/checked/types.ts';
import { DEFAULTS } from '../../policy/forms/bounds.ts';
import { linesOf, planOf, type ToldCaller } from '../../rules/decide/answer-lines.ts';
import { toTable } from '../../rules/table/table.ts';
import type { Rule, Table } from '../../rules/types.ts';
import { originOf } from '../../session/urls.ts';
import type { Loaded } from '../common/load.ts';
import { splitUrl } from './ask.ts';
import type { Asker } from './asker.ts';

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
interface Asked extends BeyondFlags {
  readonly method: string;
  readonly url: string;
  readonly host: Host;
  readonly route: Route;
  readonly asker: Asker;
}

/** For other methods, nginx passes on the origin only if the request has `Upgrade`. */
const SAFE = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

/** Whether the request can belong to a session. */
const mayHaveSession = ({ route, asker }: Asked): boolean =>
  asker.kind === 'roles' && asker.caller?.agent === undefined && route.accept.includes('session');

/** Checks a request as the gateway does besides the rules. */
export class Beyond {
  readonly #loaded: Loaded;
  readonly #asked: Asked;
  readonly #table: Table;
  readonly #certificates: boolean;

  constructor(loaded: Loaded, asked: Asked) {
    this.#loaded = loaded;
    this.#asked = asked;
    this.#table = toTable(loaded.policy, loaded.rules, { egress: '' });
    this.#certificates = asked.asker.kind === 'certificate';
  }

  #isForeign(named: readonly string[] = []): boolean {
    const { origin, method, url, host } = this.#asked;
    if (origin === undefined || SAFE.includes(method)) return false;
    const { publicPort = DEFAULTS.publicPort } = this.#loaded.policy.gateway;
    const asked = splitUrl(url)?.host.toLowerCase().replace(/:\d*$/, '');
    const name = isWildcard(host.name) ? (asked ?? '') : host.name;
    return !named.includes(origin) && origin !== originOf(name, publicPort);
  }

  /** Whether the request has a service's credential that browsers add by themselves. */
  get #hasCached(): boolean {
    const { route, asker } = this.#asked;
    if (route.serviceCredential === undefined || asker.authorization === undefined) return false;
    return isAmbientScheme(passingOf(route.serviceCredential, issuersOf(this.#table)), asker.authorization);
  }

  /** Returns the refusal of a request with a session, a certificate or a service's credential, before any rule is
   * evaluated. */
  credential(): Refusal | undefined {
    const { signedIn } = this.#asked;
    const isSession = mayHaveSession(this.#asked);
    const { session } = this.#loaded.policy.gateway;
    if (isSession && session !== undefined && signedIn !== undefined && signedIn >= session.absolute) {
      return refuse('session_expired', `a session ends ${session.absolute}s after the sign-in`);
    }
    const isAmbient = isSession || this.#certificates || this.#hasCached;
    return isAmbient && this.#isForeign(this.#table.routes[this.#asked.route.name]?.origins)
      ? refuse('origin_refused')
      : undefined;
  }

  /** Whether a page of another origin sends the request. The network then gives an anonymous caller no role. */
  isForeignNetwork(): boolean {
    return (
      this.#asked.asker.caller?.nobody === true &&
      this.#isForeign(this.#table.routes[this.#asked.route.name]?.openOrigins)
    );
  }

  /** Returns the refusal if a rule allows the request but an identity header would be too long or invalid. */
  headers(rule: Rule): Refusal | undefined {
    const { asker, route } = this.#asked;
    const caller = asker.claimed?.caller;
    if (caller === undefined) return undefined;
    const { headerNames, answerRoom, teams, routes } = this.#table;
    const hides = hidesOf(teams, routes[route.name]?.team);
    const lines = linesOf(toldOf(caller), planOf(route.headers, headerNames, answerRoom, hides), rule);
    return 'reason' in lines ? lines : undefined;
  }

  /** Lists the assumptions about an allowed request. */
  assumptions(limits: readonly string[]): readonly string[] {
    const { method, origin, route, asker, signedIn } = this.#asked;
    const { session } = this.#loaded.policy.gateway;
    const isSession = mayHaveSession(this.#asked);
    const isAmbient = isSession || this.#certificates || (asker.caller?.roles.length ?? 0) > 0;
    const isOfCaller = isAmbient && asker.kind !== 'token' && (asker.kind !== 'roles' || isSession);
    const isOfBrowser = isOfCaller || this.#hasCached;
    const began = signedIn === undefined ? `began in the last ${session?.absolute}s and ` : '';
    return [
      ...(isSession && session !== undefined
        ? [`if the credential is a session, it ${began}was used in the last ${session.idle}s`]
        : []),
      ...(isOfBrowser && origin === undefined && !SAFE.includes(method)
        ? ['a program sends it, or a page of this host: give --origin']
        : []),
      ...(asker.claimed === undefined && Object.values(route.headers).some(isLong)
        ? ['the identity headers fit into an answer']
        : []),
      ...limits.map(() => 'no limit is used up'),
    ].filter((text, index, all) => all.indexOf(text) === index);
  }
}

/** Whether the provider's claims decide the length of an identity header. */
const isLong = (source: Route['headers'][string]): boolean =>
  source === 'groups' || (typeof source === 'object' && 'claim' in source);

const toldOf = (caller: Caller): ToldCaller => ({
  caller,
  provider: caller.provider,
  user: encodeValue(caller.subject),
  roles: caller.roles.join(','),
  ...(caller.agent !== undefined && { agent: caller.agent, actors: encodeList(caller.actors ?? []) }),
});
