/** The second hop: a service calls another one for the person whose request it serves, with its own certificate. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { hidden, ISSUER, query, spiffe, startHopLab } from '../harness/hop.ts';
import { counting, gatewayCase, sendHttp2, valuesOf } from '../harness/index.ts';

const lab = await startHopLab('second hop');
const { stage, gateway, setup, wiki, board, vault, ann, given, quiet, toBoard, ofWiki, ofBoard, received, hop } = lab;

describe('a service asks for the person whose request it serves', () => {
  gatewayCase(setup, {
    name: 'the person is the caller, with the roles that travel, and the service the actor',
    host: 'board.test',
    inner: ofWiki,
    request: query(given, { path: '/chart?week=7' }),
    status: 200,
    upstream: {
      service: 'board',
      url: '/chart?week=7',
      headers: {
        Host: 'board.mesh',
        'X-Forwarded-User': 'acme-ann',
        'X-Forwarded-Roles': 'staff',
        'X-Forwarded-Email': 'ann@example.org',
        'X-Forwarded-Actor': spiffe('wiki'),
        'X-Meshgate-Rule': 'board.test/*#3',
        'X-Meshgate-Assertion': /^[\w-]+\.[\w-]+\.[\w-]+$/,
      },
      absent: ['Authorization', 'SSL-Client-Cert', 'X-Meshgate-Agent'],
    },
    log: {
      fields: {
        'user.id': 'acme-ann',
        'user.roles': 'staff',
        'meshgate.agent': 'wiki-pages',
        'meshgate.provider': 'acme',
        'meshgate.rule': 'board.test/*#3',
        'meshgate.service': 'board',
        'meshgate.identity': 'default',
        'http.route': 'board.test/*',
      },
      ...hidden(ofWiki, given),
    },
  });

  test('the other service receives an assertion for itself, which names the actor', () => {
    expect(decodeJwt(toBoard)).toMatchObject({
      iss: ISSUER,
      aud: 'board',
      sub: 'acme-ann',
      provider: 'acme',
      roles: ['staff'],
      as: 'default',
      agent: 'wiki-pages',
      act: { sub: spiffe('wiki') },
    });
    expect(Object.keys(decodeJwt(given))).not.toContain('act');
  });

  test('the client address is forwarded only to services that are listed for it', () => {
    expect(decodeJwt(given).email).toBe('ann@example.org');
    expect(Object.keys(decodeJwt(quiet))).not.toContain('email');
  });

  gatewayCase(setup, {
    name: 'a service cannot pass on an address that it did not receive',
    host: 'board.test',
    inner: ofWiki,
    request: query(quiet),
    status: 200,
    upstream: { service: 'board', headers: { 'X-Forwarded-User': 'acme-ann' }, absent: ['X-Forwarded-Email'] },
    log: hidden(ofWiki, quiet),
  });

  test('works over HTTP/2, several times on one connection', async () => {
    await board.clear();
    const sents = ['/a', '/b', '/c'].map((path) => query(given, { path }));
    const answers = await sendHttp2(gateway.inner('board.test', ofWiki), sents);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await board.requests()).map(({ url }) => url)).toEqual(['/a', '/b', '/c']);
  });

  gatewayCase(setup, {
    name: 'and that service calls another one, over as many hops as it may',
    host: 'vault.test',
    inner: ofBoard,
    request: query(toBoard),
    status: 200,
    upstream: {
      service: 'vault',
      headers: { 'X-Forwarded-User': 'acme-ann', 'X-Forwarded-Roles': 'staff', 'X-Forwarded-Actor': spiffe('board') },
    },
    log: { fields: { 'meshgate.agent': 'board-jobs', 'user.id': 'acme-ann' }, ...hidden(ofBoard, toBoard) },
  });

  test('the third service receives the chain of actors', async () => {
    const last = await received(vault, () => hop('vault.test', ofBoard, toBoard));
    expect(decodeJwt(last)).toMatchObject({
      agent: 'board-jobs',
      act: { sub: spiffe('board'), act: { sub: spiffe('wiki') } },
    });
  });

  test('the service on behalf of the person and the person have separate budgets', async () => {
    const statuses = async (ask: () => Promise<{ readonly status: number }>) => {
      const all: number[] = [];
      for (let i = 0; i < 4; i++) all.push((await ask()).status);
      return all;
    };
    const used = [200, 200, 200, 429];
    expect(await statuses(() => hop('board.test', ofWiki, given, { path: '/few/x' }))).toEqual(used);
    expect(await statuses(() => gateway.send('board.test', { path: '/few/x', token: ann }))).toEqual(used);
    const answer = await hop('board.test', ofWiki, given, { path: '/few/x' });
    expect([answer.json().reason, Number(answer.header('Retry-After')) > 600]).toEqual(['limit_exceeded', true]);
  });

  test('the request goes no further than the rules allow', async () => {
    const verified = await counting(gateway, 'meshgate_credentials_verified_total');
    const own = await received(board, () => gateway.send('board.test', { token: ann }));
    const toWiki = await received(wiki, () => hop('wiki.test', ofBoard, own));
    const answer = await hop('board.test', ofWiki, toWiki);
    expect([answer.status, answer.json()]).toMatchObject([
      403,
      { reason: 'actor_not_allowed', detail: 'this would be hop 2 for one person, but wiki-pages may do 1 hop' },
    ]);
    expect(await verified()).toEqual({ assertion: 2 });
  });
});

describe('the examples of docs/second-hop.md', () => {
  const guide = readFileSync('docs/second-hop.md', 'utf8');
  const block = (language: string) => new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(guide)?.[1] ?? '';
  const seen = async () => (await board.requests()).map((it) => [it.url, ...valuesOf(it, 'X-Forwarded-User')]);
  beforeEach(() => board.clear());

  test('curl', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'meshgate-hop-'));
    writeFileSync(join(folder, 'svid.pem'), ofWiki);
    writeFileSync(join(folder, 'ca.pem'), stage.ca.cert);
    const { host, port } = gateway.inner('board.test');
    const line = block('sh')
      .replace('/run/spiffe', folder)
      .replace('/run/gateway', folder)
      .replace('dashboard.example.com', 'board.test')
      .replace('curl', `curl -s --connect-to board.test:8444:${host}:${port}`);
    const env = { ...process.env, ASSERTION: given };
    const { stdout } = await promisify(execFile)('bash', ['-c', line], { env });
    rmSync(folder, { recursive: true });
    expect(JSON.parse(stdout)).toMatchObject({ service: 'board', url: '/chart' });
    expect(await seen()).toEqual([['/chart', 'acme-ann']]);
  });

  test('Node, in the wiki’s own container', async () => {
    await wiki.box.write({ '/run/spiffe/svid.pem': ofWiki, '/run/gateway/ca.pem': stage.ca.cert });
    const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`;
    const incoming = JSON.stringify({ headers: { 'x-meshgate-assertion': given, traceparent } });
    const ask = `console.log(JSON.stringify(await askDashboard(${incoming}, '/chart')));`;
    const code = `${block('js').replace('dashboard.example.com', 'board.test')}\n${ask}`;
    const { stdout, stderr } = await wiki.box.exec('node', '--input-type=module', '-e', code);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ status: 200, text: expect.stringContaining('"service":"board"') });
    expect(await seen()).toEqual([['/chart', 'acme-ann']]);
    expect(valuesOf((await board.requests())[0]!, 'traceparent')).toEqual([traceparent]);
  });
});
