import type { Cors } from '../../policy/types.ts';
import {
  type Arg,
  block,
  commented,
  type Directive,
  key,
  line,
  literal,
  map,
  template,
  variable,
} from './directive.ts';
import { type ConfFile, included } from './files.ts';
import { hiddenHeaders, hiddenScope } from './hide.ts';
import { moduleOf, modulesOf } from './module.ts';
import type { Scene, SceneHost, SceneRoute } from './scene.ts';

/** Response headers of CORS (Fetch standard, section 3.2.3, and its draft). nginx removes those of services, because
 * they could contradict the gateway's. */
const ANSWERS = [
  ...['Allow-Origin', 'Allow-Credentials', 'Allow-Methods', 'Allow-Headers', 'Expose-Headers', 'Max-Age'],
  'Allow-Private-Network',
];

/** The name of a variable. It contains the origin as the policy writes it, and is empty if the policy does not allow
 * the origin. */
const origin = (index: number): string => `meshgate_cors_${index}`;
const part = (index: number, name: 'preflight' | 'credentials' | 'expose'): string => `meshgate_cors_${index}_${name}`;

/** The map for the origin in the response: `*`, or an origin from the policy. The response never repeats a text that
 * the client sent. */
function originMap({ origins }: Cors, index: number): Directive {
  const name = origin(index);
  if (origins.includes('*')) {
    return map(variable('http_origin'), name, [
      [key(''), literal('')],
      ['default', literal('*')],
    ]);
  }
  return map(variable('http_origin'), name, [
    ['default', literal('')],
    ...origins.map((it) => [key(it), literal(it)] as const),
  ]);
}

/** A map that gives a value for allowed origins, and an empty text for all others. */
function allowedOnly(index: number, name: 'credentials' | 'expose', value: string): Directive {
  return map(variable(origin(index)), part(index, name), [
    [key(''), literal('')],
    ['default', literal(value)],
  ]);
}

/** The maps for all routes that pages of other origins may use. */
export function corsMaps({ cors }: Scene): readonly Directive[] {
  if (cors.length === 0) return [];
  return [
    commented(
      'CORS. A preflight is OPTIONS with Access-Control-Request-Method; nginx answers it if the policy allows the origin.',
      map(variable('http_access_control_request_method'), 'meshgate_cors_asked', [
        [key(''), literal('')],
        ['default', '1'],
      ]),
    ),
    map(variable('request_method'), 'meshgate_cors_preflight', [
      ['default', literal('')],
      [key('OPTIONS'), variable('meshgate_cors_asked')],
    ]),
    ...cors.flatMap((one, index) => [
      originMap(one, index),
      map(variable('meshgate_cors_preflight'), part(index, 'preflight'), [
        [key(''), literal('')],
        ['default', variable(origin(index))],
      ]),
      ...(one.credentials ? [allowedOnly(index, 'credentials', 'true')] : []),
      ...(one.expose.length > 0 ? [allowedOnly(index, 'expose', one.expose.join(', '))] : []),
    ]),
  ];
}

const asked = (index: number): readonly Arg[] => [template('(', variable(part(index, 'preflight')), ')')];

const header = (name: string, value: Arg, ...more: readonly string[]): Directive =>
  line('add_header', name, value, ...more);

/** The response to a preflight. It says what the policy allows, whatever the preflight requests.
 * `Access-Control-Allow-Origin` and the other CORS headers are inherited from the location around it
 * (`add_header_inherit`). */
const preflight = (cors: Cors, index: number): Directive =>
  commented(
    'A preflight has no credential, and nginx answers it.',
    block('if', asked(index), [
      header('Access-Control-Allow-Methods', literal(cors.methods.join(', '))),
      header('Access-Control-Allow-Headers', literal(cors.headers.join(', '))),
      header('Access-Control-Max-Age', literal(String(cors.maxAge))),
      line('return', '204'),
    ]),
  );

/** The file for one `cors` setting. `auth_request_set` keeps its values in variables, which the locations of refusals
 * read. */
function corsFile(scene: Scene, cors: Cors, index: number): ConfFile {
  const own = {
    origin: variable(origin(index)),
    ...(cors.credentials && { credentials: variable(part(index, 'credentials')) }),
    ...(cors.expose.length > 0 && { expose: variable(part(index, 'expose')) }),
    vary: literal('Origin'),
  };
  const hidden = modulesOf(scene.hosts).flatMap((module) => [
    ...ANSWERS.map((name) => line(`${module}_hide_header`, literal(`Access-Control-${name}`))),
    // A directive at this level replaces the inherited ones, so these are repeated.
    ...hiddenHeaders(scene, module),
  ]);
  const directives = [
    ...Object.entries(own).map(([name, value]) => line('auth_request_set', variable(`meshgate_cors_${name}`), value)),
    preflight(cors, index),
    ...hidden,
    ...answered(own),
    line('add_header_inherit', 'merge'),
  ];
  return [corsName(index), directives, 'What routes answer to pages of other origins.'];
}

const corsName = (index: number) => `cors-${index}.conf` as const;

/** The files for all `cors` settings. */
export const corsFiles = (scene: Scene): readonly ConfFile[] =>
  scene.cors.map((cors, index) => corsFile(scene, cors, index));

/** The directives of a route with CORS. They repeat the header that the host hides, because the route's own directives
 * replace the inherited ones. */
export function corsOf(scene: Scene, { sessions }: SceneHost, { service, cors }: SceneRoute): readonly Directive[] {
  if (cors === undefined) return [];
  return [included(scene, corsName(cors)), ...(sessions ? [hiddenScope(moduleOf(service))] : [])];
}

/** Sets the route for the log entry of a preflight, because nothing else sets it. It must come before the block that
 * answers the preflight. */
export const preflightRoute = ({ route, cors }: SceneRoute): readonly Directive[] =>
  cors === undefined ? [] : [block('if', asked(cors), [line('set', variable('meshgate_route'), literal(route.name))])];

const NAMES = {
  origin: 'Access-Control-Allow-Origin',
  credentials: 'Access-Control-Allow-Credentials',
  expose: 'Access-Control-Expose-Headers',
  vary: 'Vary',
} as const;

function answered(values: { readonly [Name in keyof typeof NAMES]?: Arg }): readonly Directive[] {
  return Object.entries(NAMES).flatMap(([name, text]) => {
    const value = values[name as keyof typeof NAMES];
    return value === undefined ? [] : [header(text, value, 'always')];
  });
}

/** The CORS headers of the gateway's own refusals. Without them, the script of an allowed page could not even read the
 * status. */
export function corsOfRefusals({ cors }: Scene): readonly Directive[] {
  if (cors.length === 0) return [];
  return answered({
    origin: variable('meshgate_cors_origin'),
    ...(cors.some(({ credentials }) => credentials) && { credentials: variable('meshgate_cors_credentials') }),
    ...(cors.some(({ expose }) => expose.length > 0) && { expose: variable('meshgate_cors_expose') }),
    vary: variable('meshgate_cors_vary'),
  });
}
