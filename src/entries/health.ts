/** The entry of health.js, for the health server. It is a separate bundle, so that checks do not load it. */

import { watchFiles } from '../njs/health/found-files.ts';
import { probeMeshes } from '../njs/health/probe-mesh.ts';
import { readyHandler } from '../njs/health/readyz.ts';
import { watchSvids } from '../njs/health/svids.ts';
import { CA, CLIENT_CA, watchCa } from '../njs/health/watch-cas.ts';
import { askWitnesses } from '../njs/health/witness-state.ts';
import { metricsHandler } from '../njs/metrics/handler.ts';
import config from './watched.js';

export default {
  /** `js_content` of `/.meshgate/readyz`. */
  ready: readyHandler(config),
  /** `js_content` of `/.meshgate/metrics`. */
  metrics: metricsHandler(config),
  /** `js_periodic`: reads the keys, secrets and certificates of the policy, and the CAs with which nginx verifies
   * certificates. */
  svids: async (): Promise<void> => {
    for (const [index, file] of (config.ca ?? []).entries()) watchCa(CA, file, index);
    for (const [index, file] of (config.clientCa ?? []).entries()) watchCa(CLIENT_CA, file, index);
    await watchFiles(config.files);
    await watchSvids(config.identities);
  },
  /** `js_periodic`: asks the witnesses of the log for cosignatures. */
  witnesses: (): Promise<void> => askWitnesses(config),
  /** `js_periodic`: sends the requests that the meshes must deny. */
  probes: async (): Promise<void> => {
    if (config.probes !== undefined) await probeMeshes(config.probes);
  },
};
