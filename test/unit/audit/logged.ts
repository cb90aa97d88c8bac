import { type LogLine, readLine } from '../../../src/audit/lines/line.ts';

/** The fields of a line as nginx writes them; docs/log.md describes them. */
const FIELDS: Readonly<Record<string, unknown>> = {
  time: '2026-03-04T10:15:02+00:00',
  request_id: '9795ce5ecb841cd57231e9be6a3e3b4b',
  trace_id: '9795ce5ecb841cd57231e9be6a3e3b4b',
  span_id: '9795ce5ecb841cd5',
  'client.address': '192.0.2.7',
  'server.address': 'wiki.example.com',
  'http.request.method': 'GET',
  'url.path': '/rest/page',
  'http.route': 'wiki.example.com/*',
  'http.response.status_code': 200,
  'user_agent.original': 'curl/8.14.1',
  'user.id': 'okta-ben',
  'user.roles': 'reader',
  'meshgate.provider': 'okta',
  'meshgate.policy': '5f2d0c81b9a3e674',
  'meshgate.rule': 'wiki.example.com/*#1',
  'meshgate.reason': '',
  'meshgate.service': 'wiki',
  'meshgate.identity': 'default',
  'meshgate.upstream': '192.0.2.80:8443',
  'meshgate.erased': '',
  duration: 0.001,
  bytes: 106,
};

/** A line of the log: a reader's GET, which rule 1 allowed.
 * @param changed other values of fields; undefined leaves the field out */
export const lineText = (changed: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({ ...FIELDS, ...changed });

export function lineOf(changed: Readonly<Record<string, unknown>> = {}): LogLine {
  const line = readLine(lineText(changed));
  if ('mistake' in line) throw new Error(line.mistake);
  return line;
}

/** The fields of a request without a credential, with this result. */
export const anonymous = (reason: string, rule = 'wiki.example.com/*#1') => ({
  ...{ 'user.id': '', 'user.roles': '', 'meshgate.provider': '', 'meshgate.identity': '' },
  ...{ 'meshgate.reason': reason, 'meshgate.rule': rule },
  // nginx connects to no service for a request that was refused.
  ...(reason !== '' && { 'meshgate.upstream': '' }),
});

/** The fields of a refused caller. */
export const refused = (reason: string, roles: string, rule: string) => ({
  ...{ 'user.roles': roles, 'meshgate.reason': reason, 'meshgate.rule': rule },
  ...{ 'meshgate.identity': '', 'meshgate.upstream': '' },
});
