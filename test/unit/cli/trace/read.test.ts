import { describe, expect, test } from 'vitest';
import { linesIn, readLine } from '../../../../src/cli/trace/read.ts';
import {
  appLine,
  confluenceLine,
  envoyLine,
  envoyText,
  istioJson,
  istioText,
  linkerdLine,
  linkerdText,
  nginxLine,
  OTHER,
  PARENT,
  REQUEST,
  TRACE,
} from './lines.ts';

const at = (text: string) => Date.parse(text);

describe('each format is read', () => {
  test('the line of the gateway: it began before its time by its duration', () => {
    const reading = readLine(nginxLine());
    expect(reading).toMatchObject({
      format: 'meshgate',
      place: 'gateway',
      ids: { trace: TRACE, request: REQUEST },
      time: at('2026-03-04T10:15:01.958Z'),
      precision: 1000,
      duration: 42,
      status: 200,
      method: 'GET',
      host: 'wiki.example.com',
      path: '/rest/api/content',
      rule: 'wiki.example.com/rest/*#2',
    });
    expect(reading.facts).toMatchObject({ 'user.id': 'ben', 'meshgate.actors': 'pages-bot, planner' });
    expect(reading).not.toHaveProperty('refusal');
  });

  const envoy = {
    format: 'Envoy',
    place: 'mesh',
    time: at('2026-03-04T10:15:02.010Z'),
    precision: 1,
    duration: 30,
    status: 200,
    method: 'GET',
    host: 'wiki.mesh',
    path: '/rest/api/content',
  };

  test.each([
    ['the JSON of the rendered Envoy', envoyLine(), { trace: TRACE, request: REQUEST }],
    ['the JSON of Istio', istioJson(), { request: OTHER }],
    ['the JSON of Istio with a traceparent', istioJson({ traceparent: PARENT }), { trace: TRACE, request: OTHER }],
    ['the JSON of Istio with a trace id', istioJson({ trace_id: TRACE }), { trace: TRACE, request: OTHER }],
    ['the text of Istio', istioText(), { request: OTHER }],
    ['the text of Istio with a traceparent', istioText(` "${PARENT}"`), { trace: TRACE, request: OTHER }],
    ['the text of Envoy', envoyText(), { request: REQUEST }],
  ])('%s', (_, line, ids) => {
    expect(readLine(line)).toMatchObject({ ...envoy, ids });
    expect(Object.keys(readLine(line).ids)).toEqual(Object.keys(ids));
  });

  const foreignParent = `00-${OTHER.replaceAll('-', '')}-00f067aa0ba902b7-01`;
  test.each([
    ['the text of Envoy', envoyText(` "${PARENT}"`).replace('curl/8.14.1', foreignParent)],
    ['the text of Envoy', envoyText(` "${PARENT}"`).replace('/rest/api/content', `/${foreignParent}`)],
    ['the text of Envoy', envoyText(` "${PARENT}"`).replace('curl/8.14.1', `" "${OTHER}" "wiki.mesh" "10.0.0.9:80`)],
    ['an access log', confluenceLine().replace('curl/8.14.1', `${foreignParent} ${OTHER}`)],
    ['an access log', confluenceLine().replace('wiki.example.com/ ', `wiki.example.com/${foreignParent} `)],
  ])('an id that a client wrote into %s does not count', (_, line) => {
    expect(readLine(line).ids).toEqual({ trace: TRACE, request: REQUEST });
  });

  test('a number with hundreds of digits is no time', () => {
    expect(readLine(appLine({ '@timestamp': undefined, ts: '9'.repeat(400) }))).not.toHaveProperty('time');
  });

  test('Envoy says why it refused', () => {
    const denied = { response_code: 403, response_code_details: 'rbac_access_denied_matched_policy[none]' };
    expect(readLine(envoyLine(denied)).refusal).toBe('rbac_access_denied_matched_policy[none]');
    expect(readLine(istioText('', '403 - rbac_access_denied_matched_policy[none]')).refusal).toMatch(/^rbac_/);
    expect(readLine(istioText('', '503 UF upstream_reset')).refusal).toBe('UF: Envoy could not connect to the service');
    expect(readLine(envoyLine({ response_code: 404 })).refusal).toBeUndefined();
  });

  test('the JSON of Linkerd', () => {
    expect(readLine(linkerdLine())).toMatchObject({
      format: 'Linkerd',
      place: 'mesh',
      ids: { request: REQUEST },
      duration: 1.052953,
      status: 200,
      host: 'wiki.mesh',
      path: '/rest/api/content',
      peer: 'gateway.edge.serviceaccount.identity.linkerd.cluster.local',
    });
  });

  test('the text of Linkerd', () => {
    expect(readLine(linkerdText)).toMatchObject({
      format: 'Linkerd',
      place: 'mesh',
      ids: {},
      time: at('2026-03-04T10:15:02.010Z'),
      status: 403,
      path: '/rest/api/content',
      peer: 'gateway.edge.serviceaccount.identity.linkerd.cluster.local',
    });
  });

  test('the access log of Confluence, and the common format of Apache', () => {
    const expected = { format: 'access log', time: at('2026-03-04T10:15:02Z'), status: 200, method: 'GET' };
    const confluence = { ids: { trace: TRACE, request: REQUEST }, path: '/rest/api/content', duration: 21 };
    expect(readLine(confluenceLine())).toMatchObject({ ...expected, ...confluence, facts: { user: 'ben' } });
    const common = `10.0.0.3 - ben [04/Mar/2026:10:15:02 +0000] "GET /x?token=secret HTTP/1.1" 200 512 "-" "curl" "${PARENT}"`;
    const short = confluenceLine().replace(' ben ', ' abe ').replace('10.0.0.3', 'fd00::7');
    expect(readLine(short).facts).toEqual({ user: 'abe' });
    expect(readLine(common)).toMatchObject({ ...expected, ids: { trace: TRACE }, path: '/x', facts: { user: 'ben' } });
  });

  test.each([
    ['logback', { traceId: TRACE }],
    ['OpenTelemetry', { trace_id: TRACE }],
    ['ECS, nested', { trace: { id: TRACE }, traceId: undefined }],
    ['Google Cloud', { 'logging.googleapis.com/trace': `projects/p/traces/${TRACE}`, traceId: undefined }],
    ['pino with headers', { req: { headers: { traceparent: PARENT } }, traceId: undefined }],
  ])('the JSON of an application: %s', (_, fields) => {
    expect(readLine(appLine(fields))).toMatchObject({
      format: 'JSON',
      ids: { trace: TRACE },
      time: at('2026-03-04T10:15:02.020Z'),
      facts: { message: 'page 7 was read', level: 'INFO' },
    });
  });

  test.each([[1772619302.02], [1772619302020], [1772619302020000], ['1772619302020000000']])(
    'a time since the epoch: %s',
    (time) => {
      expect(readLine(JSON.stringify({ time, trace_id: TRACE })).time).toBeCloseTo(1772619302020, 0);
    },
  );

  test('a line of text with ids', () => {
    expect(readLine(`2026-03-04 10:15:02,020 INFO [${TRACE}] page 7 was read`)).toMatchObject({
      format: 'text',
      ids: { request: TRACE },
      time: at('2026-03-04T10:15:02.020Z'),
    });
  });

  test('an object with inherited names, and broken JSON, are read as what they are', () => {
    expect(readLine('{"__proto__":{"meshgate.policy":"x","http.route":"y"}}').format).toBe('JSON');
    expect(readLine('{"meshgate.policy":').format).toBe('text');
  });
});

