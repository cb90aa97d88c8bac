import type { ClientCas } from '../../assertion/agent.ts';
import { composed, SEPARATOR } from '../../base/composed-key.ts';
import { isWildcard } from '../../base/host-name.ts';
import { type Accepting, acceptingOf } from '../../caller/credential.ts';
import { hidesOf } from '../../caller/roles/team-roles.ts';
import { type passingOf, policyIssuers } from '../../caller/service-credential.ts';
import { DEFAULTS } from '../../policy/forms/bounds.ts';
import { CERTIFICATE_PROVIDER } from '../../policy/forms/reserved-names.ts';
import { type HeaderPlan, planOf } from '../../rules/decide/answer-lines.ts';
import { metadataUrl } from '../../rules/decide/resource.ts';
import type { SigninHelp, Table, TableRoute } from '../../rules/types.ts';
import type { StepUp } from '../../session/signin-table.ts';
import { forResource, type TokenProvider } from '../../token/types.ts';
import type { CountedCredential, PreparedBudgets, PreparedGrant } from '../shared/known.ts';
import { prepareBudgets } from './budgets.ts';

/** A rule with the content of its assertions. Equal grants of several rules are one object. */
export type PreparedRule = TableRoute['rules'][number] & {
  readonly grant: PreparedGrant;
  /** The names of the counters of requests that the rule allows, by the kind of credential, after the first of them. */
  counted?: Partial<Record<CountedCredential, string>>;
  /** The lines of the answer for anonymous callers without roles, after the first of them. */
  toNone?: readonly string[];
};

/** A route as the check uses it. It is prepared once per context. */
export interface PreparedRoute extends Accepting {
  readonly name: string;
  /** A separator and the route's name. The method, followed by this text, is the key of a stored answer. The text is
   * computed in advance, because a function call would cost time in each request. */
  readonly afterMethod: string;
  /** The realm of the challenge (RFC 9110 section 11.5): the host. */
  readonly realm: string;
  /** URL of the route's metadata (RFC 9728). It is empty if the route accepts no tokens or has a wildcard host. */
  readonly metadata: string;
  readonly rules: readonly PreparedRule[];
  readonly providers: readonly TokenProvider[];
  /** The scope of cached tokens: the route's own audiences, because other routes may reject a token that this route
   * accepts. Usually the scope is empty. */
  readonly scope: string;
  readonly accepted: ReadonlySet<string>;
  readonly publicPort: number;
  /** Other origins whose pages may send requests with a session or a certificate. */
  readonly origins: readonly string[];
  /** Other origins whose pages may send requests without a credential, if the client's network gives a role. */
  readonly openOrigins: readonly string[];
  readonly plan: HeaderPlan;
  /** For each role, its requirements for the sign-in. */
  readonly stepUps: Readonly<Record<string, StepUp>>;
  /** Whether a rule depends on the tool that an agent calls. */
  readonly tools: boolean;
  /** For each role, the scopes that it requires; absent: no role requires scopes. */
  readonly scopes: Readonly<Record<string, string>> | undefined;
  /** Help texts for the claims that roles require and a session can lack. */
  readonly help: SigninHelp | undefined;
  /** The budgets of requests to the route, if there are any. */
  readonly budgets: PreparedBudgets | undefined;
}

const noStepUps: Readonly<Record<string, StepUp>> = Object.freeze({});

/** Returns the URL of a route's metadata, from the route's name. */
function metadataOf(name: string, port: number): string {
  const slash = name.indexOf('/');
  return isWildcard(name) ? '' : metadataUrl(name.slice(0, slash), name.slice(slash), port);
}

/** Returns a function that finds a route by name, `undefined` for unknown names. Routes are prepared on first use.
 * @param cas the CAs by which this listener verifies callers' certificates; default: the CAs of the outer listener
 * @param passing reads the credentials of services; absent: this listener passes none on */
export function prepareRoutes(
  table: Table,
  cas: ClientCas = table.hop ?? {},
  passing?: typeof passingOf,
): (name: string) => PreparedRoute | undefined {
  const { clientCas = {}, certificateRoles = [] } = cas;
  const prepared = new Map<string, PreparedRoute>();
  const grants = new Map<string, PreparedGrant>();

  /** Returns the grant of a rule. At the inner listener, it has the caller's email and name only if the service that
   * acts for the caller receives them itself. */
  function grantOf(
    host: string,
    { service, as }: TableRoute['rules'][number],
    { headers, team }: TableRoute,
  ): PreparedGrant {
    const certificate = Object.hasOwn(clientCas, host) ? { host, roles: certificateRoles } : undefined;
    const disclosed = table.hop === undefined ? [] : Object.values(headers);
    const [email, name] = [disclosed.includes('email'), disclosed.includes('name')];
    const key = composed(service, as, String(email), String(name), certificate?.host ?? '', team ?? '');
    let grant = grants.get(key);
    if (grant === undefined) {
      const hides = hidesOf(table.teams, team);
      grant = { index: grants.size, service, as, email, name, ...(certificate && { certificate }), hides };
      grants.set(key, grant);
    }
    return grant;
  }

  return (name) => {
    const known = prepared.get(name);
    if (known !== undefined) return known;
    if (!Object.hasOwn(table.routes, name)) return undefined;
    const route = table.routes[name] as TableRoute;
    const passes = route.serviceCredential && passing?.(route.serviceCredential, policyIssuers(table));
    const proofs = table.proof !== undefined;
    const accepting = acceptingOf(route.accept ?? ['bearer'], proofs, passes, table.credentialHeader);
    const realm = name.slice(0, name.indexOf('/'));
    const { publicPort = DEFAULTS.publicPort } = table;
    const made: PreparedRoute = {
      name,
      afterMethod: SEPARATOR + name,
      realm,
      metadata: accepting.bearers ? metadataOf(name, publicPort) : '',
      rules: route.rules.map((rule) => ({ ...rule, grant: grantOf(realm, rule, route) })),
      providers: route.providers.map((provider) => {
        const it = table.providers[provider] as TokenProvider;
        return route.audiences === undefined ? it : forResource(it, route.audiences);
      }),
      scope: route.audiences === undefined ? '' : composed(...route.audiences),
      accepted: new Set([...route.providers, ...(accepting.certificates ? [CERTIFICATE_PROVIDER] : [])]),
      ...accepting,
      publicPort,
      origins: route.origins ?? [],
      openOrigins: route.openOrigins ?? [],
      plan: planOf(route.headers, table.headerNames, table.answerRoom, hidesOf(table.teams, route.team)),
      stepUps: table.stepUps ?? noStepUps,
      tools: route.rules.some(({ who }) => who.kind === 'agent' && who.tools !== undefined),
      scopes: table.scopes,
      help: table.session?.help,
      budgets: route.budgets && prepareBudgets(route.budgets, table.passWhenFull === true, table.providers),
    };
    prepared.set(name, made);
    return made;
  };
}
