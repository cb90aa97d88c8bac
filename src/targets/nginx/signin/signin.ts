import { PROVIDER_TIMEOUT_MS } from '../../../base/limits.ts';
import type { Gateway } from '../../../policy/checked/types.ts';
import { DEFAULTS } from '../../../policy/forms/bounds.ts';
import * as limits from '../../../session/limits.ts';
import * as paths from '../../../session/names.ts';
import type { Context } from '../render-context.ts';
import { bodyBuffer } from '../route/module.ts';
import { conf, type Directive } from '../text/directive.ts';
import { renewalsBytes, signinsBytes } from './locks.ts';
import { hasSessions } from './sessions.ts';

/** The sizes in bytes of the zones, which follow from the policy's number of people, with a minimum. */
export function sessionRoom({ sessionRoom: room }: Pick<Gateway, 'sessionRoom'>) {
  const people = room?.people ?? DEFAULTS.sessionPeople;
  const entire = (bytes: number) => Math.ceil(bytes / MEGABYTE) * MEGABYTE;
  return {
    records: entire(Math.max(limits.MIN_RECORDS_BYTES, people * limits.RECORD_BYTES)),
    // The people who sign out need only a part of this memory.
    revocations: entire(
      Math.max(
        limits.MIN_REVOCATIONS_BYTES,
        (people * (limits.REVOCATION_BYTES + limits.PSID_BYTES)) / limits.SIGNOUT_SHARE,
      ),
    ),
    once: entire(
      Math.max(limits.MIN_ONCE_BYTES, (people * limits.ONCE_PER_PERSON + limits.SPOILT_PLACES) * limits.ONCE_BYTES),
    ),
  };
}

/** The zones for sessions. All workers of one nginx share them; docs/sessions.md says how much fits. */
export function sessionZones(context: Context): readonly Directive[] {
  if (!hasSessions(context)) return [];
  const { stateDir } = context.options;
  const { gateway } = context.policy;
  const { records, revocations, once } = sessionRoom(gateway);
  const people = gateway.sessionRoom?.people ?? DEFAULTS.sessionPeople;
  const megabytes = (bytes: number): string => `${bytes / MEGABYTE}m`;
  return conf`
    # Sessions (the oldest are evicted); values that were used once; locks of sessions; counts of sign-ins; revocations.
    js_shared_dict_zone zone=meshgate_sessions:${megabytes(records)} type=string timeout=24h evict;
    js_shared_dict_zone zone=meshgate_once:${megabytes(once)} type=string timeout=1h;
    js_shared_dict_zone zone=meshgate_renewals:${renewalsBytes(people) >> 10}k type=number timeout=60s;
    js_shared_dict_zone zone=meshgate_signins:${signinsBytes(people) >> 10}k type=number timeout=15m;
    js_shared_dict_zone zone=meshgate_revoked:${megabytes(revocations)} type=string timeout=24h state=${stateDir}/revoked.json;
  `;
}

const MEGABYTE = 1024 * 1024;

/** The directives of a location that runs the sign-in's JavaScript. */
const script = conf`
  js_import signin from signin.js;
  js_context_reuse ${limits.SIGNIN_CONTEXTS};
  ${bodyBuffer(limits.MAX_FORM_BYTES)}
`;

/** How long calls of a sign-in to the providers may take, in seconds; undefined if the policy sets no longer time-out
 * than the default. */
export function longestSignin({ policy }: Context): ReturnType<typeof limits.longestCalls> | undefined {
  const longest = limits.longestCalls(Object.values(policy.providers).filter(({ client }) => client !== undefined));
  return longest.timeout * 1000 > PROVIDER_TIMEOUT_MS ? longest : undefined;
}

/** The locations that run the sign-in's JavaScript, in the check's server. No other location loads it. */
export function handlerLocations(context: Context): readonly Directive[] {
  if (!hasSessions(context)) return [];
  const longest = longestSignin(context);
  return conf`
    location = ${paths.WHOAMI_PATH} { js_content meshgate.whoami; }
    location ^~ /.meshgate/ {
      ${script}
      ${longest && conf`js_fetch_timeout ${longest.timeout}s;`}
      location = ${paths.SIGNIN_PATH} { js_content signin.signin; }
      location = ${paths.CALLBACK_PATH} { js_content signin.callback; }
      // If there are several providers, the name of one of them follows this path.
      location ^~ ${paths.CALLBACK_PATH}/ { js_content signin.callback; }
      location = ${paths.HANDOVER_PATH} { js_content signin.handover; }
      location = ${paths.SIGNOUT_PATH} { js_content signin.signout; }
      location = ${paths.BACKCHANNEL_PATH} { js_content signin.backchannel; }
      location = ${paths.FRONTCHANNEL_PATH} { js_content signin.frontchannel; }
      location ^~ ${paths.ASSETS_PATH} { js_content signin.assets; }
      // Only the check requests this path; clients cannot.
      location = ${paths.RENEW_PATH} { js_content signin.renew; }
      return 404;
    }
    // The page for a form that is refused. JavaScript would first read a form of any size, so nginx discards a form
    // that is too long. Both statuses lead to the page.
    location ^~ ${paths.PAGE_PATH} {
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
      js_fetch_max_response_buffer_size ${limits.MAX_REVOCATIONS_ANSWER_BYTES};
      js_periodic signin.revocations interval=${limits.REVOCATIONS_JOB_INTERVAL_S}s;
    }
  `;
}
