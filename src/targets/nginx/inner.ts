import { KEYS_JOB_INTERVAL_S, MAX_DOCUMENT_BYTES, PROVIDER_TIMEOUT_MS } from '../../limits.ts';
import { block, commented, type Directive, line, literal, regex, template, variable } from './directive.ts';
import { CHECK_PATH, HOP_PATH, JWKS_PATH } from './names.ts';
import type { Scene } from './scene.ts';
import { checkSocket, resolver } from './upstreams.ts';

/**
 * What the http level of somebody's nginx asks of every server is not asked here. It has no word for no error pages: one
 * for a status that does not occur keeps others away, which would answer in the place of a refusal.
 */
export const apart: readonly Directive[] = [
  line('auth_request', 'off'),
  line('auth_basic', 'off'),
  line('allow', 'all'),
  line('error_page', '418', '/'),
];

/** Any other path. */
export const nothingElse: Directive = block('location', ['/'], [line('return', '404')]);

/** The server behind `auth_request`: the only place where JavaScript runs. */
export function checkServer(scene: Scene): Directive {
  return commented(
    'The check. Only this machine reaches it: the folder of the socket keeps other users out.',
    block(
      'server',
      [],
      [
        line('listen', literal(`unix:${checkSocket(scene.options)}`), 'backlog=4096'),
        line('js_engine', 'qjs'),
        ...apart,
        line('access_log', 'off'),
        line('underscores_in_headers', 'off'),
        line('client_header_buffer_size', '8k'),
        line('large_client_header_buffers', '4', '160k'),
        line('keepalive_requests', '100000'),
        line('keepalive_timeout', '120s'),
        line('js_fetch_timeout', `${PROVIDER_TIMEOUT_MS}ms`),
        line('js_fetch_max_response_buffer_size', String(MAX_DOCUMENT_BYTES)),
        block('location', ['^~', literal(CHECK_PATH)], [line('js_content', 'meshgate.check')]),
        ...(scene.policy.gateway.inner
          ? [
              block(
                'location',
                ['^~', literal(HOP_PATH)],
                // Here and not around it: the contexts of no other check carry it.
                [line('js_import', 'hop', 'from', 'hop.js'), line('js_content', 'hop.check')],
              ),
            ]
          : []),
        ...(scene.policy.gateway.assertion
          ? [block('location', ['=', literal(JWKS_PATH)], [line('js_content', 'meshgate.jwks')])]
          : []),
        block(
          'location',
          ['@meshgate_keys'],
          [line('js_periodic', 'meshgate.keys', `interval=${KEYS_JOB_INTERVAL_S}s`)],
        ),
        nothingElse,
      ],
    ),
  );
}

/** Every call to a provider: verified TLS, never retried, never redirected, no connection kept. */
export function egressServer(scene: Scene): Directive {
  const { options, policy } = scene;
  return commented(
    'Calls to providers. The URL comes from our own JavaScript; only https: leaves.',
    block(
      'server',
      [],
      [
        line('listen', literal(`unix:${options.runDir}/egress.sock`)),
        line('js_engine', 'qjs'),
        ...apart,
        line('access_log', 'off'),
        line('underscores_in_headers', 'off'),
        ...resolver(scene),
        ...Object.values(policy.providers).map((provider) =>
          block(
            'location',
            ['=', literal(`/${provider.name}`)],
            [
              block(
                'if',
                [template('(', variable('http_x_meshgate_url')), '!~', regex('', '^https://[^/@]+/)')],
                [line('return', '400')],
              ),
              line('proxy_pass', variable('http_x_meshgate_url')),
              line('proxy_method', 'GET'),
              line('proxy_http_version', '1.1'),
              line('proxy_pass_request_headers', 'off'),
              line('proxy_pass_request_body', 'off'),
              line('proxy_set_header', 'Host', variable('proxy_host')),
              line('proxy_set_header', 'Connection', 'close'),
              line('proxy_set_header', 'Content-Length', literal('')),
              line('proxy_set_header', 'Accept', 'application/json'),
              line('proxy_set_header', 'User-Agent', 'meshgate'),
              line('proxy_connect_timeout', '3s'),
              line('proxy_send_timeout', '3s'),
              line('proxy_read_timeout', '4s'),
              line('proxy_next_upstream', 'off'),
              line('proxy_redirect', 'off'),
              line('proxy_intercept_errors', 'off'),
              line('proxy_cache', 'off'),
              line('proxy_store', 'off'),
              line('proxy_max_temp_file_size', '0'),
              line(
                'proxy_ignore_headers',
                'X-Accel-Redirect',
                'X-Accel-Expires',
                'X-Accel-Limit-Rate',
                'X-Accel-Charset',
              ),
              line('proxy_ssl_verify', 'on'),
              line('proxy_ssl_verify_depth', '5'),
              line('proxy_ssl_trusted_certificate', literal(provider.caFile ?? options.systemCa)),
              line('proxy_ssl_server_name', 'on'),
              line('proxy_ssl_name', variable('proxy_host')),
              line('proxy_ssl_session_reuse', 'off'),
            ],
          ),
        ),
        nothingElse,
      ],
    ),
  );
}
