import { ACTED, CHALLENGE, CLOSED, FILTERED } from '../../../policy/check/routes/response-headers.ts';
import type { Service } from '../../../policy/checked/types.ts';
import type { Context } from '../render-context.ts';
import { hasSessions } from '../signin/sessions.ts';
import { conf, type Directive, line, regex, row } from '../text/directive.ts';
import { type ConfFile, included } from '../text/files.ts';
import { type Module, moduleOf } from './module.ts';

/** The response header with the ids of the trace (W3C Trace Context). Its value has the form of `traceparent`. */
const TRACE = 'traceresponse';

const hiddenName = (module: Module): 'hidden.conf' | 'hidden-grpc.conf' =>
  module === 'grpc' ? 'hidden-grpc.conf' : 'hidden.conf';

/** Headers that are hidden only on hosts where people sign in. Each route there says whether it has service workers,
 * whose scope is then the script's folder. */
const ON_SIGNIN = ['Service-Worker-Allowed', CHALLENGE];

/** nginx hides headers by exact name, and has no directive that hides all others. Its hash for gRPC has only 512 places,
 * so routes for gRPC hide only the names on which browsers act. */
const hiddenNames = (module: Module): readonly string[] =>
  [...(module === 'grpc' ? ACTED : CLOSED), ...FILTERED.map(({ name }) => name)].filter(
    (name) => !ON_SIGNIN.includes(name),
  );

/** Hides the response headers that services must not send. A level with its own `hide_header` inherits none, so such a
 * level includes this again. */
export const hiddenHeaders = (context: Context, module: Module): Directive => included(context, hiddenName(module));

/** Several directives in each line. */
const lines = (directives: readonly Directive[], each = 24): readonly Directive[] =>
  directives.length === 0 ? [] : [...row(directives.slice(0, each)), ...lines(directives.slice(each), each)];

/** The file with the names. nginx reads it once for each host. */
export const hiddenFile = (module: Module): ConfFile => [
  hiddenName(module),
  [
    ...lines(hiddenNames(module).map((name) => line(`${module}_hide_header`, name))),
    // An outer list would let headers pass that are hidden here.
    ...conf`${module}_pass_header Content-Type; # instead of the lists of outer levels`,
  ],
  'Response headers that services must not send (docs/headers.md).',
];

/** Hides what services must not send on hosts where people sign in. */
export const hiddenOnSignin = (module: Module): readonly Directive[] =>
  ON_SIGNIN.map((name) => line(`${module}_hide_header`, name));

/** Adds the challenges of services on these hosts, unless browsers would answer them with a password or a ticket. If a
 * service may send them all, nginx has already passed them on. */
export const challengesBeside = conf`add_header WWW-Authenticate $meshgate_challenges always;`;

/** Matches challenges that only programs answer: each begins with one of these schemes, and none names another one. */
const CHALLENGES =
  '^(?!.*(?:basic|digest|negotiate|ntlm|kerberos|hoba|mutual|scram))(?:oauth|bearer|dpop|token|gnap)\\b';

const challengeMap = conf`
  # WWW-Authenticate of services: none that makes a browser ask for a password.
  map $sent_http_www_authenticate $meshgate_challenges { default ""; "" $meshgate_challenges_beside; }
  map $upstream_http_www_authenticate $meshgate_challenges_beside {
    default "";
    ${regex('~*', CHALLENGES)} $upstream_http_www_authenticate;
  }
`;

/** The response headers that a service may send although the list hides them. */
export const passedHeaders = (service: Service): readonly Directive[] =>
  (service.responseHeaders ?? []).map((name) => line(`${moduleOf(service)}_pass_header`, name));

/** Adds what is left of headers that services may send with some values only, and `Proxy-Status` to a response whose
 * status JavaScript replaces: nginx reads the variable before it sends the status. */
export const filteredBeside = ({ policy }: Context): readonly Directive[] => conf`
  add_header Clear-Site-Data $meshgate_cleared always;
  add_header Link $meshgate_linked always;
  ${!policy.gateway.hsts && conf`add_header Strict-Transport-Security $meshgate_transport always;`}
  add_header Proxy-Status $meshgate_informational always; # if a status below 200 became a 502
`;

