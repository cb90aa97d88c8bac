/** What the rendered locations of the sign-in call. A bundle of its own: no check carries it along. */

const soon = (r: NginxHTTPRequest): void => r.return(503);

export default { signin: soon, callback: soon, handover: soon };
