/** Agents that one of two policies does not know: there their tokens belong to their people, as `explain --token`
 * says. */
import { describe, expect, test } from 'vitest';
import { meshgate, token } from './fake.ts';

const policy = (agent: string, allow = 'reader') => `version: 1
gateway: { insecure_http: true }
providers:
  okta: { kind: okta, issuer: https://login.okta.com/oauth2/default, audiences: [wiki] }
roles: { reader: { group: readers }, editor: { group: editors } }
${agent}services:
  wiki: { insecure_url: http://wiki.internal }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [reader, editor] }
    /status/*: { service: wiki, allow: [${allow}] }
`;

const BOT = 'agents: { bot: { match: { client_id: bot-client }, acts_for: [reader], bound: none } }\n';
const known = policy(BOT, 'reader, { agent: bot }');
const unknown = policy('');

const run = (command: string, a: string, b: string, ...args: readonly string[]) =>
  meshgate([command, ...args, 'a.yaml', 'b.yaml'], { files: { 'a.yaml': a, 'b.yaml': b } });

async function allowed(text: string, path: string, groups: readonly string[]): Promise<boolean> {
  const claims = { iss: 'https://login.okta.com/oauth2/default', sub: 'ann', uid: 'u', cid: 'bot-client', aud: 'wiki' };
  const t = token({ ...claims, iat: 1_799_999_990, exp: 1_800_003_600, groups });
  const requested = ['explain', '--token', 't', 'GET', `http://wiki.example.com${path}`];
  return (await meshgate(requested, { files: { './meshgate.yaml': text, t } })).code === 0;
}

describe('an agent that is no longer defined', () => {
  test('gains what its people may do, because its tokens are theirs', async () => {
    for (const role of ['readers', 'editors']) {
      expect([await allowed(known, '/x', [role]), await allowed(unknown, '/x', [role])]).toEqual([false, true]);
    }
    const { code, out } = await run('diff', known, unknown);
    expect(code).toBe(1);
    const lines = out.trimEnd().split('\n');
    const gains = ['reader', 'editor'].map(
      (role, i) =>
        `+ agent bot, for ${role}, may now use any method on http://wiki.example.com/* (by wiki.example.com/*#${i + 1}); the agent does not exist now: it passes as a person`,
    );
    for (const gain of gains) expect(lines.map((line) => line.replace('https:', 'http:'))).toContain(gain);
    expect(lines).toContain('* agent bot is gone: it was client_id bot-client, acts for reader, hops 1, bound none');
    const { changes } = JSON.parse((await run('diff', known, unknown, '--format', 'json')).out);
    expect(changes).toContainEqual(
      expect.objectContaining({ kind: 'gained', who: 'roles', agent: 'bot', roles: ['reader'] }),
    );
    expect((await run('prove', known, unknown)).code).toBe(1);
  });

  test('loses it if it becomes an agent', async () => {
    expect((await run('diff', unknown, known)).out).toContain(
      '- agent bot, for reader, may no longer use any method on https://wiki.example.com/* (was by wiki.example.com/*#1); the agent did not exist: it passed as a person\n',
    );
    expect((await run('prove', unknown, known)).code).toBe(1);
  });

  test('stays the same if only its name changes', async () => {
    const renamed = known.replaceAll('bot:', 'robot:').replaceAll('agent: bot', 'agent: robot');
    expect((await run('diff', known, renamed)).out).not.toContain('as a person');
  });
});

test('a service without its agent is refused, and does not count as a person', async () => {
  const mesh = (agents: string, allow: string) =>
    policy(agents, allow)
      .replace(
        'insecure_http: true',
        'insecure_http: true, assertion: { issuer: https://wiki.example.com, keys_file: /run/k.json }, inner: { client_ca_file: /run/ca.pem, tls: { cert_file: /c, key_file: /k } }',
      )
      .replace(
        'insecure_url: http://wiki.internal',
        'insecure_url: http://wiki.internal, spiffe: spiffe://example.org/wiki',
      );
  const { err, out } = await run(
    'diff',
    mesh('agents: { pages: { match: { service: wiki }, acts_for: [reader] } }\n', 'reader, { agent: pages }'),
    policy(''),
  );
  expect(err).toBe('');
  expect(out).toContain('- agent pages, for reader, may no longer');
  expect(out).not.toContain('as a person');
});
