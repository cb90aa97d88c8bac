/** The pages of `meshgate trace` of which docs/ has pictures. */
import { meshgate } from './unit/cli/fake.ts';
import { appLine, confluenceLine, envoyLine, nginxLine, PARENT, REQUEST, TRACE } from './unit/cli/trace/lines.ts';

const SECOND = 'e1c9a7b2d4f8463095a1c7e3b5d9f024';

/** A page that was read, and then a change that the mesh denied: the identity of the reader may not write. */
const logs = {
  nginx: [
    nginxLine(),
    nginxLine({
      request_id: SECOND,
      time: '2026-03-04T10:15:09+00:00',
      'http.request.method': 'POST',
      'http.response.status_code': 403,
      duration: 0.007,
    }),
  ],
  mesh: [
    envoyLine(),
    envoyLine({
      request_id: SECOND,
      time: '2026-03-04T10:15:09.114Z',
      method: 'POST',
      response_code: 403,
      response_code_details: 'rbac_access_denied_matched_policy[none]',
      duration: 1,
      upstream_cluster: null,
      upstream_host: null,
    }),
  ],
  app: [
    confluenceLine(` ${PARENT} ${REQUEST}`),
    appLine({ '@timestamp': '2026-03-04T10:15:02.018Z', message: 'page 7 was read from the cache' }),
  ],
};

/** Returns the page with all requests of a trace. */
export async function timeline(): Promise<string> {
  const files = Object.fromEntries(Object.entries(logs).map(([name, lines]) => [`${name}.log`, lines.join('\n')]));
  const args = ['--nginx', 'nginx.log', '--mesh', 'mesh.log', '--app', 'app.log', '--html', 'trace.html'];
  const { written, err } = await meshgate(['trace', TRACE, ...args], { files });
  const page = written['./trace.html'];
  if (page === undefined) throw new Error(err);
  return page;
}
