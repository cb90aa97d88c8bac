/** What the rendered locations of the sign-in call. A bundle of its own: no check carries it along. */

import { Pages } from './njs/signin/page.ts';
import signinTable from './signin-policy.js';

const pages = new Pages(signinTable);
const soon = (r: NginxHTTPRequest): void => r.return(503);

/** `/.meshgate/page/REASON`: what browsers see of a refusal. */
const page = (r: NginxHTTPRequest): void => pages.refusal(r);

/** `/.meshgate/assets/NAME`: the stylesheet of the pages, and what an operator's folder has. */
const assets = (r: NginxHTTPRequest): void => pages.asset(r);

export default { signin: soon, callback: soon, handover: soon, page, assets };
