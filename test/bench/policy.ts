/** Where the measured gateway finds its parts. */
export interface Places {
  readonly port: number;
  readonly backend: number;
  readonly issuer: string;
}

export const audience = 'bench';
/** Group that the tokens carry and the measured route asks for. */
export const group = 'readers';

/** The path that the load asks for: the only route's, or one in the middle of two hundred. */
export function measuredPath(routes: number): string {
  return routes === 1 ? '/' : `/area-${routes >> 1}/page`;
}

/** A policy with so many routes on one host; each beyond the first with a role of its own. */
export function policy(places: Places, routes = 1): string {
  const areas = Array.from({ length: routes - 1 }, (_, i) => i + 1);
  const roles = areas.map((i) => `  team-${i}: { group: team-${i} }\n`);
  const paths = areas.map(
    (i) => `    /area-${i}/*: { service: app, allow: [{ role: team-${i}, methods: [POST] }, reader] }\n`,
  );
  return `version: 1
gateway: { listen: ${places.port}, insecure_http: true }
providers:
  bench:
    issuer: ${places.issuer}
    audiences: [${audience}]
    algorithms: [RS256, ES256]
    ca_file: /bench/ca.pem
roles:
  editor: { group: editors }
  reader: { group: ${group} }
${roles.join('')}services:
  app: { insecure_url: http://127.0.0.1:${places.backend}, authority: bench.example.com }
hosts:
  bench.example.com:
    /*: { service: app, allow: [editor, { role: reader, methods: [GET] }] }
${paths.join('')}`;
}