/** The maps for these headers. `"cookies"` would include the gateway's cookies, and `"*"` is replaced by all other data
 * of the service. A link may name another host, or let the browser fetch something, but not both. `Strict-Transport-
 * Security` must last, because a short one would end that of another service. */
export const filteredMaps = (context: Context): readonly Directive[] => conf`
  # Clear-Site-Data of services: everything except cookies.
  map $upstream_http_clear_site_data $meshgate_cleared {
    "" "";
    default $upstream_http_clear_site_data;
    '~\*' '"cache", "storage"';
    '~*cookies.*cookies' "";
    // Only a whole member of the list is removed. Otherwise what is left of "coo"cookies"kies" would be "cookies".
    '~*^(?<meshgate_cleared_0>(?:[^,]*,)*) *"cookies" *(?<meshgate_cleared_1>(?:,.*)?)$' $meshgate_cleared_0$meshgate_cleared_1;
    '~*cookies' "";
  }
  # Link of services: none with which browsers connect to other hosts.
  map $upstream_http_link $meshgate_linked {
    "" "";
    default "";
    ${regex('~*', PLAIN_LINK)} $upstream_http_link;
    ${regex('~', OWN_LINK)} $upstream_http_link;
  }
  ${!context.policy.gateway.hsts && transportMap}
  ${hasSessions(context) && challengeMap}
  ${informationalMap}
`;

/** Finds responses of services with an informational status (RFC 9110 section 15.2), and those without a status line,
 * whose status is 009. nginx would pass on their bodies without a length, and clients would read a body as the next
 * response, with any headers. The first lines find the usual statuses without the expression. */
const informationalMap = conf`
  # A response of a service with an informational status becomes a 502, unless the client asked for the upgrade.
  map $status $meshgate_informational {
    default "";
    "200" ""; "204" ""; "302" ""; "304" ""; "404" "";
    "101" $meshgate_switched;
    "~^[01]" $meshgate_ended;
  }
  map $http_upgrade $meshgate_switched { "" $meshgate_ended; default ""; }
`;

/** Matches a `Link` that has no relation with which a browser fetches or connects, and no escape that could hide one. */
const PLAIN_LINK = `^(?!.*(?:\\\\|prefetch|preload|preconnect|prerender|dictionary|stylesheet|expect))`;

/** Matches a `Link` whose targets are all paths, also those of a picture in several sizes. Browsers read `\\` as `/`, and
 * ignore tabs and line breaks. */
const OWN_LINK =
  '^(?!.*[iI][mM][aA][gG][eE][sS][rR][cC][sS][eE][tT])[^<]*+(?:<(?!//)[^\\x00-\\x20\\\\:<>]*+>[^<]*+)*+$';

const transportMap = conf`
  # Strict-Transport-Security of services: none that ends soon.
  map $upstream_http_strict_transport_security $meshgate_transport {
    "" "";
    default "";
    '~*^ *max-age *= *"?[1-9][0-9]{4,}"? *(?:; *(?:includesubdomains|preload) *)*;? *$' $upstream_http_strict_transport_security;
  }
`;

/** Makes a browser forget the reports that a service of an earlier build asked for. Chromium reads the headers of a
 * response before it reports the response. */
export const forgottenReports = conf`
  add_header NEL '{"report_to":"none","max_age":0}' always; add_header Report-To '{"group":"none","max_age":0,"endpoints":[{"url":"https://localhost/"}]}' always; # browsers forget where an earlier service let them report URLs
`;

/** Adds headers to every response: the ids with which logs are joined, and HSTS, so that browsers use only TLS for the
 * host. No inner level drops them. */
export function hideEverywhere({ policy }: Context): readonly Directive[] {
  const { hsts } = policy.gateway;
  const value = hsts && `max-age=${hsts.maxAge}${hsts.subdomains ? '; includeSubDomains' : ''}`;
  return conf`
    ${value && conf`add_header Strict-Transport-Security ${value} always;`}
    add_header ${TRACE} $meshgate_traceparent always; # for "meshgate trace"
    add_header_inherit merge;
  `;
}
