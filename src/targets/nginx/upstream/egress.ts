import { FROM_EGRESS, TO_EGRESS } from '../../../base/internal-headers.ts';
import { PROVIDER_TIMEOUT_MS } from '../../../base/limits.ts';
import type { Provider } from '../../../policy/checked/types.ts';
import { isQueried } from '../../../rules/table/client-table.ts';
import { MAX_SIGNIN_BODY_BYTES } from '../../../session/limits.ts';
import type { Context } from '../render-context.ts';
import { bodyBuffer, ignoresAccel, timeouts, unstored, upstreamTls, verified } from '../route/module.ts';
import { witnessLocations } from '../server/witness-server.ts';
import { hasSessions } from '../signin/sessions.ts';
import { conf, type Directive, variable } from '../text/directive.ts';
import { included } from '../text/files.ts';
import { requestHeader } from '../text/names.ts';
import { etcdLocations } from './etcd.ts';
import { probeLocations } from './probe.ts';
import { callsProviders } from './provider-call-locations.ts';
import { resolverDirective } from './upstream-blocks.ts';

/** The directives for all calls to providers, at the level of the server. Each call is sent once, over verified TLS.
 * Its response is passed on unchanged, with the address to which nginx connected. */
const common = conf`
  proxy_http_version 1.1; proxy_pass_request_headers off; # send only the headers that a location sets
  ${timeouts('3s', '3s', `${PROVIDER_TIMEOUT_MS / 1000}s`)}
  proxy_next_upstream off; proxy_redirect off; proxy_intercept_errors off; proxy_max_temp_file_size 0; # one attempt; the answer passes unchanged
  ${unstored}
  ${ignoresAccel()}
  ${upstreamTls('proxy')}
  proxy_hide_header ${FROM_EGRESS.reached}; proxy_hide_header ${FROM_EGRESS.address};
  add_header ${FROM_EGRESS.reached} $upstream_connect_time always; add_header ${FROM_EGRESS.address} $upstream_addr always;
`;

/** The directives for documents that the gateway fetches with GET. */
const fetched = conf`
  proxy_method GET; proxy_pass_request_body off;
  proxy_set_header Host $proxy_host; proxy_set_header Connection close; proxy_set_header Content-Length "";
  proxy_set_header Accept application/json; proxy_set_header User-Agent meshgate;
`;

/** The directives for calls as a registered client. Secrets are in the body or in `Authorization`, never in the URL. */
const called = conf`
  ${bodyBuffer(MAX_SIGNIN_BODY_BYTES)}
  proxy_method $meshgate_egress_method;
  proxy_set_header Host $proxy_host; proxy_set_header Connection close;
  proxy_set_header Accept $meshgate_egress_accept; proxy_set_header User-Agent meshgate;
  proxy_set_header Content-Type ${requestHeader(TO_EGRESS.contentType)};
  proxy_set_header Authorization ${requestHeader(TO_EGRESS.authorization)};
  proxy_buffer_size 32k; proxy_buffers 8 32k; # room for headers that the web server of a provider adds
`;

/** The certificate with which the gateway authenticates to a provider. */
function clientCertificate({ client }: Provider): readonly Directive[] {
  if (client?.auth.kind !== 'tls_client_auth') return [];
  const { certFile, keyFile } = client.auth;
  return conf`
    set $meshgate_client_cert ${certFile};
    set $meshgate_client_key ${keyFile};
    proxy_ssl_certificate $meshgate_client_cert; proxy_ssl_certificate_key $meshgate_client_key;
  `;
}

/** Whether the gateway is a client of at least one provider. */
const hasClients = (context: Context): boolean => hasSessions(context) || callsProviders(context);

/** The time-outs of a provider in the policy. They replace those of the server. */
const within = (seconds: number) => timeouts(`${seconds}s`, `${seconds}s`, `${seconds}s`);

function provider(context: Context, one: Provider): readonly Directive[] {
  const client = one.client !== undefined && (hasSessions(context) || isQueried(one));
  return conf`
    location = /${one.name} {
      if (${requestHeader(TO_EGRESS.url)} !~ ^https://[^/@]+/) { return 400; }
      proxy_pass ${requestHeader(TO_EGRESS.url)};
      ${client ? called : fetched}
      ${verified('proxy', variable('proxy_host'), one.caFile ?? context.options.systemCa)}
      ${client && clientCertificate(one)}
      ${one.timeout !== undefined && within(one.timeout)}
    }
  `;
}

/** The server for calls to providers: verified TLS, no retries, no redirects, no open connections. */
export const egressServer = (context: Context): readonly Directive[] => conf`
  # Calls to providers. The JavaScript of the gateway sets the URL; only https is allowed.
  server {
    listen unix:${context.options.runDir}/egress.sock;
    ${included(context, 'inside.conf')}
    ${hasClients(context) && conf`large_client_header_buffers 4 32k;`}
    ${resolverDirective(context)}
    ${common}
    ${Object.values(context.policy.providers).flatMap((one) => provider(context, one))}
    ${etcdLocations(context)}
    ${probeLocations(context)}
    ${witnessLocations(context)}
  }
`;

/** The maps for the parameters of a call that the JavaScript may choose. */
export function egressMaps(context: Context): readonly Directive[] {
  if (!hasClients(context)) return [];
  const accept = requestHeader(TO_EGRESS.accept);
  return conf`
    # Calls to providers.
    map ${requestHeader(TO_EGRESS.method)} $meshgate_egress_method { default GET; "POST" POST; }
    map ${accept} $meshgate_egress_accept { "" application/json; default ${accept}; }
  `;
}
