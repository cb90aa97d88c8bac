import { nonceHeader } from '../check/proof-headers.ts';
import { corsOfRefusals } from '../route/cors.ts';
import { workerLocation } from '../route/worker.ts';
import type { Scene } from '../scene.ts';
import { oftenLocation } from '../signin/address-limits.ts';
import { setCookie } from '../signin/sessions.ts';
import { conf } from '../text/directive.ts';
import type { ConfFile } from '../text/files.ts';
import { orPage, pageLocations, vary } from './page.ts';
import { refusalLocations, refusesUnknown } from './problem-files.ts';

/** The files with the locations of refusals: one with pages, for hosts where people sign in, and one without. */
export function refuseFiles(scene: Scene): readonly ConfFile[] {
  const cors = corsOfRefusals(scene);
  const nonce = nonceHeader(scene);
  return [
    [
      'refuse.conf',
      conf`
        ${refusalLocations(scene, [...cors, ...nonce])}
        ${oftenLocation(scene, [])}
        location ^~ /.meshgate/ { ${refusesUnknown} }
      `,
      'How nginx answers rejected requests.',
    ],
    [
      'refuse-pages.conf',
      [
        ...refusalLocations(scene, [...cors, ...vary, ...setCookie, ...nonce], orPage),
        ...oftenLocation(scene, orPage('limit_exceeded')),
        ...workerLocation(scene),
        ...pageLocations,
      ],
      'How nginx answers rejected requests where people sign in: a navigation gets a page.',
    ],
  ];
}
