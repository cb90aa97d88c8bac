import { describe, expect, test } from 'vitest';
import type { Incoming, Outgoing } from '../../../src/cli/machine/http.ts';
import { meshgate, POLICY, token } from './fake.ts';

const NOW = 1_800_000_000;
const WIKI = 'https://wiki.example.com';

const text = `${POLICY}tests:
  - { as: nobody, GET: ${WIKI}/status, expect: allowed }
  - { as: { roles: [reader] }, POST: ${WIKI}/x, expect: role_missing }
  - { as: { provider: okta, claims: { dept: wiki, groups: [] } }, POST: "${WIKI}/x?y=1", expect: allowed }
  - { as: { roles: [] }, HEAD: ${WIKI}/x, expect: role_missing }
`;

const claims = { iss: 'https://login.example.com', aud: 'api://wiki', sub: 'ann', exp: NOW + 60, iat: NOW };

const files = {
  './meshgate.yaml': text,
  'ca.pem': 'THE CA',
  'reader.txt': `Bearer ${token({ ...claims, groups: ['readers'] })}\n`,
  'editor.txt': token({ ...claims, groups: ['editors'] }),
  'guest.txt': token({ ...claims, groups: ['guests'] }),
  './pki/run/mesh/ca.pem': 'MESH CA',
  './pki/run/mesh/default.pem': 'DEFAULT',
  './pki/run/mesh/editor.pem': 'EDITOR',
};

/** A network that answers by a function, and the requests that it received. */
async function run(args: readonly string[], answer?: (request: Outgoing) => Incoming) {
  const requested: Outgoing[] = [];
  const ask = async (request: Outgoing) => {
    requested.push(request);
    return (answer as (request: Outgoing) => Incoming)(request);
  };
  const ran = await meshgate(['test', ...args], { files, now: NOW, ...(answer && { ask }) });
  return { ...ran, asked: requested };
}

const passed: Incoming = { status: 200, headers: {}, body: 'hello' };

function refusal(reason: string, status: number): Incoming {
  return {
    status,
    headers: { 'content-type': 'application/problem+json' },
    body: JSON.stringify({ reason, status, request_id: 'x' }),
  };
}

describe('offline', () => {
  test('all pass', async () => {
    expect(await run([])).toMatchObject({
      code: 0,
      out: 'meshgate.yaml: as the policy decides: 4 tests pass\n',
      err: '',
    });
  });

  test('a failed test names the rule', async () => {
    const strict = text.replace('expect: role_missing', 'expect: allowed');
    const { code, out } = await meshgate(['test', 'x'], { files: { x: strict }, now: NOW });
    expect(code).toBe(1);
    expect(out).toBe(
      'x:41:5 tests[1]: POST https://wiki.example.com/x as reader: expected allowed, got role_missing; nearest rule wiki.example.com/*#1 at x:34:11: role reader, GET HEAD, as default\n' +
        'x: not as the policy decides: 1 of 4 tests fails\n',
    );
  });
});

describe('at the gateway', () => {
  const gateway = ['--gateway', 'https://localhost:8443', '--ca-file', 'ca.pem'];
  const tokens = ['reader=reader.txt', 'tests[2]=editor.txt', 'authenticated=guest.txt'].flatMap((it) => [
    '--token',
    it,
  ]);

  const right = ({ method, target }: Outgoing): Incoming => {
    if (target === '/x' && method === 'POST') return refusal('role_missing', 403);
    return method === 'HEAD' ? { ...refusal('role_missing', 403), body: '' } : passed;
  };

  test('no difference: each request has its host, method, raw target and token', async () => {
    const { code, out, asked: requested } = await run([...gateway, ...tokens], right);
    expect(out).toBe(
      'meshgate.yaml: as the policy decides: 4 tests pass\ngateway https://localhost:8443: agrees on 4 requests\n',
    );
    expect(code).toBe(0);
    expect(requested[2]).toEqual({
      ...{ address: 'localhost', port: 8443, tls: true, name: 'wiki.example.com', authority: 'wiki.example.com' },
      ...{
        method: 'POST',
        target: '/x?y=1',
        headers: { Authorization: `Bearer ${files['editor.txt']}` },
        ca: 'THE CA',
      },
    });
    expect(requested[0]?.headers).toEqual({});
    expect(requested[1]?.headers).toEqual({ Authorization: files['reader.txt'].trim() });
  });

  test('a difference: the rule is named, and no token is printed', async () => {
    const open = (request: Outgoing) => (request.method === 'HEAD' ? right(request) : passed);
    const { code, out } = await run([...gateway, ...tokens], open);
    expect(code).toBe(1);
    expect(
      out,
    ).toBe(`meshgate.yaml:41:5 tests[1]: POST ${WIKI}/x as reader: the policy says role_missing, the gateway allowed (200); they differ at rule wiki.example.com/*#1 at meshgate.yaml:34:11: role reader, GET HEAD, as default
meshgate.yaml: as the policy decides: 4 tests pass
gateway https://localhost:8443: disagrees on 1 of 4 requests
`);
  });

  test('a refusal of another kind, of the mesh behind it, and a missing answer are differences', async () => {
    const verdicts = async (answer: Incoming) =>
      (await run([...gateway, ...tokens], () => answer)).out.split('\n').filter((line) => line.includes('tests[0]'));
    expect((await verdicts(refusal('provider_unavailable', 503)))[0]).toContain(
      'the gateway provider_unavailable (503)',
    );
    expect((await verdicts({ status: 403, headers: {}, body: 'RBAC: access denied' }))[0]).toContain(
      'the policy says allowed, the gateway refused by the mesh (403)',
    );
    expect((await verdicts({ error: 'ECONNREFUSED' }))[0]).toMatch(/as an anonymous caller: no answer: ECONNREFUSED$/);
    // A service's own refusal is not a refusal of the gateway.
    expect(await verdicts({ status: 403, headers: { 'content-type': 'text/html' }, body: '' })).toEqual([]);
  });

  test('tests without a token are not sent, and reported', async () => {
    const { code, out } = await run(gateway, right);
    expect(code).toBe(0);
    expect(out).toContain(
      `tests[2]: POST ${WIKI}/x?y=1 as a caller of okta: not asked at the gateway: no token: add --token tests[2]=FILE\n`,
    );
    expect(out).toContain('not asked at the gateway: no token: add --token reader=FILE\n');
    expect(out).toContain('gateway https://localhost:8443: agrees on 1 request; 3 tests not asked\n');
  });

  test('as JSON', async () => {
    const { out } = await run([...gateway, ...tokens, '--format', 'json'], right);
    const report = JSON.parse(out);
    expect(report).toMatchObject({ passed: true, gateway: { address: 'https://localhost:8443' } });
    expect(report.gateway.requests[1]).toEqual({
      ...{ test: 1, at: { file: 'meshgate.yaml', line: 41, column: 5 }, method: 'POST', url: `${WIKI}/x` },
      ...{ as: 'reader', asked: true, expect: 'role_missing', got: 'role_missing', status: 403, agrees: true },
      ...{ rule: 'wiki.example.com/*#1', ruleAt: { file: 'meshgate.yaml', line: 34, column: 11 } },
    });
    expect(out).not.toContain(files['editor.txt']);
  });
});

