import { DEFAULTS } from '../../policy/bounds.ts';
import type { Gateway } from '../../policy/types.ts';
import {
  MAX_REVOCATIONS_ANSWER_BYTES,
  MAX_SIGNIN_BODY_BYTES,
  MIN_ONCE_BYTES,
  MIN_RECORDS_BYTES,
  MIN_REVOCATIONS_BYTES,
  ONCE_BYTES,
  ONCE_PER_PERSON,
  PSID_BYTES,
  RECORD_BYTES,
  REVOCATION_BYTES,
  REVOCATIONS_JOB_INTERVAL_S,
  SIGNIN_CONTEXTS,
  SIGNOUT_SHARE,
} from '../../session/limits.ts';
import {
  ASSETS_PATH,
  BACKCHANNEL_PATH,
  CALLBACK_PATH,
  FRONTCHANNEL_PATH,
  HANDOVER_PATH,
  PAGE_PATH,
  RENEW_PATH,
  SIGNIN_PATH,
  SIGNOUT_PATH,
  WHOAMI_PATH,
} from '../../session/names.ts';
import { conf, type Directive } from './directive.ts';
import { renewalsBytes, signinsBytes } from './locks.ts';
import { bodyBuffer } from './module.ts';
import type { Scene } from './scene.ts';
import { hasSessions } from './session.ts';

/** The sizes in bytes of the zones, which follow from the policy's number of people, with a minimum. */
export function sessionRoom({ sessionRoom: room }: Pick<Gateway, 'sessionRoom'>) {
  const people = room?.people ?? DEFAULTS.sessionPeople;
  const whole = (bytes: number) => Math.ceil(bytes / MEGABYTE) * MEGABYTE;
  return {
    records: whole(Math.max(MIN_RECORDS_BYTES, people * RECORD_BYTES)),
    // The people who sign out need only a part of this memory.
    revocations: whole(Math.max(MIN_REVOCATIONS_BYTES, (people * (REVOCATION_BYTES + PSID_BYTES)) / SIGNOUT_SHARE)),
    once: whole(Math.max(MIN_ONCE_BYTES, people * ONCE_PER_PERSON * ONCE_BYTES)),
  };
}

/** The zones for sessions. All workers of one nginx share them; docs/sessions.md says how much fits. */
export function sessionZones(scene: Scene): readonly Directive[] {
  if (!hasSessions(scene)) return [];
  const { stateDir } = scene.options;
  const { gateway } = scene.policy;
  const { records, revocations, once } = sessionRoom(gateway);
  const people = gateway.sessionRoom?.people ?? DEFAULTS.sessionPeople;
  const megabytes = (bytes: number): string => `${bytes / MEGABYTE}m`;
  return conf`
    # Sessions, of which the oldest make room; values that were used once; locks of sessions; counts of sign-ins; revocations.
    js_shared_dict_zone zone=meshgate_sessions:${megabytes(records)} type=string timeout=24h evict;
    js_shared_dict_zone zone=meshgate_once:${megabytes(once)} type=string timeout=1h;
    js_shared_dict_zone zone=meshgate_renewals:${renewalsBytes(people) >> 10}k type=number timeout=60s;
    js_shared_dict_zone zone=meshgate_signins:${signinsBytes(people) >> 10}k type=number timeout=15m;
    js_shared_dict_zone zone=meshgate_revoked:${megabytes(revocations)} type=string timeout=24h state=${stateDir}/revoked.json;
  `;
}

const MEGABYTE = 1024 * 1024;

const HANDLERS = [
  [SIGNIN_PATH, 'signin'],
  [CALLBACK_PATH, 'callback'],
  // If there are several providers, the name of one of them follows this path.
  [`${CALLBACK_PATH}/`, 'callback'],
  [HANDOVER_PATH, 'handover'],
  [SIGNOUT_PATH, 'signout'],
  [BACKCHANNEL_PATH, 'backchannel'],
  [FRONTCHANNEL_PATH, 'frontchannel'],
  [ASSETS_PATH, 'assets'],
  // Only the check requests this path; clients cannot.
  [RENEW_PATH, 'renew'],
] as const;

/** The directives of a location that runs the sign-in's JavaScript. */
const script = conf`
  js_import signin from signin.js;
  js_context_reuse ${SIGNIN_CONTEXTS};
  ${bodyBuffer(MAX_SIGNIN_BODY_BYTES)}
`;

/** The locations that run the sign-in's JavaScript, in the check's server. Only they load it, so that no check does. */
export function handlerLocations(scene: Scene): readonly Directive[] {
  if (!hasSessions(scene)) return [];
  const handlers = HANDLERS.flatMap(
    ([path, name]) => conf`location ${path.endsWith('/') ? '^~' : '='} ${path} { js_content signin.${name}; }`,
  );
  return conf`
    location = ${WHOAMI_PATH} { js_content meshgate.whoami; }
    location ^~ /.meshgate/ {
      ${script}
      ${handlers}
      return 404;
    }
    // The page for a form that is refused. JavaScript would first read a form of any size, so nginx discards a form that
    // is too long. The other statuses also lead to the page.
    location ^~ ${PAGE_PATH} {
      error_log /dev/null emerg;
      client_max_body_size 1;
      error_page 413 418 = @meshgate_page;
      return 418;
    }
    location @meshgate_page {
      ${script}
      js_content signin.page;
    }
    location @meshgate_revocations {
      js_import signin from signin.js;
      js_fetch_max_response_buffer_size ${MAX_REVOCATIONS_ANSWER_BYTES};
      js_periodic signin.revocations interval=${REVOCATIONS_JOB_INTERVAL_S}s;
    }
  `;
}
