import type { ClientCas } from '../assertion/agent.ts';
import { type Accepting, acceptingOf } from '../caller/credential.ts';
import { composed, SEPARATOR } from '../composed.ts';
import { isWildcard } from '../host-name.ts';
import { DEFAULTS } from '../limits.ts';
import { CERTIFICATE_PROVIDER } from '../policy/reserved.ts';
import type { Headers } from '../policy/types.ts';
import { type HeaderPlan, planOf } from '../rules/answer-lines.ts';
import { metadataUrl } from '../rules/resource.ts';
import type { SigninHelp, Table, TableRoute } from '../rules/types.ts';
import type { StepUp } from '../session/signin-table.ts';
import { forResource, type TokenProvider } from '../token/types.ts';
import { prepareBudgets } from './budgets.ts';
import type { PreparedBudgets, PreparedGrant } from './known.ts';

/** A rule with what an assertion for it says; equal grants of several rules are one object. */
export type PreparedRule = TableRoute['rules'][number] & { readonly grant: PreparedGrant };

/** A route as the check uses it, prepared once per context. */
export interface PreparedRoute extends Accepting {
  readonly name: string;
  /** The name after a separator: with a method before it, it names a ready answer. A call would cost each request. */
  readonly afterMethod: string;
  /** Protection space of the challenge (RFC 9110 section 11.5): the host. */
  readonly realm: string;
  /** Where its metadata is (RFC 9728); empty where it takes no tokens, or its host has many names. */
  readonly metadata: string;
  readonly rules: readonly PreparedRule[];
  readonly providers: readonly TokenProvider[];
  /** What tokens are remembered for: its own audiences, of which one that passed here passes nowhere else. Mostly
   * empty. */
  readonly scope: string;
  /** Their names. */
  readonly accepted: ReadonlySet<string>;
  /** Port of the host's own pages. */
  readonly publicPort: number;
  /** Origins of others whose pages may send with a session or a certificate. */
  readonly origins: readonly string[];
  /** The same without a credential: from a network that gives a role. */
  readonly openOrigins: readonly string[];
  readonly plan: HeaderPlan;
  /** By role, what it asks of the sign-in. */
  readonly stepUps: Readonly<Record<string, StepUp>>;
  /** Some rule looks at the tool that an agent calls. */
  readonly tools: boolean;
  /** By role, the scopes that it takes; absent: no role takes any. */
  readonly scopes: Readonly<Record<string, string>> | undefined;
  /** What a session may lack of the claims that roles rest on. */
  readonly help: SigninHelp | undefined;
  /** What is counted, where something is. */
  readonly budgets: PreparedBudgets | undefined;
}

const noStepUps: Readonly<Record<string, StepUp>> = Object.freeze({});

/** The URL of a route's metadata, by the route's name. */
function metadataOf(name: string, port: number): string {
  const slash = name.indexOf('/');
  return isWildcard(name) ? '' : metadataUrl(name.slice(0, slash), name.slice(slash), port);
}

/**
 * Prepares the routes of the rendered policy on first use.
 *
 * @param cas the CAs by which this door verifies callers' certificates: those of the outer door, unless given
 * @returns a look-up by route name; unknown names give `undefined`
 */
export function routesOf(table: Table, cas: ClientCas = table.hop ?? {}): (name: string) => PreparedRoute | undefined {
  const { clientCas = {}, certificateRoles = [] } = cas;
  const prepared = new Map<string, PreparedRoute>();
  const grants = new Map<string, PreparedGrant>();

  /** What a service may have to pass on, if it acts for the caller, is what it is told itself. */
  function grantOf(host: string, { service, as }: TableRoute['rules'][number], headers: Headers): PreparedGrant {
    const certificate = Object.hasOwn(clientCas, host) ? { host, roles: certificateRoles } : undefined;
    const told = table.hop === undefined ? [] : Object.values(headers);
    const [email, name] = [told.includes('email'), told.includes('name')];
    const key = composed(service, as, String(email), String(name), certificate?.host ?? '');
    let grant = grants.get(key);
    if (grant === undefined) {
      grant = { index: grants.size, service, as, email, name, ...(certificate && { certificate }) };
      grants.set(key, grant);
    }
    return grant;
  }

  return (name) => {
    const known = prepared.get(name);
    if (known !== undefined) return known;
    if (!Object.hasOwn(table.routes, name)) return undefined;
    const route = table.routes[name] as TableRoute;
    const accepting = acceptingOf(route.accept ?? ['bearer'], table.proof !== undefined);
    const realm = name.slice(0, name.indexOf('/'));
    const { publicPort = DEFAULTS.publicPort } = table;
    const made: PreparedRoute = {
      name,
      afterMethod: SEPARATOR + name,
      realm,
      metadata: accepting.bearers ? metadataOf(name, publicPort) : '',
      rules: route.rules.map((rule) => ({ ...rule, grant: grantOf(realm, rule, route.headers) })),
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
      plan: planOf(route.headers, table.headerNames, table.answerRoom),
      stepUps: table.stepUps ?? noStepUps,
      tools: route.rules.some(({ who }) => who.kind === 'agent' && who.tools !== undefined),
      scopes: table.scopes,
      help: table.session?.help,
      budgets: route.budgets && prepareBudgets(route.budgets, table.passWhenFull === true),
    };
    prepared.set(name, made);
    return made;
  };
}
