import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { meshgate } from '../fake.ts';
import {
  appLine,
  confluenceLine,
  envoyLine,
  istioJson,
  istioText,
  linkerdLine,
  nginxLine,
  OTHER,
  PARENT,
  REQUEST,
  TRACE,
} from './lines.ts';

const LOGS = ['--nginx', 'nginx.log', '--mesh', 'mesh.log', '--app', 'app.log'];

/** Runs the command on the lines of three logs. */
const trace = (id: string, nginx: string[], mesh: string[], app: string[], ...more: string[]) =>
  meshgate(['trace', id, ...LOGS, ...more], {
    files: { 'nginx.log': nginx.join('\n'), 'mesh.log': mesh.join('\n'), 'app.log': app.join('\n') },
  });

/** The places of the hops in the order in which they are shown. */
async function hopsOf(id: string, nginx: string[], mesh: string[], app: string[]) {
  const { out } = await trace(id, nginx, mesh, app, '--json');
  const { stories } = JSON.parse(out) as { stories: { hops: { place: string; line: number }[] }[] };
  return stories.map(({ hops }) => hops.map(({ place, line }) => `${place} ${line}`));
}

const other = (letter: string) => ({ request_id: letter.repeat(32), trace_id: letter.repeat(32) });

test('two requests with one trace id, method and path: only the time decides, and a finding says so', async () => {
  const second = { request_id: 'b'.repeat(32), 'user.id': 'ada', time: '2026-03-04T10:15:03+00:00' };
  const mesh = [envoyLine({ request_id: OTHER })];
  const { out } = await trace(TRACE, [nginxLine(), nginxLine(second)], mesh, []);
  expect(out).toMatch(/^unsure: other requests of this trace fit the lines of the mesh as well: only the time says /m);
  const refused = { ...second, 'meshgate.reason': 'role_missing', 'meshgate.upstream': '' };
  for (const other of [{ ...second, 'url.path': '/other' }, refused])
    expect((await trace(TRACE, [nginxLine(), nginxLine(other)], mesh, [])).out).not.toContain('unsure');
  expect((await trace(TRACE, [nginxLine(), nginxLine(second)], [envoyLine()], [])).out).not.toContain('unsure');
});

