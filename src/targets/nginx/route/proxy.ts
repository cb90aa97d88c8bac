import { nonceHeader } from '../check/proof-headers.ts';
import type { Context } from '../render-context.ts';
import { otherErrors } from '../server/strangers.ts';
import { refusedCookies, setCookieBeside } from '../signin/sessions.ts';
import { conf, type Directive } from '../text/directive.ts';
import { type ConfFile, included } from '../text/files.ts';
import { BAD_LOCATION, LARGE_LOCATION, OFTEN_LOCATION } from '../text/names.ts';
import { headersFile, headersName } from './common-headers.ts';
import { eraseFile, eraseName } from './erase.ts';
import { grpcAround } from './grpc.ts';
import { challengesBeside, filteredBeside, hiddenFile, hiddenHeaders, hiddenOnSignin } from './hide.ts';
import { ignoresAccel, type Module, modulesOf, onceMore, unstored } from './module.ts';
import { usual } from './proxy-directives.ts';

/** Switches off outer directives that could answer instead of the service, or send requests without a check. */
const closed = conf`
  satisfy all; # an outer "satisfy any" must not open a route
  ssi off; mirror off; add_before_body ""; add_after_body ""; # each would request another route without the check
  ${unstored}
  proxy_intercept_errors off; proxy_redirect off; # errors and redirects of the service pass unchanged
  ${ignoresAccel()}
`;

/** The error pages for refusals by nginx itself. A level with its own error pages inherits none, so it needs all. */
export const errorPages = conf`
  error_page 500 = @meshgate_down; error_page 400 = ${BAD_LOCATION}; error_page 414 494 = ${LARGE_LOCATION}; error_page 429 = ${OFTEN_LOCATION};
  ${otherErrors}
`;

/** The headers that the gateway adds to a service's response. Headers of outer levels stay. */
const headersBeside = (context: Context): readonly Directive[] => conf`
  ${filteredBeside(context)}
  ${nonceHeader(context)}
  add_header_inherit merge;
`;

const trusted = (context: Context, module: Module): readonly Directive[] => [
  hiddenHeaders(context, module),
  included(context, headersName(module)),
  included(context, eraseName(module)),
];

const proxied = (context: Context): readonly Directive[] => conf`
  ${errorPages}
  ${closed}
  ${headersBeside(context)}
  ${usual}
  proxy_max_temp_file_size 0; # responses are not written to disk
  proxy_http_version 1.1; # so that connections stay open
  ${onceMore()}
  proxy_headers_hash_max_size 8192; proxy_headers_hash_bucket_size ${context.headerNames.some((name) => name.length > 90) ? 256 : 128}; # room for the headers below
  ${trusted(context, 'proxy')}
`;

/** The directives for hosts where people sign in. If the page cannot be made, a second error page applies. */
const sessions = (context: Context): readonly Directive[] => conf`
  error_page 401 = $meshgate_refuse_as;
  recursive_error_pages on;
  ${setCookieBeside}
  ${refusedCookies}
  ${modulesOf(context.hosts).flatMap(hiddenOnSignin)}
  ${challengesBeside}
`;

/** The files with the directives that all routes share. */
export const proxyFiles = (context: Context): readonly ConfFile[] => [
  ['proxy.conf', proxied(context), 'Directives that all routes share.'],
  ['proxy-grpc.conf', [...grpcAround, ...trusted(context, 'grpc')], 'Directives that all gRPC routes share.'],
  ['session.conf', sessions(context), 'Directives that routes share on hosts where people sign in: cookies and pages.'],
  ...(['proxy', 'grpc'] as const).flatMap((module) => [
    hiddenFile(module),
    headersFile(context, module),
    eraseFile(context, module),
  ]),
];
