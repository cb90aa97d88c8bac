import { ownOf } from '../../base/own.ts';
import {
  BACKCHANNEL_PATH,
  CALLBACK_PATH,
  FRONTCHANNEL_PATH,
  HANDOVER_PATH,
  SIGNIN_PATH,
  SIGNOUT_PATH,
} from '../../session/names.ts';
import { isCut } from './line.ts';

/* Lines of the log as events of OCSF, the Open Cybersecurity Schema Framework: API Activity for requests, and
 * Authentication for the sign-in's own paths. What OCSF has no attribute for is in `unmapped`, by its name in the log. */

/** The version of the schema. */
const VERSION = '1.8.0';

type Fields = Readonly<Record<string, unknown>>;
type Attributes = Readonly<Record<string, unknown>>;

const READ = new Set('GET HEAD OPTIONS PROPFIND SEARCH REPORT'.split(' '));
const UPDATE = new Set('PUT PATCH PROPPATCH MOVE'.split(' '));
const CREATE = new Set('POST MKCOL COPY'.split(' '));

interface Activity {
  readonly class: number;
  readonly name: string;
  readonly id: number;
}

const API = 6003;
const AUTHENTICATION = 3002;
const OTHER = 99;

function apiActivity(method: string): Activity {
  if (READ.has(method)) return { class: API, id: 2, name: 'Read' };
  if (CREATE.has(method)) return { class: API, id: 1, name: 'Create' };
  if (UPDATE.has(method)) return { class: API, id: 3, name: 'Update' };
  return method === 'DELETE' ? { class: API, id: 4, name: 'Delete' } : { class: API, id: OTHER, name: method };
}

/** The activities of the gateway's own paths with which people sign in and out. */
const SESSIONS: Readonly<Record<string, Activity>> = {
  [CALLBACK_PATH]: { class: AUTHENTICATION, id: 1, name: 'Logon' },
  [HANDOVER_PATH]: { class: AUTHENTICATION, id: 1, name: 'Logon' },
  [BACKCHANNEL_PATH]: { class: AUTHENTICATION, id: 2, name: 'Logoff' },
  [FRONTCHANNEL_PATH]: { class: AUTHENTICATION, id: 2, name: 'Logoff' },
  [SIGNOUT_PATH]: { class: AUTHENTICATION, id: 2, name: 'Logoff' },
  [SIGNIN_PATH]: { class: AUTHENTICATION, id: OTHER, name: 'Sign-in page' },
};

function activityOf(method: string, path: string): Activity {
  // The callback of one of several providers has the name of the provider at its end.
  const own = path.startsWith(`${CALLBACK_PATH}/`) ? CALLBACK_PATH : path;
  // A GET only asks whether to sign out.
  if (own === SIGNOUT_PATH && method !== 'POST') return { class: AUTHENTICATION, id: OTHER, name: 'Sign-out page' };
  return ownOf(SESSIONS, own) ?? apiActivity(method);
}

/** Removes members without a value: OCSF has no empty texts. */
const present = (attributes: Attributes): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined && value !== ''));

/** The caller. OCSF requires a name even if the line has none.
 * @param none the name of a caller without an id */
function userOf(id: string, roles: readonly string[], none: string): Attributes {
  const groups = roles.map((name) => ({ name, type: 'role' }));
  const who = id === '' ? { name: none, type_id: 0, type: 'Unknown' } : { uid: id, type_id: 1, type: 'User' };
  return { ...who, ...(groups.length > 0 && { groups }) };
}

/** The fields that have a place in every event, or that repeat others. */
const MAPPED = new Set([
  ...['time', 'request_id', 'trace_id', 'client.address', 'server.address', 'http.request.method', 'url.path'],
  ...['http.route', 'http.response.status_code', 'user_agent.original', 'user.id', 'user.roles', 'meshgate.agent'],
  ...['meshgate.provider', 'meshgate.policy', 'meshgate.rule', 'meshgate.reason', 'meshgate.service'],
  ...['duration', 'bytes'],
]);

/** Returns a line of the log, parsed from JSON, as an event of OCSF. */
export function toOcsf(line: Fields): Attributes {
  const text = (name: string): string => (typeof line[name] === 'string' ? line[name] : '');
  const number = (name: string): number => (typeof line[name] === 'number' ? line[name] : 0);
  const [method, path, host] = [text('http.request.method'), text('url.path'), text('server.address')];
  const [reason, rule, route] = [text('meshgate.reason'), text('meshgate.rule'), text('http.route')];
  const [service, agent, provider] = [text('meshgate.service'), text('meshgate.agent'), text('meshgate.provider')];
  const status = number('http.response.status_code');
  const roles = text('user.roles')
    .split(',')
    .filter((it) => it !== '' && !isCut(it));
  const activity = activityOf(method, path);
  const isSession = activity.class === AUTHENTICATION;
  const passed = reason === '' && status > 0 && status < 400;
  const time = Date.parse(text('time'));
  const user = userOf(text('user.id'), roles, isSession ? 'unknown' : 'anonymous');
  const decided = reason === '' ? 'Allowed' : 'Denied';
  const policy = present({ name: rule, uid: text('meshgate.policy') });
  const unmapped = Object.entries(line).filter(([name, value]) => !MAPPED.has(name) && value !== '');
  return present({
    activity_id: activity.id,
    activity_name: activity.name,
    category_uid: Math.floor(activity.class / 1000),
    category_name: isSession ? 'Identity & Access Management' : 'Application Activity',
    class_uid: activity.class,
    class_name: isSession ? 'Authentication' : 'API Activity',
    type_uid: activity.class * 100 + activity.id,
    severity_id: 1,
    severity: 'Informational',
    time,
    duration: Math.round(number('duration') * 1000),
    message: `${method} ${host}${path}: ${reason === '' ? status : reason}`,
    status_id: passed ? 1 : 2,
    status: passed ? 'Success' : 'Failure',
    status_code: String(status),
    status_detail: reason,
    metadata: {
      version: VERSION,
      product: { name: 'meshgate', vendor_name: 'meshgate' },
      log_name: 'meshgate',
      original_time: text('time'),
      original_event_uid: text('request_id'),
      correlation_uid: text('trace_id'),
      ...(!isSession && { profiles: ['trace'] }),
    },
    ...(isSession ? { user, service: { name: 'meshgate' }, is_remote: true } : { trace: { uid: text('trace_id') } }),
    actor: present({
      user: isSession ? undefined : user,
      app_name: agent === '' && isSession ? 'meshgate' : agent,
      idp: provider === '' ? undefined : { name: provider },
      authorizations: isSession || rule === '' ? undefined : [{ decision: decided, policy }],
    }),
    src_endpoint: { ip: text('client.address') },
    dst_endpoint: present({ hostname: host, svc_name: service }),
    http_request: present({
      http_method: method,
      url: path === '' ? undefined : present({ hostname: host, path }),
      uid: text('request_id'),
      user_agent: text('user_agent.original'),
    }),
    http_response: { code: status, body_length: number('bytes') },
    ...(!isSession && {
      api: {
        operation: `${method} ${route}`,
        ...(service !== '' && { service: { name: service } }),
        request: { uid: text('request_id') },
        response: present({ code: status, error: reason }),
      },
      ...(route !== '' && route !== '-' && { resources: [{ name: route, type: 'route' }] }),
    }),
    ...(unmapped.length > 0 && { unmapped: Object.fromEntries(unmapped) }),
  });
}
