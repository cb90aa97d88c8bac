/** What the rendered server of health calls. A bundle of its own: no check carries it along. */

import { watchCa } from './njs/ca.ts';
import { readyHandler } from './njs/health.ts';
import { watchSvids } from './njs/svids.ts';
import watched from './watched.js';

/** `js_content` of readyz. */
const ready = readyHandler(watched);

/** `js_periodic`: looks at the files of the mesh identities, and at the ingress's CA. */
const svids = (): Promise<void> => {
  if (watched.ca !== undefined) watchCa(watched.ca);
  return watchSvids(watched.identities);
};

export default { ready, svids };
