import { nonceHeader } from '../check/proof-headers.ts';
import type { Context } from '../render-context.ts';
import { corsOfRefusals } from '../route/cors.ts';
import { workerLocation } from '../route/worker.ts';
import { oftenLocation } from '../signin/address-limits.ts';
import { addCookies } from '../signin/sessions.ts';
import { conf } from '../text/directive.ts';
import type { ConfFile } from '../text/files.ts';
import { orPage, pageLocations, vary } from './page.ts';
import { refusalLocations, refusesUnknown } from './problem-files.ts';

/** The files with the locations of refusals: one with pages, for hosts where people sign in, and one without. */
export function refuseFiles(context: Context): readonly ConfFile[] {
  const cors = corsOfRefusals(context);
  const nonce = nonceHeader(context);
  return [
    [
      'refuse.conf',
      conf`
        ${refusalLocations(context, [...cors, ...nonce])}
        ${oftenLocation(context, [])}
        location ^~ /.meshgate/ { ${refusesUnknown} }
      `,
      'How nginx answers rejected requests.',
    ],
    [
      'refuse-pages.conf',
      [
        ...refusalLocations(context, [...cors, ...vary, ...addCookies, ...nonce], orPage),
        ...oftenLocation(context, orPage('limit_exceeded')),
        ...workerLocation(context),
        ...pageLocations,
      ],
      'How nginx answers rejected requests where people sign in: a navigation gets a page.',
    ],
  ];
}
