/** Facts of the request: the client's certificate, and its network. */
import { createHash, X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import {
  counting,
  createCa,
  gatewayCase,
  ready,
  replaceIn,
  send,
  sendHttp2,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  until,
  valuesOf,
  waitForWorkers,
} from '../harness/index.ts';

const KEYS = '/run/keys/assertion.jwks';
const stage = await testStage('facts');
const [wiki, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const [idp, people] = await Promise.all([issuers.create('idp', { alg: 'ES256' }), issuers.create('people')]);
const [partners, strangers] = await Promise.all([createCa('the partner'), createCa('another one')]);

const policyOf = (trusted: string) => `
version: 1
gateway:
  ${trusted}
  health: { listen: 8081 }
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key, client_ca_file: /run/clients/ca.pem }
  assertion: { issuer: https://gateway.test, keys_file: ${KEYS} }
  session: { keys_file: /run/secrets/session.jwks }
providers:
  idp: { issuer: ${idp.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
  people: { issuer: ${people.url}, client: { id: wiki, secret_file: /run/secrets/people }, ca_file: /run/provider/ca.pem }
roles:
  staff: { group: staff, provider: idp }
  probe: { network: [10.9.0.0/24, fd00:9::/64] }
  admin: { all: [{ group: admins, provider: idp }, { network: [10.8.0.0/16] }] }
  inner-admin: { all: [admin, { network: [10.8.7.0/24] }] }
  roaming: { all: [{ group: staff, provider: idp }, { none: [{ network: [10.8.0.0/16] }] }] }
  deployer: { certificate: spiffe://example.org/ci/deployer }
  ci: { certificate: "*.ci.test" }
  signed: { all: [staff, deployer] }
services:
  wiki: { insecure_url: http://wiki:8080 }
hosts:
  wiki.test:
    providers: [idp]
    /*: { service: wiki, allow: [staff] }
    /healthz: { service: wiki, allow: [probe] }
    /mixed: { service: wiki, allow: [staff, probe] }
    /admin/*: { service: wiki, allow: [{ role: inner-admin, methods: [POST] }, { role: admin, methods: [GET] }] }
    /roaming: { service: wiki, allow: [roaming] }
    /deploy/*: { service: wiki, accept: [certificate], allow: [deployer, { role: ci, methods: [GET] }] }
    /any: { service: wiki, accept: [bearer, certificate], allow: [authenticated] }
    /signed: { service: wiki, allow: [signed] }
  people.test: { providers: [people], /*: { service: wiki, accept: [session, certificate], allow: [authenticated] } }
  partner.test:
    providers: [idp]
    tls: { client_ca_file: /run/partners/ca.pem }
    /*: { service: wiki, accept: [certificate], allow: [authenticated] }
  "*.w.test": { providers: [idp], /*: { service: wiki, accept: [certificate], allow: [authenticated] } }
`;
const tls = await stage.ca.server(['wiki.test', 'people.test', 'partner.test', 'unknown.test', '*.w.test']);
const files = {
  '/run/partners/ca.pem': partners.cert,
  '/run/tls/tls.crt': tls.cert,
  '/run/tls/tls.key': tls.key,
};
/**
 * An operator's own nginx: its default server asks for certificates of another CA, the http level has that CA for OCSP
 * stapling, and believes any client that names its address in a header.
 */
const lax = (rendered: Readonly<Record<string, string>>) => {
  const changed = replaceIn(
    rendered,
    'servers.conf',
    'server_name _;',
    'server_name _; ssl_client_certificate /run/partners/ca.pem; ssl_verify_client optional;',
  );
  const around =
    'set_real_ip_from 0.0.0.0/0; real_ip_header X-Forwarded-For; ssl_trusted_certificate /run/partners/ca.pem;';
  return { ...changed, 'http.conf': `${around}\n${changed['http.conf']}` };
};
// The requests come from this machine, whose address is not known beforehand.
const proxied = 'trusted_proxies: [172.16.0.0/12, 192.168.0.0/16]\n  insecure_proxied_networks: true';
const [gateway, alone] = await Promise.all([
  startGateway(stage, { policy: policyOf(proxied), files }),
  startGateway(stage, { policy: policyOf('clock_skew: 30s'), files, alias: 'alone', mutate: lax }),
]);
const setup = { gateway, echoes: [wiki] };
const ann = await idp.sign({ aud: 'wiki', sub: 'ann', groups: ['staff', 'admins'] });
const ben = await idp.sign({ aud: 'wiki', sub: 'ben', groups: ['admins'] });
const ofMesh = async (path: string) => (await stage.meshCa.client(`spiffe://example.org/${path}`)).pem;
const deployer = await ofMesh('ci/deployer');
const other = await ofMesh('ci/other');
const runner = (await stage.meshCa.issue({ dns: ['runner-7.ci.test'], commonName: 'x' })).pem;
const named = (await stage.meshCa.issue({ commonName: 'Backup, nightly' })).pem;
const partner = (await partners.client('spiffe://example.org/ci/deployer')).pem;
const stranger = (await strangers.client('spiffe://example.org/ci/stranger')).pem;
const past = new Date(Date.now() - 60_000);
const bad: [string, string][] = [
  ['of another CA', partner],
  ['expired', (await stage.meshCa.client('spiffe://example.org/ci/deployer', { notAfter: past })).pem],
];
const from = (address: string, more: Record<string, string> = {}) => ({
  headers: { 'X-Forwarded-For': address, ...more },
});

for (const one of [gateway, alone]) {
  await ready(one, 'wiki.test', { token: ann });
}

describe('rejects a certificate that does not verify, whatever other credential is sent', () => {
  for (const [name, client] of bad) {
    gatewayCase(setup, {
      ...{ name, host: 'wiki.test', client, request: { token: ann }, status: 401, reason: 'proof_invalid' },
      log: { forbidden: [/BEGIN/] },
    });
  }
});

gatewayCase(setup, {
  name: 'a valid certificate beside a token changes nothing, and no service receives it',
  host: 'wiki.test',
  client: deployer,
  request: {
    token: ann,
    headers: { 'SSL-Client-Cert': 'x', 'X-Forwarded-Client-Cert': 'x', 'X-Meshgate-Networks': '111' },
  },
  status: 200,
  upstream: {
    headers: { 'X-Forwarded-User': 'ann' },
    absent: ['SSL-Client-Cert', 'X-Forwarded-Client-Cert', 'X-Meshgate-Networks'],
  },
  log: { forbidden: [/BEGIN/] },
});

describe('a certificate is the credential if the route accepts certificates', () => {
  const cases: [string, string | undefined, string, string, number, string | undefined, string][] = [
    ['a workload, with its role', deployer, 'POST', '/deploy/x', 200, undefined, 'spiffe://example.org/ci/deployer'],
    ['a machine by a pattern', runner, 'GET', '/deploy/x', 200, undefined, 'dns:runner-7.ci.test'],
    ['not by this method', runner, 'POST', '/deploy/x', 403, 'role_missing', ''],
    ['a workload without a role', other, 'GET', '/deploy/x', 403, 'role_missing', ''],
    ['an anonymous caller', undefined, 'GET', '/deploy/x', 401, 'credential_missing', ''],
    [
      'a subject alone, on a public route with a valid certificate',
      named,
      'GET',
      '/any',
      200,
      undefined,
      'x509:CN=Backup\\%2C nightly',
    ],
    ['is not accepted on a route that accepts only tokens', deployer, 'GET', '/x', 401, 'credential_missing', ''],
  ];
  for (const [name, client, method, path, status, reason, user] of cases) {
    gatewayCase(setup, {
      ...{ name, host: 'wiki.test', request: { method, path }, status },
      ...(client && { client }),
      ...(reason && { reason }),
      ...(user && { upstream: { headers: { 'X-Forwarded-User': user } } }),
      log: { fields: user ? { 'meshgate.provider': 'certificate' } : {}, forbidden: [/BEGIN/] },
    });
  }

  gatewayCase(setup, {
    name: 'an invalid token never falls back to it',
    host: 'wiki.test',
    client: deployer,
    request: { path: '/any', token: 'x' },
    status: 401,
    reason: 'token_malformed',
  });

  gatewayCase(setup, {
    name: 'and no token is accepted on a route for machines',
    host: 'wiki.test',
    client: deployer,
    request: { path: '/deploy/x', token: ann },
    status: 401,
    reason: 'credential_unsupported',
  });
});

describe('a certificate beside a token is a fact', () => {
  for (const [name, client, status] of [
    ['with it', deployer, 200],
    ['without', undefined, 403],
    ['with another', other, 403],
  ] as const) {
    gatewayCase(setup, {
      ...{ name, host: 'wiki.test', request: { path: '/signed', token: ann }, status },
      ...(client && { client }),
      ...(status === 403 ? { reason: 'role_missing' } : { upstream: { headers: { 'X-Forwarded-User': 'ann' } } }),
    });
  }
});

describe('networks are matched against the address that a trusted proxy reports', () => {
  const cases: [string, string, string, string | undefined, string, number, string | undefined][] = [
    ['a probe without a token', 'GET', '/healthz', undefined, '10.9.0.7', 200, undefined],
    ['over IPv6', 'GET', '/healthz', undefined, 'fd00:9::7', 200, undefined],
    ['elsewhere', 'GET', '/healthz', undefined, '10.9.1.7', 403, 'network_refused'],
    ['elsewhere with a token that gives nothing there', 'GET', '/healthz', ann, '10.9.1.7', 403, 'network_refused'],
    [
      'an anonymous caller on a route where a token could help',
      'GET',
      '/mixed',
      undefined,
      '10.9.1.7',
      401,
      'credential_missing',
    ],
    ['a token in its network', 'GET', '/admin/x', ann, '10.8.1.1', 200, undefined],
    ['the same token elsewhere', 'GET', '/admin/x', ann, '10.9.0.7', 403, 'network_refused'],
    ['the inner of two networks', 'POST', '/admin/x', ann, '10.8.7.1', 200, undefined],
    ['the outer of two networks', 'POST', '/admin/x', ann, '10.8.1.1', 403, 'network_refused'],
    ['outside of a network', 'GET', '/roaming', ann, '10.9.0.7', 200, undefined],
    ['inside of it', 'GET', '/roaming', ann, '10.8.1.1', 403, 'network_refused'],
    ['if another condition is missing', 'GET', '/roaming', ben, '10.8.1.1', 403, 'role_missing'],
    ['an invalid token never falls back to a network', 'GET', '/healthz', 'x', '10.9.0.7', 401, 'token_malformed'],
  ];
  for (const [name, method, path, token, address, status, reason] of cases) {
    gatewayCase(setup, {
      ...{ name, host: 'wiki.test', status },
      request: { method, path, ...(token && { token }), ...from(address) },
      ...(reason && { reason }),
      log: { fields: { 'client.address': address } },
    });
  }

  test('an anonymous probe has roles, and its assertion has a subject that no other caller has', async () => {
    await wiki.clear();
    const forged = { 'X-Forwarded-User': 'root', 'X-Forwarded-Email': 'root@example.org' };
    expect((await gateway.send('wiki.test', { path: '/healthz', ...from('10.9.0.7', forged) })).status).toBe(200);
    const [received] = await wiki.requests();
    expect(valuesOf(received!, 'X-Forwarded-User')).toEqual([]);
    expect(valuesOf(received!, 'X-Forwarded-Email')).toEqual([]);
    expect(valuesOf(received!, 'X-Forwarded-Roles')).toEqual(['probe']);
    const [assertion] = valuesOf(received!, 'X-Meshgate-Assertion');
    expect(decodeJwt(assertion!)).toMatchObject({ sub: 'meshgate:nobody', provider: 'nobody', roles: ['probe'] });
  });

  gatewayCase(setup, {
    name: 'an address that the client put before the proxy’s own is not believed',
    host: 'wiki.test',
    request: { path: '/healthz', ...from('10.9.0.7, 203.0.113.5') },
    status: 403,
    reason: 'network_refused',
    log: { fields: { 'client.address': '203.0.113.5' } },
  });
});

describe('a gateway that trusts no proxy', () => {
  const forged = ['X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'X-Meshgate-Networks', 'X-Client-IP', 'True-Client-IP'];
  for (const name of forged) {
    gatewayCase(
      { gateway: alone, echoes: [wiki] },
      {
        name: `${name} gives no role`,
        host: 'wiki.test',
        request: { path: '/healthz', headers: { [name]: name === 'Forwarded' ? 'for=10.9.0.7' : '10.9.0.7' } },
        status: 403,
        reason: 'network_refused',
      },
    );
  }

  test('a certificate is bound to the server name of its connection and to the CA of that host', async () => {
    const target = { ...alone.target('wiki.test', partner), name: 'unknown.test' };
    const answers = await Promise.all(
      ['wiki.test', 'partner.test'].map((host) => send(target, { path: '/deploy/x', headers: { Host: host } })),
    );
    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
    expect(answers.map((answer) => answer.json().reason)).toEqual(['credential_missing', 'credential_missing']);
  });
});

describe('a gateway in an nginx whose http level trusts another CA, and whose default server verifies by it', () => {
  /** Status of an answer for a host, over a connection that was made for some name. */
  const over = async (name: string, client: string, host: string) => {
    const target = { ...alone.target('wiki.test', client), name, anyName: true as const };
    return (await send(target, { path: '/x', headers: { Host: host } })).status;
  };

  test('rejects a certificate of that CA', async () => {
    expect((await send(alone.target('wiki.test', partner), { path: '/x', token: ann })).json().reason).toBe(
      'proof_invalid',
    );
    expect(await over('a.w.test', partner, 'a.w.test')).toBe(401);
  });

  test.each([
    ['a.w.test', 'a.w.test'],
    ['A.W.Test', 'a.w.test'],
    ['a.w.test.', 'a.w.test'],
    ['a.b-c.w.test', 'a.b-c.w.test'],
    ['7.w.test', '7.w.test'],
  ])('a certificate of the host’s CA is valid for the name %s below a wildcard', async (name, host) =>
    expect(await over(name, other, host)).toBe(200),
  );

  test.each(['x/y.w.test', 'x..w.test', 'x y.w.test', 'a.w.test\n', 'a.w.test..', 'a.w.test:443', 'w.test'])(
    'rejects a certificate on a connection whose name nginx treats as missing: %j',
    async (name) => expect(await over(name, partner, 'a.w.test')).toBe(401),
  );
});

describe('several hosts on one connection', () => {
  test('a certificate of one host’s CA is not valid for another host', async () => {
    const [own, others] = await sendHttp2(gateway.target('wiki.test', deployer), [
      { method: 'POST', path: '/deploy/x' },
      { path: '/x', headers: { Host: 'partner.test' } },
    ]);
    expect(own!.status).toBe(200);
    expect(others!.status).toBe(421);
    expect((await send(gateway.target('partner.test', partner), { path: '/x' })).status).toBe(200);
    expect((await send(gateway.target('partner.test', deployer), { path: '/x' })).status).toBe(401);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('TLS sessions are not resumed over %s', async (version) => {
    const { host, port, ca } = gateway.target('wiki.test');
    const tickets: Buffer[] = [];
    const open = (session?: Buffer) =>
      new Promise<boolean>((resolve, reject) => {
        const socket = connect({
          ...{ host, port, servername: 'wiki.test', cert: deployer, key: deployer },
          ...{ minVersion: version, maxVersion: version },
          ...(ca && { ca }),
          ...(session && { session }),
        });
        socket.on('session', (ticket) => tickets.push(ticket));
        socket.on('error', reject);
        socket.on('data', () => {
          resolve(socket.isSessionReused());
          socket.destroy();
        });
        socket.write('GET / HTTP/1.1\r\nHost: wiki.test\r\n\r\n');
      });
    expect(await open()).toBe(false);
    // With TLS 1.2 there is nothing that a client could send. With TLS 1.3 there are tickets, and nginx accepts none.
    expect(tickets.length > 0).toBe(version === 'TLSv1.3');
    for (const ticket of [...tickets]) expect(await open(ticket)).toBe(false);
  });
});

describe('whoami', () => {
  const ask = (client?: string, sent: object = {}) =>
    send(gateway.target('people.test', client), { path: '/.meshgate/whoami', ...sent });

  test('describes the holder of a certificate and its expiry', async () => {
    const answer = await ask(deployer);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json()).toMatchObject({
      ...{ subject: 'spiffe://example.org/ci/deployer', provider: 'certificate', credential: 'certificate' },
      roles: ['deployer'],
    });
    expect(answer.text).not.toContain('BEGIN');
    expect((await ask(runner)).json()).toMatchObject({ subject: 'dns:runner-7.ci.test', roles: ['ci'] });
  });

  test('rejects a certificate beside a token, and a certificate that does not verify', async () => {
    expect((await ask(deployer, { token: ann })).json()).toMatchObject({ reason: 'credential_unsupported' });
    expect((await ask(partner)).json()).toMatchObject({ status: 401, reason: 'proof_invalid' });
    expect(
      (await ask(undefined, { headers: { 'SSL-Client-Cert': encodeURIComponent(deployer) } })).json(),
    ).toMatchObject({
      status: 401,
      reason: 'credential_missing',
    });
  });
});

describe('a revoked certificate', () => {
  const revoke = async (...flags: string[]) => {
    const { exitCode, stderr } = await gateway.box.exec('meshgate', 'revoke', ...flags);
    expect(exitCode, stderr).toBe(0);
  };
  const deploys = async (client: string) => {
    const answer = await send(gateway.target('wiki.test', client), { method: 'POST', path: '/deploy/x' });
    return answer.status === 200 ? 'passes' : answer.json().reason;
  };
  const issued = (notBefore: Date) => stage.meshCa.client('spiffe://example.org/ci/deployer', { notBefore });
  const thumbprint = (cert: string) => createHash('sha256').update(new X509Certificate(cert).raw).digest('base64url');

  test('is refused by its thumbprint, and the holder’s other certificate is not', async () => {
    const lost = await issued(past);
    const [revoked, verified, kinds] = [
      await counting(gateway, 'meshgate_revocations_total'),
      await counting(gateway, 'meshgate_credentials_verified_total'),
      await counting(gateway, 'meshgate_credentials_total'),
    ];
    expect(await deploys(lost.pem)).toBe('passes');
    expect([await verified(), await kinds()]).toEqual([{ certificate: 1 }, { certificate: 1 }]);
    await revoke('--kid', thumbprint(lost.cert));
    expect([await deploys(lost.pem), await deploys(deployer)]).toEqual(['revoked', 'passes']);
    expect(await revoked()).toEqual({ kid: 1 });
  });

  test('is refused by its holder, unless it was issued later', async () => {
    const others = await deploys(runner);
    await revoke('--subject', 'certificate/spiffe://example.org/ci/deployer');
    expect([await deploys(deployer), await deploys(runner)]).toEqual(['revoked', others]);
    const whoami = await send(gateway.target('people.test', deployer), { path: '/.meshgate/whoami' });
    expect(whoami.json()).toMatchObject({ status: 401, reason: 'revoked' });
    const later = await issued(new Date(Date.now() + 1000));
    await until(async () => (await deploys(later.pem)) === 'passes', {
      what: 'a certificate to pass that was issued after the revocation',
    });
  });
});

test('clients of a CA that is added to the bundle are accepted without a restart', async () => {
  expect((await send(gateway.target('wiki.test', stranger), { path: '/any' })).json().reason).toBe('proof_invalid');
  const mark = await waitForWorkers(gateway);
  await gateway.box.write({ '/run/clients/ca.pem': stage.meshCa.cert + strangers.cert });
  await until(async () => (await send(gateway.target('wiki.test', stranger), { path: '/any' })).status === 200, {
    what: 'the other CA to be trusted',
    help: () => gateway.box.logs.tail(),
  });
  await waitForWorkers(gateway);
  const reported = gateway.box.logs.since(mark).filter((line) => /meshgate: CA of clients/.test(line));
  expect(reported).toEqual([
    expect.stringMatching(/\[warn\].*ca_changed: the file has other certificates now, so nginx reloads/),
  ]);
});
