/** What OCSF requires of the two event classes. Source: github.com/ocsf/ocsf-schema, commit a5cfc68e (after version 1.8.0):
 * events/base_event.json, events/application/api_activity.json, events/iam/authentication.json, and the objects that
 * their attributes have, in objects/. Written by hand from the attributes whose "requirement" is "required", the enums
 * of ids, and "constraints". */

interface Requirement {
  readonly required?: readonly string[];
  /** At least one of these is present. */
  readonly oneOf?: readonly string[];
  /** The values of an attribute. */
  readonly enums?: Readonly<Record<string, readonly number[]>>;
  /** The types of attributes: `integer` for integer_t, long_t and timestamp_t. */
  readonly types?: Readonly<Record<string, 'integer' | 'string' | 'boolean'>>;
  /** The objects of attributes. */
  readonly objects?: Readonly<Record<string, string>>;
}

const BASE: Required<Pick<Requirement, 'required' | 'types' | 'objects'>> = {
  required: [...['activity_id', 'category_uid', 'class_uid', 'metadata', 'severity_id', 'time', 'type_uid']],
  types: {
    ...{ activity_id: 'integer', activity_name: 'string', category_uid: 'integer', category_name: 'string' },
    ...{ class_uid: 'integer', class_name: 'string', type_uid: 'integer', severity_id: 'integer', severity: 'string' },
    ...{ time: 'integer', duration: 'integer', message: 'string', status_id: 'integer', status: 'string' },
    ...{ status_code: 'string', status_detail: 'string' },
  },
  objects: {
    ...{ metadata: 'metadata', actor: 'actor', src_endpoint: 'network_endpoint', dst_endpoint: 'network_endpoint' },
    ...{ http_request: 'http_request', http_response: 'http_response' },
  },
};

const ENUMS = { severity_id: [0, 1, 2, 3, 4, 5, 6, 99], status_id: [0, 1, 2, 99] };

/** The event classes, by their ids. */
export const CLASSES: Readonly<
  Record<number, Requirement & { readonly category: number; readonly attributes: readonly string[] }>
> = {
  6003: {
    category: 6,
    required: [...BASE.required, 'actor', 'api', 'src_endpoint'],
    enums: { ...ENUMS, activity_id: [0, 1, 2, 3, 4, 99] },
    types: BASE.types,
    objects: { ...BASE.objects, api: 'api', trace: 'trace' },
    attributes: [...Object.keys(BASE.types), ...Object.keys(BASE.objects), 'api', 'trace', 'resources', 'unmapped'],
  },
  3002: {
    category: 3,
    required: [...BASE.required, 'user'],
    oneOf: ['service', 'dst_endpoint'],
    enums: { ...ENUMS, activity_id: [0, 1, 2, 3, 4, 5, 6, 7, 99] },
    types: { ...BASE.types, is_remote: 'boolean' },
    objects: { ...BASE.objects, user: 'user', service: 'entity' },
    attributes: [...Object.keys(BASE.types), ...Object.keys(BASE.objects), 'user', 'service', 'is_remote', 'unmapped'],
  },
};

export const OBJECTS: Readonly<Record<string, Requirement>> = {
  metadata: { required: ['product', 'version'], types: { version: 'string' }, objects: { product: 'entity' } },
  entity: { oneOf: ['name', 'uid'], types: { name: 'string' } },
  api: { required: ['operation'], types: { operation: 'string' }, objects: { request: 'request', service: 'entity' } },
  request: { required: ['uid'], types: { uid: 'string' } },
  actor: {
    oneOf: ['process', 'user', 'iam_role', 'invoked_by', 'session', 'app_name', 'app_uid'],
    objects: { user: 'user', idp: 'entity' },
  },
  user: { oneOf: ['account', 'name', 'uid'], types: { type_id: 'integer' }, enums: { type_id: [0, 1, 2, 3, 4, 99] } },
  network_endpoint: {
    oneOf: [
      ...['ip', 'uid', 'name', 'hostname', 'svc_name', 'instance_uid', 'interface_uid', 'interface_name', 'domain'],
    ],
  },
  http_request: { types: { http_method: 'string', user_agent: 'string' }, objects: { url: 'url' } },
  http_response: { required: ['code'], types: { code: 'integer', body_length: 'integer' } },
  url: { oneOf: ['url_string', 'path'] },
  trace: { required: ['uid'], types: { uid: 'string' } },
};

type Value = Readonly<Record<string, unknown>>;

/** What an object lacks. */
function lacking(at: string, value: Value, of: Requirement): readonly string[] {
  const { required = [], oneOf, enums = {}, types = {}, objects = {} } = of;
  const isType = (it: unknown, type: string) => (type === 'integer' ? Number.isSafeInteger(it) : typeof it === type);
  return [
    ...required.filter((name) => value[name] === undefined).map((name) => `${at}: no ${name}`),
    ...(oneOf === undefined || oneOf.some((name) => value[name] !== undefined) ? [] : [`${at}: none of ${oneOf}`]),
    ...Object.entries(enums).flatMap(([name, ids]) =>
      value[name] === undefined || ids.includes(value[name] as number) ? [] : [`${at}.${name}: ${value[name]}`],
    ),
    ...Object.entries(types).flatMap(([name, type]) =>
      value[name] === undefined || isType(value[name], type) ? [] : [`${at}.${name}: not ${type}`],
    ),
    ...Object.entries(value).flatMap(([name, it]) => (it === '' ? [`${at}.${name}: empty`] : [])),
    ...Object.entries(objects).flatMap(([name, type]) => {
      const inner = value[name];
      return inner === undefined ? [] : lacking(`${at}.${name}`, inner as Value, OBJECTS[type] as Requirement);
    }),
  ];
}

/** What is wrong with an event. */
export function wrongWith(event: Value): readonly string[] {
  const of = CLASSES[event.class_uid as number];
  if (of === undefined) return [`no class ${event.class_uid}`];
  const uid = (event.class_uid as number) * 100 + (event.activity_id as number);
  return [
    ...lacking('event', event, of),
    ...(event.category_uid === of.category ? [] : ['event: another category']),
    ...(event.type_uid === uid ? [] : ['event: type_uid is not class_uid * 100 + activity_id']),
    ...Object.keys(event)
      .filter((name) => !of.attributes.includes(name))
      .map((name) => `event: ${name} is no attribute`),
  ];
}
