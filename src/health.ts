/** What the rendered server of health calls. A bundle of its own: no check carries it along. */

import { readyHandler } from './njs/health.ts';
import { watchSvids } from './njs/svids.ts';
import watched from './watched.js';

/** `js_content` of readyz. */
const ready = readyHandler(watched);

/** `js_periodic`: looks at the files of the mesh identities. */
const svids = (): Promise<void> => watchSvids(watched.identities);

export default { ready, svids };