describe('at the mesh', () => {
  const mesh = ['--mesh', 'localhost:10443', '--root', './pki'];
  const denied: Incoming = { status: 403, headers: {}, body: 'RBAC: access denied' };

  /** Envoy with the policy's rules: /status for the default identity, the other paths by method. */
  const right = ({ method, target, client }: Outgoing): Incoming => {
    if (target === '/status') return client?.cert === 'DEFAULT' ? passed : denied;
    if (client?.cert === 'EDITOR') return passed;
    if (method === 'HEAD') return passed;
    return denied;
  };

  test('sends each test as each identity, by authority and certificate', async () => {
    const { code, out, asked: requested } = await run(mesh, right);
    expect(out).toContain('mesh localhost:10443: agrees on 8 requests\n');
    expect(code).toBe(0);
    expect(requested[1]).toEqual({
      ...{ address: 'localhost', port: 10443, tls: true, name: 'ingress.mesh', authority: 'wiki.mesh' },
      ...{ method: 'GET', target: '/status', headers: {}, ca: 'MESH CA', client: { cert: 'EDITOR', key: 'EDITOR' } },
    });
  });

  test('a difference: identity and rule are named', async () => {
    const { code, out } = await run(mesh, (request) => (request.target === '/x' ? passed : right(request)));
    expect(code).toBe(1);
    expect(out.split('\n')[0]).toBe(
      `meshgate.yaml:41:5 tests[1]: POST ${WIKI}/x as reader, at the mesh as default: the policy says refused, the mesh allowed (200); they differ at rule wiki.example.com/*#1 at meshgate.yaml:34:11: role reader, GET HEAD, as default`,
    );
  });

  test('a handshake that the mesh refuses is a refusal, and a missing connection is not', async () => {
    const alert = await run(mesh, (request) => {
      const answer = right(request);
      return answer === denied ? { error: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' } : answer;
    });
    expect(alert.code).toBe(0);
    const gone = await run(mesh, (request) => (right(request) === denied ? { error: 'ECONNRESET' } : passed));
    expect(gone.code).toBe(1);
    expect(gone.out).toContain('at the mesh as wiki-editor: no answer: ECONNRESET\n');
  });
});

describe('wrong use', () => {
  test.each([
    [['--gateway', 'https://x'], '--gateway and --mesh need Node: run "npx meshgate test …"; njs has no network here'],
    [['--mesh', 'x:1'], '--gateway and --mesh need Node'],
    [['--token', 'reader=x'], '--token has no effect without --gateway'],
    [['--ca-file', 'x'], '--ca-file has no effect without --gateway'],
    [['--root', 'x'], '--root has no effect without --mesh'],
    [['--gateway', 'https://x', '--token', 'reader'], 'write ROLE,ROLE=FILE, authenticated=FILE or tests[N]=FILE'],
  ])('%j', async (args, message) => {
    const { code, err } = await run(args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  test.each([
    [['--gateway', 'localhost'], '--gateway localhost: write https://HOST:PORT'],
    [['--gateway', 'https://localhost/x'], '--gateway https://localhost/x: write https://HOST:PORT'],
    [['--mesh', 'localhost'], '--mesh localhost: write HOST:PORT'],
    [
      ['--gateway', 'https://localhost', '--token', 'reader=editor.txt'],
      '--token reader=editor.txt: by the policy the roles of this token are editor',
    ],
    [['--gateway', 'https://localhost', '--token', 'reader=ca.pem'], 'the policy refuses this token: token_malformed'],
    [['--mesh', 'localhost:1'], 'cannot read the CA of the mesh /run/mesh/ca.pem: there is no such file'],
  ])('with a network: %j', async (args, message) => {
    const { code, err } = await run(args, () => passed);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  test('a policy without tests', async () => {
    const { code, err } = await meshgate(['test'], { files: { './meshgate.yaml': POLICY } });
    expect({ code, err }).toEqual({ code: 2, err: 'meshgate: meshgate.yaml has no tests\n' });
  });
});
