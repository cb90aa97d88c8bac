import type { Cors } from '../../../policy/checked/types.ts';
import type { Context, HostContext, RouteContext } from '../render-context.ts';
import { type Arg, conf, type Directive, key, line, literal, type ValuePart, variable } from '../text/directive.ts';
import { type ConfFile, included } from '../text/files.ts';
import { hiddenHeaders, hiddenOnSignin } from './hide.ts';
import { moduleOf, modulesOf } from './module.ts';

/** Response headers of CORS (Fetch, section 3.2.3, and its draft). A service could send others than the gateway. */
const ANSWERS = [
  ...['Allow-Origin', 'Allow-Credentials', 'Allow-Methods', 'Allow-Headers', 'Expose-Headers', 'Max-Age'],
  'Allow-Private-Network',
];

/** The variable with the origin as the policy writes it. It is empty if the policy does not allow the origin. */
const origin = (index: number): ValuePart => variable(`meshgate_cors_${index}`);
const part = (index: number, name: 'preflight' | 'credentials' | 'expose'): ValuePart =>
  variable(`meshgate_cors_${index}_${name}`);

/** The map for the origin in the response: `*` or an origin of the policy, never a text that the client sent. */
const originMap = ({ origins }: Cors, index: number): readonly Directive[] =>
  origins.includes('*')
    ? conf`map $http_origin ${origin(index)} { "" ""; default *; }`
    : conf`map $http_origin ${origin(index)} { default ""; ${origins.map((it) => line(key(it), literal(it)))} }`;

/** A map that gives a value for allowed origins, and an empty text for all others. */
const allowedOnly = (index: number, name: 'credentials' | 'expose', value: string): readonly Directive[] =>
  conf`map ${origin(index)} ${part(index, name)} { "" ""; default ${value}; }`;

/** The maps for all routes that pages of other origins may use. */
export function corsMaps({ cors }: Context): readonly Directive[] {
  if (cors.length === 0) return [];
  const maps = cors.flatMap(
    (one, index) => conf`
      ${originMap(one, index)}
      map $meshgate_cors_preflight ${part(index, 'preflight')} { "" ""; default ${origin(index)}; }
      ${one.credentials && allowedOnly(index, 'credentials', 'true')}
      ${one.expose.length > 0 && allowedOnly(index, 'expose', one.expose.join(', '))}
    `,
  );
  return conf`
    # CORS. A preflight is OPTIONS with Access-Control-Request-Method; nginx answers it if the policy allows the origin.
    map $http_access_control_request_method $meshgate_cors_asked { "" ""; default 1; }
    map $request_method $meshgate_cors_preflight { default ""; "OPTIONS" $meshgate_cors_asked; }
    ${maps}
  `;
}

/** The response to a preflight. It says what the policy allows, whatever the preflight requests.
 * `Access-Control-Allow-Origin` and the other CORS headers are inherited from the location around it
 * (`add_header_inherit`). */
const preflight = ({ methods, headers, maxAge }: Cors, index: number): readonly Directive[] => conf`
  # A preflight has no credential, and nginx answers it.
  if (${part(index, 'preflight')}) {
    add_header Access-Control-Allow-Methods ${methods.join(', ')};
    add_header Access-Control-Allow-Headers ${headers.join(', ')};
    add_header Access-Control-Max-Age ${maxAge};
    return 204;
  }
`;

/** The file for one `cors` setting. It keeps its values in variables, which the locations of refusals read. */
function corsFile(context: Context, cors: Cors, index: number): ConfFile {
  const own = {
    origin: origin(index),
    ...(cors.credentials && { credentials: part(index, 'credentials') }),
    ...(cors.expose.length > 0 && { expose: part(index, 'expose') }),
    vary: literal('Origin'),
  };
  const hidden = modulesOf(context.hosts).flatMap((module) => [
    ...ANSWERS.map((name) => line(`${module}_hide_header`, literal(`Access-Control-${name}`))),
    // A directive at this level replaces the inherited ones, so these are repeated.
    hiddenHeaders(context, module),
  ]);
  const directives = conf`
    ${Object.entries(own).map(([name, value]) => line('auth_request_set', variable(`meshgate_cors_${name}`), value))}
    ${preflight(cors, index)}
    ${hidden}
    ${answered(own)}
    add_header_inherit merge;
  `;
  return [corsName(index), directives, 'What routes answer to pages of other origins.'];
}

const corsName = (index: number) => `cors-${index}.conf` as const;

/** The files for all `cors` settings. */
export const corsFiles = (context: Context) => context.cors.map((cors, index) => corsFile(context, cors, index));

/** The directives of a route with CORS. They replace inherited ones, so the headers that the host hides are repeated. */
export function corsDirectives(
  context: Context,
  { sessions }: HostContext,
  { service, cors }: RouteContext,
): readonly Directive[] {
  if (cors === undefined) return [];
  return [included(context, corsName(cors)), ...(sessions ? hiddenOnSignin(moduleOf(service)) : [])];
}

/** Sets the route for the log of a preflight. It must come before the block that answers the preflight. */
export const preflightRoute = ({ route, cors }: RouteContext): readonly Directive[] =>
  cors === undefined ? [] : conf`if (${part(cors, 'preflight')}) { set $meshgate_route ${route.name}; }`;

const NAMES = {
  origin: 'Access-Control-Allow-Origin',
  credentials: 'Access-Control-Allow-Credentials',
  expose: 'Access-Control-Expose-Headers',
  vary: 'Vary',
} as const;

const answered = (values: { readonly [Name in keyof typeof NAMES]?: Arg }): readonly Directive[] =>
  (Object.keys(NAMES) as (keyof typeof NAMES)[]).flatMap((name) =>
    values[name] === undefined ? [] : conf`add_header ${NAMES[name]} ${values[name]} always;`,
  );

/** The CORS headers of refusals, without which the script of an allowed page could not read the status. */
export function corsOfRefusals({ cors }: Context): readonly Directive[] {
  if (cors.length === 0) return [];
  return answered({
    origin: variable('meshgate_cors_origin'),
    ...(cors.some(({ credentials }) => credentials) && { credentials: variable('meshgate_cors_credentials') }),
    ...(cors.some(({ expose }) => expose.length > 0) && { expose: variable('meshgate_cors_expose') }),
    vary: variable('meshgate_cors_vary'),
  });
}
