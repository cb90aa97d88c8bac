import { TO_INGRESS } from '../../base/internal-headers.ts';
import { type ValuePart, variable } from '../nginx/text/directive.ts';

/* The forms of a check: how an ingress says which request it asks about. The path of the check selects the form, and
 * the configuration of the ingress selects the path. No header of a client selects it. docs/ext-authz.md is the
 * contract. */

/** How the sidecar answers a refusal: with its own status and body, or only with 401 or 403, because the ingress
 * understands no other status and passes no body on. */
type Style = 'whole' | 'brief';

/** The header of each answer to an allowed check: the name of a file in /dev. After the check, an ingress can demand
 * that this file exists. Then the answer of anything but a sidecar admits no request, even if its status is 200. */
export const ALLOWED = { name: TO_INGRESS.allowed, value: 'null', folder: '/dev' } as const;

export interface CheckForm {
  readonly name: 'auth-request' | 'forward-auth' | 'envoy' | 'gateway-fabric';
  /** The path of the check. A path that ends with a slash is a prefix: the path of the request follows it. */
  readonly path: string;
  /** The variables with the method, the raw request target and the host of the request. */
  readonly method: ValuePart;
  readonly uri: ValuePart;
  readonly host: ValuePart;
  /** Whether the ingress says the address of the client, in `X-Forwarded-For`. */
  readonly address: boolean;
  readonly style: Style;
  /** What sends checks in this form. */
  readonly says: string;
}

/** The variable with the `Host` of a check, with its port. */
export const HOST_VARIABLE = 'meshgate_ask_from_host';
/** The variable with what follows the prefix in the raw path of a check. */
export const BEHIND_PREFIX = 'meshgate_ask_behind';

/** All forms. */
export const forms: readonly CheckForm[] = [
  {
    name: 'auth-request',
    path: '/auth-request',
    method: variable('http_x_original_method'),
    uri: variable('http_x_original_uri'),
    host: variable(HOST_VARIABLE),
    address: true,
    style: 'brief',
    says: 'auth_request of nginx, also in NGINX Ingress Controller',
  },
  {
    name: 'forward-auth',
    path: '/forward-auth',
    method: variable('http_x_forwarded_method'),
    uri: variable('http_x_forwarded_uri'),
    host: variable('http_x_forwarded_host'),
    address: true,
    style: 'whole',
    says: 'ForwardAuth of Traefik, forward_auth of Caddy',
  },
  {
    name: 'envoy',
    path: '/envoy/',
    method: variable('request_method'),
    uri: variable(BEHIND_PREFIX),
    host: variable(HOST_VARIABLE),
    address: true,
    style: 'whole',
    says: 'ext_authz of Envoy over HTTP, also in Envoy Gateway and Istio',
  },
  {
    name: 'gateway-fabric',
    path: '/gateway-fabric',
    method: variable('http_method'),
    uri: variable('http_path'),
    host: variable(HOST_VARIABLE),
    address: false,
    style: 'brief',
    says: 'ExternalAuth of NGINX Gateway Fabric',
  },
];
