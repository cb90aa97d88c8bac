import {
  HEALTH_TIMEOUT_MS,
  SVIDS_JOB_INTERVAL_S,
  WITNESS_INTERVAL_S,
  WITNESS_TIMEOUT_MS,
} from '../../../base/limits.ts';
import { toHealthConfig } from '../../../rules/table/health-config.ts';
import type { Context } from '../render-context.ts';
import { conf, type Directive } from '../text/directive.ts';
import { included } from '../text/files.ts';
import { probesOf } from '../upstream/probe.ts';
import { healthAt } from './front.ts';
import { strangersAnywhere, strangersBody } from './strangers.ts';
import { witnessesOf } from './witness-server.ts';

/** The number of results that the health check keeps: of files of the policy, of identities, of CAs, and of probes. */
const monitoredFiles = (context: Context): number => {
  const probes = probesOf(context);
  const {
    ca = [],
    clientCa = [],
    identities,
    files,
    witnesses,
  } = toHealthConfig(context, { check: '', egress: '', probes });
  return identities.length + ca.length + clientCa.length + files.length + probes.length + (witnesses?.all.length ?? 0);
};

/** The health server and its zone, of one kilobyte per file. It has its own JavaScript, which no check loads. */
export function healthServer(context: Context): readonly Directive[] {
  const files = monitoredFiles(context);
  const watch = conf`
    location @meshgate_svids { js_periodic health.svids interval=${SVIDS_JOB_INTERVAL_S}s; }
  `;
  const { meshProbe } = context.policy.gateway;
  const probe =
    meshProbe &&
    conf`
    location @meshgate_probes { js_periodic health.probes interval=${meshProbe.every}s; }
  `;
  const witnesses = conf`
    location @meshgate_witnesses { js_periodic health.witnesses interval=${WITNESS_INTERVAL_S}s; js_fetch_timeout ${WITNESS_TIMEOUT_MS}ms; }
  `;
  return conf`
    ${files > 0 && conf`js_shared_dict_zone zone=meshgate_svids:${Math.max(64, 32 + files)}k type=string;`}
    # Health. Do not expose this server: it shows more than strangers should know.
    server {
      ${healthAt(context).flatMap((at) => conf`listen ${at};`)}
      ${included(context, 'inside.conf')}
      ${strangersAnywhere(context)}
      ${strangersBody}
      js_import health from health.js;
      js_fetch_timeout ${HEALTH_TIMEOUT_MS}ms; default_type text/plain;
      location = /.meshgate/healthz { return 200 ok; }
      location = /.meshgate/readyz { js_content health.ready; }
      location = /.meshgate/metrics { js_content health.metrics; }
      ${files > 0 && watch}
      ${witnessesOf(context).length > 0 && witnesses}
      ${meshProbe && probesOf(context).length > 0 && probe}
    }
  `;
}