describe('one request', () => {
  test('shows who, by which rule, over which identity, to which service, and the status at each hop', async () => {
    const { code, out, err } = await trace(TRACE, [nginxLine()], [envoyLine()], [confluenceLine()]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(`request     GET wiki.example.com/rest/api/content
request id  ${REQUEST}
trace id    ${TRACE}
caller      ben (okta)
roles       reader
agent       wiki-pages
actors      pages-bot, planner
client      192.0.2.7
rule        wiki.example.com/rest/*#2
policy      5f2d0c81b9a3e674
identity    wiki-reader
service     wiki at 10.0.0.3:8443

2026-03-04    hop      status  took   what                                                   line
10:15:01      gateway  200     42 ms  to 10.0.0.3:8443                                       nginx.log:1
10:15:02.010  mesh     200     30 ms  Envoy, from spiffe://example.org/wiki-reader, to wiki  mesh.log:1
10:15:02      service  200     21 ms  access log, user ben, GET /rest/api/content            app.log:1

answered: the gateway allowed the request, and the answer is 200
`);
  });

  test.each([
    ['the trace id', TRACE],
    ['the trace id in upper case', TRACE.toUpperCase()],
    ['the request id', REQUEST],
    ['a traceparent', PARENT],
    ['the response header', `traceresponse: ${PARENT}`],
    ['the request id of the ingress', OTHER],
  ])('is found by %s', async (_, id) => {
    const mesh = [envoyLine({ request_id: OTHER })];
    expect(await hopsOf(id, [nginxLine(other('a')), nginxLine()], mesh, [appLine()])).toEqual([
      ['gateway 2', 'mesh 1', 'app 1'],
    ]);
  });

  test('joins a sidecar that knows only the id of the ingress', async () => {
    const mesh = [istioJson({ duration: 20 }), istioText(` "${PARENT}"`)];
    expect(await hopsOf(TRACE, [nginxLine()], mesh, [])).toEqual([['gateway 1', 'mesh 2', 'mesh 1']]);
  });

  test('joins Linkerd by the request id', async () => {
    expect(await hopsOf(TRACE, [nginxLine()], [linkerdLine()], [])).toEqual([['gateway 1', 'mesh 1']]);
  });

  test('ignores lines that name the id in another field', async () => {
    const nginx = [nginxLine({ ...other('a'), 'user_agent.original': TRACE }), nginxLine()];
    const mesh = [envoyLine({ ...other('b'), traceparent: '', path: `/${TRACE}` })];
    expect(await hopsOf(TRACE, nginx, mesh, [])).toEqual([['gateway 2']]);
  });

  test('does not accept a line of the gateway in the log of the service', async () => {
    expect(await hopsOf(TRACE, [nginxLine()], [], [nginxLine({ 'user.id': 'ada' })])).toEqual([['gateway 1', 'app 1']]);
  });

  test('says if no line has the id', async () => {
    expect(await trace('f'.repeat(32), [nginxLine()], [], [])).toEqual({
      code: 1,
      out: '',
      err: `no line has the id ${'f'.repeat(32)}\n`,
      written: {},
    });
  });

  test.each([
    [
      'for itself, with an id',
      { 'meshgate.alone': '1' },
      /^caller +ben \(okta\)$/m,
      /^agent +wiki-pages, for itself$/m,
    ],
    ['for itself, without an id', { 'user.id': '' }, /^roles/m, /^agent +wiki-pages, for itself$/m],
    ['for a person', { 'meshgate.alone': '' }, /^caller +ben \(okta\)$/m, /^agent +wiki-pages$/m],
    ['absent, and no person', { 'user.id': '', 'meshgate.agent': '' }, /^caller +an anonymous caller$/m, /^actors/m],
  ])('the agent is %s', async (_, fields, caller, agent) => {
    const { out } = await trace(TRACE, [nginxLine(fields)], [envoyLine()], [confluenceLine()]);
    for (const line of [caller, agent]) expect(out).toMatch(line);
  });

  test('the page has every field of the gateway’s line', async () => {
    const line = nginxLine({ 'meshgate.later': 'a field of a later version' });
    const { written } = await trace(TRACE, [line], [envoyLine()], [confluenceLine()], '--html', 'trace.html');
    expect(written['./trace.html']).toContain('<dt>meshgate.later</dt><dd>a field of a later version</dd>');
  });

  test('reads the file of a collector', async () => {
    const line = (hop: string, text: string) => JSON.stringify({ 'meshgate.hop': hop, line: text });
    const lines = [line('app', appLine()), line('mesh', envoyLine()), line('gateway', nginxLine())];
    // A collector that started again has read the files again.
    const collected = [...lines, ...lines].join('\n');
    const { code, out } = await meshgate(['trace', TRACE, '--log', 'all.jsonl'], { files: { 'all.jsonl': collected } });
    expect(code).toBe(0);
    expect(out.match(/all\.jsonl/g)).toHaveLength(3);
    expect(out).toMatch(/gateway .*all\.jsonl:3\n.*mesh .*all\.jsonl:2\n.*service .*all\.jsonl:1\n/);
  });
});

describe('several requests with one trace id', () => {
  const second = { request_id: 'b'.repeat(32), 'url.path': '/other', time: '2026-03-04T10:15:03+00:00' };
  const nginx = [nginxLine(), nginxLine(second)];
  const mesh = [envoyLine({ request_id: OTHER }), envoyLine({ request_id: OTHER.replace('7', '8'), path: '/other' })];

  test('are told apart by method and path', async () => {
    expect(await hopsOf(TRACE, nginx, mesh, [])).toEqual([
      ['gateway 1', 'mesh 1'],
      ['gateway 2', 'mesh 2'],
    ]);
  });

  test('are only counted if the id is that of one of them', async () => {
    expect(await hopsOf('b'.repeat(32), nginx, mesh, [])).toEqual([['gateway 2', 'mesh 2']]);
    const { err } = await trace('b'.repeat(32), nginx, mesh, []);
    expect(err).toBe(`1 other request has the same trace id: meshgate trace ${TRACE} …\n`);
  });
});

describe('the findings', () => {
  /** The lines below the table. */
  async function findings(nginx: string[], mesh: string[], app: string[]) {
    const { out } = await trace(TRACE, nginx, mesh, app);
    return out.trimEnd().split('\n\n').at(-1)?.split('\n');
  }

  const denied = { response_code: 403, response_code_details: 'rbac_access_denied_matched_policy[none]' };

  test('the gateway refused', async () => {
    const line = nginxLine({
      'meshgate.reason': 'role_missing',
      'http.response.status_code': 403,
      'meshgate.upstream': '',
    });
    expect(await findings([line], [linkerdLine(other('c'))], [appLine({ traceId: 'c'.repeat(32) })])).toEqual([
      expect.stringMatching(/^refused: the gateway refused the request: role_missing\. \S/),
    ]);
  });

  test('the mesh refused, so no line of the service is missing', async () => {
    const lines = [nginxLine({ 'http.response.status_code': 403 })];
    expect(await findings(lines, [envoyLine(denied)], [appLine({ traceId: 'c'.repeat(32) })])).toEqual([
      'refused: the mesh (Envoy) answered 403: rbac_access_denied_matched_policy[none]',
    ]);
  });

  test('the service refused', async () => {
    const app = confluenceLine().replace(' 200 ', ' 404 ');
    const lines = [nginxLine({ 'http.response.status_code': 404 })];
    expect(await findings(lines, [envoyLine({ response_code: 404 })], [app])).toEqual([
      'refused: the service answered 404; the gateway and the mesh let it pass',
    ]);
  });

  test('the service refused or failed, by the log of the mesh alone', async () => {
    for (const [status, kind] of [
      [404, 'refused'],
      [500, 'failed'],
    ] as const) {
      const mesh = envoyLine({ response_code: status });
      expect(await findings([nginxLine({ 'http.response.status_code': status })], [mesh], [])).toContain(
        `${kind}: the service behind the mesh (Envoy) answered ${status}`,
      );
    }
  });

  test('the service failed', async () => {
    const app = confluenceLine().replace(' 200 ', ' 500 ');
    const lines = [nginxLine({ 'http.response.status_code': 500 })];
    expect(await findings(lines, [envoyLine({ response_code: 500 })], [app])).toEqual([
      'failed: the service answered 500; the gateway and the mesh let it pass',
    ]);
  });

  test('a hop behind the gateway refused, but no log says which one', async () => {
    const { out } = await meshgate(['trace', TRACE, '--nginx', 'n'], {
      files: { n: nginxLine({ 'http.response.status_code': 403 }) },
    });
    expect(out).toContain('\nrefused: the gateway allowed the request, and a hop behind it answered 403\n');
  });

  test('the gateway got no answer', async () => {
    const found = await findings([nginxLine({ 'http.response.status_code': 502 })], [], []);
    expect(found?.[0]).toBe('failed: the gateway answered 502: it got no valid answer from 10.0.0.3:8443');
  });

  test('the status and the rule differ', async () => {
    const mesh = envoyLine({ rule: 'wiki.example.com/*#1' });
    expect(await findings([nginxLine({ 'http.response.status_code': 499 })], [mesh], [confluenceLine()])).toEqual([
      'answered: the gateway allowed the request, and the answer is 200',
      'disagrees: the status differs: the gateway says 499, the mesh (Envoy) says 200 (499: the client did not wait)',
      'disagrees: the rule differs: the gateway says wiki.example.com/rest/*#2, the mesh (Envoy) says wiki.example.com/*#1',
    ]);
  });

  test.each([
    ['behind', '2026-03-04T10:14:58.958Z', '3.0 s behind'],
    ['ahead', '2026-03-04T10:15:12.000Z', '9.0 s ahead of'],
  ])('the clock of the mesh is %s', async (_, time, words) => {
    expect(await findings([nginxLine()], [envoyLine({ time })], [confluenceLine()])).toEqual([
      'answered: the gateway allowed the request, and the answer is 200',
      `clock: the clock of the mesh (Envoy) is at least ${words} the gateway's: the order below is that of cause and effect`,
    ]);
  });

  test('a clock within the second of the gateway is right', async () => {
    const answered = ['answered: the gateway allowed the request, and the answer is 200'];
    for (const time of ['2026-03-04T10:15:01.958Z', '2026-03-04T10:15:02.999Z'])
      expect(await findings([nginxLine()], [envoyLine({ time })], [confluenceLine()])).toEqual(answered);
  });

  test.each([
    ['Istio', istioText(), /^missing: the log of the mesh has .* because its lines have no trace id: add %REQ\(TRACEP/],
    [
      'an Envoy with ids',
      envoyLine(other('c')).replace(PARENT, PARENT.replace(TRACE, 'c'.repeat(32))),
      /other lines have ids/,
    ],
    ['Linkerd', linkerdLine({ trace_id: '' }), /config\.linkerd\.io\/access-log: json/],
    ['an empty file', '', /the file has no line that can be read/],
  ])('a hop is missing: %s', async (_, line, words) => {
    const found = await findings([nginxLine()], [line], [confluenceLine()]);
    expect(found).toEqual([
      'answered: the gateway allowed the request, and the answer is 200',
      expect.stringMatching(words),
    ]);
  });

  test('the line of the service is missing: the pattern of Tomcat lacks the headers', async () => {
    expect(await findings([nginxLine()], [envoyLine()], [confluenceLine('')])).toContainEqual(
      expect.stringMatching(/%\{traceparent\}i and %\{X-Request-Id\}i to the pattern/),
    );
  });
});

describe('values of logs', () => {
  const evil = '\u001b[31m\u202e<script>alert(1)</script>"\'&';
  const nginx = [nginxLine({ 'user.id': evil, 'url.path': `/${evil}`, 'meshgate.rule': evil })];
  const app = [appLine({ message: evil, logger_name: evil })];

  test('do not control the terminal', async () => {
    const { out } = await trace(TRACE, nginx, [envoyLine()], app);
    expect(out).toContain('\\u001b[31m\\u202e<script>');
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });

  test('are escaped in the page, which has no script and loads nothing', async () => {
    const { written } = await trace(TRACE, nginx, [envoyLine()], app, '--html', 'out/trace.html');
    const page = written['out/trace.html'] ?? '';
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;');
    expect(page).not.toMatch(/<script|\u202e|\u001b| style=|\b(?:src|href)=|url\(|@import/);
    expect(page).toContain(
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-`,
    );
  });

  test('are read without a query, which can hold a secret', async () => {
    const mesh = [istioText(` "${PARENT}"`)];
    const { out, written } = await trace(TRACE, nginx, mesh, [confluenceLine()], '--html', 'trace.html');
    expect(out + written['./trace.html']).not.toContain('token=secret');
  });
});

describe('finding requests', () => {
  const lines = [
    nginxLine({ request_id: 'a'.repeat(32), time: '2026-03-04T09:00:00+00:00', duration: 2.5 }),
    nginxLine({
      request_id: 'b'.repeat(32),
      time: '2026-03-04T10:00:00+00:00',
      'user.id': 'ada',
      'meshgate.agent': '',
      'meshgate.actors': '',
      'meshgate.reason': 'role_missing',
      'http.response.status_code': 403,
    }),
    envoyLine({ response_code: 403 }),
    nginxLine({ request_id: 'c'.repeat(32), time: '2026-03-04T10:30:00+00:00', 'http.response.status_code': 403 }),
  ];
  const find = (...args: string[]) =>
    meshgate(['trace', ...args, '--nginx', 'nginx.log'], {
      files: { 'nginx.log': lines.join('\n') },
      now: Date.parse('2026-03-04T11:00:00Z') / 1000,
    });
  const ids = async (...args: string[]) => {
    const { out } = await find(...args, '--json');
    const { requests } = JSON.parse(out) as { requests: { ids: { request: string } }[] };
    return requests.map(({ ids }) => ids.request[0]).join('');
  };

  test.each([
    ['--denied', 'bc'],
    ['--slow 2s', 'a'],
    ['--slow 2600ms', ''],
    ['--user ben', 'ac'],
    ['--user be', ''],
    ['--agent wiki-pages', 'ac'],
    ['--agent planner', 'ac'],
    ['--denied --user ada', 'b'],
    ['--denied --since 45m', 'c'],
    ['--denied --since 2026-03-04T10:00:00Z', 'bc'],
    ['--user ben --limit 1', 'c'],
    ['--since 45m', 'c'],
  ])('%s', async (args, found) => {
    expect(await ids(...args.split(' '))).toBe(found);
  });

  test('prints a table with the times of the lines, and the command that opens a request', async () => {
    expect(await find('--denied')).toMatchObject({
      code: 0,
      out: `time                 request id                        status  took   caller  reason        rule                       request
2026-03-04 10:00:00  ${'b'.repeat(32)}  403     42 ms  ada     role_missing  wiki.example.com/rest/*#2  GET wiki.example.com/rest/api/content
2026-03-04 10:30:00  ${'c'.repeat(32)}  403     42 ms  ben     -             wiki.example.com/rest/*#2  GET wiki.example.com/rest/api/content
`,
      err: `to open one: meshgate trace ${'c'.repeat(32)} --nginx nginx.log --mesh FILE --app FILE\n`,
    });
  });

  test('says what is left out, and whether there is nothing', async () => {
    expect((await find('--denied', '--limit', '1')).out).toContain('\n1 older request is left out\n');
    expect(await find('--user', 'cleo')).toMatchObject({ code: 1, out: '', err: 'no request matches\n' });
  });
});

test.each([
  [['trace'], 'give an id, or one of --denied, --slow, --user, --agent and --since'],
  [
    ['trace', 'x'],
    '"x" is no id: give a trace id (32 hexadecimal digits), a request id as on a page of the gateway, or a traceparent',
  ],
  [['trace', TRACE], 'give the logs: --nginx FILE --mesh FILE --app FILE, or --log FILE'],
  [['trace', TRACE, '--denied'], 'give an id, or --denied, --slow, --user, --agent and --since, not both'],
  [['trace', TRACE, '--limit', '3', '--nginx', 'a'], '--limit has no effect with an id'],
  [['trace', '--denied'], 'give the log of the gateway: --nginx FILE (or --log FILE)'],
  [
    ['trace', TRACE, '--since', '1h', '--nginx', 'a'],
    'give an id, or --denied, --slow, --user, --agent and --since, not both',
  ],
  [['trace', '--denied', '--html', 'x', '--nginx', 'a'], '--html shows one request: give its id'],
  [['trace', TRACE, '--nginx', '-', '--mesh', '-'], 'only one file can come from standard input'],
  [['trace', TRACE, '--nginx', 'gone.log'], 'cannot read gone.log: there is no such file'],
])('wrong use: %j', async (args, words) => {
  expect(await meshgate(args)).toMatchObject({ code: 2, out: '', err: `meshgate: ${words}\n` });
});

describe('the commands of docs/trace.md', () => {
  const text = readFileSync('docs/trace.md', 'utf8');
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, body = '']) => body);
  const commands = blocks.flatMap((body) => [...body.matchAll(/meshgate (trace .*)$/gm)].map(([, args = '']) => args));

  test('are found', () => expect(commands.length).toBeGreaterThan(3));

  test.each(commands)('%s', async (args) => {
    const both = [nginxLine({ duration: 0.6 }), nginxLine({ ...other('a'), 'meshgate.reason': 'role_missing' })];
    const files = {
      'access.log': both.join('\n'),
      'access.log.1.gz': nginxLine(other('d')),
      '-': both.join('\n'),
      'envoy.log': envoyLine(),
      'wiki.log': appLine(),
      '/var/log/collected/hops.jsonl': JSON.stringify({ 'meshgate.hop': 'gateway', line: nginxLine() }),
    };
    const { code, err } = await meshgate(args.split(' '), { files, now: Date.parse('2026-03-04T10:30:00Z') / 1000 });
    expect({ code, err }).toMatchObject({ code: 0 });
  });
});

const OTHER_REQUEST = 'b'.repeat(32);

describe('a line with values that no request has does not end the command', () => {
  test.each([
    ['the gateway: a duration', nginxLine({ duration: 1e300 })],
    ['the gateway: a duration below zero', nginxLine({ duration: -1e300 })],
    ['a service: a duration', appLine({ duration_ms: 1e300 })],
    ['a service: a time', appLine({ time: '+275760-09-13T00:00:00.000Z', duration_ms: 1e12 })],
    [
      'a collector: a body that is no text',
      `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":["${TRACE}"]}}]}]}]}`,
    ],
  ])('%s', async (_name, text) => {
    const files = { 'hops.log': `${nginxLine({ request_id: OTHER_REQUEST })}\n${text}\n` };
    const shown = await meshgate(['trace', TRACE, '--log', 'hops.log', '--html', 'o.html'], { files });
    expect(shown).toMatchObject({ code: 0, out: expect.stringContaining(OTHER_REQUEST) });
    const found = await meshgate(['trace', '--user', 'ben', '--log', 'hops.log'], { files });
    expect(found).toMatchObject({ code: 0, out: expect.stringContaining(OTHER_REQUEST) });
  });
});

test('a correlation id, which clients choose, is no request id', async () => {
  const other = appLine({ traceId: 'a'.repeat(32), correlation_id: REQUEST });
  const files = { 'a.log': nginxLine(), 'b.log': other };
  const { out } = await meshgate(['trace', REQUEST, '--nginx', 'a.log', '--app', 'b.log'], { files });
  expect(out).toContain('a.log:1');
  expect(out).not.toContain('b.log:1');
});