describe('what stands around a line is left out', () => {
  const otlp = (place: string, ...texts: readonly string[]) =>
    JSON.stringify({
      resourceLogs: [
        {
          resource: { attributes: [{ key: 'meshgate.hop', value: { stringValue: place } }] },
          scopeLogs: [{ logRecords: texts.map((stringValue) => ({ body: { stringValue } })) }],
        },
      ],
    });

  test.each([
    [
      'the OpenTelemetry collector',
      otlp('mesh', 'one', 'two'),
      [
        { text: 'one', place: 'mesh' },
        { text: 'two', place: 'mesh' },
      ],
    ],
    ['an unknown place', otlp('moon', 'one'), [{ text: 'one' }]],
    ['rsyslog', '{"meshgate.hop":"app","line":"{\\"a\\":1}"}', [{ text: '{"a":1}', place: 'app' }]],
    ['Docker', '{"log":"one\\n","stream":"stdout","time":"2026-03-04T10:15:02Z"}', [{ text: 'one' }]],
    ['CRI', '2026-03-04T10:15:02.123456789Z stdout F {"a":1}', [{ text: '{"a":1}' }]],
    ['kubectl logs --prefix', '[pod/wiki-0/app] {"a":1}', [{ text: '{"a":1}' }]],
    ['docker compose logs', 'gateway-1  | {"a":1}', [{ text: '{"a":1}' }]],
    ['nothing', '{"a":1}', [{ text: '{"a":1}' }]],
    ['an object that only begins so', '{"resourceLogs":1', [{ text: '{"resourceLogs":1' }]],
  ])('%s', (_, text, lines) => {
    expect(linesIn(text)).toEqual(lines);
  });
});
