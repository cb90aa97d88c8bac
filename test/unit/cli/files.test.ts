/** What `render --check-files` and `validate --online` say about the files that a policy names. */
import { describe, expect, test } from 'vitest';
import type { Ask } from '../../../src/cli/machine/http.ts';
import { newRing } from '../../../src/session/keys/rotate-ring.ts';
import { createCa } from '../../harness/pki.ts';
import { meshgate } from './fake.ts';

const policy = `version: 1
gateway:
  insecure_http: true
  session: { keys_file: /run/secrets/session.jwks }
providers:
  okta: { issuer: https://login.example.com, audiences: [wiki], client: { id: wiki, secret_file: /run/secrets/okta } }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  wiki.example.com:
    /*: { service: wiki, accept: [session, bearer], allow: [authenticated] }
`;

const right = { '/run/secrets/session.jwks': newRing(1_800_000_000), '/run/secrets/okta': 'a secret' };
const bundles = Object.fromEntries(
  ['meshgate', 'hop', 'signin', 'client', 'health', 'cookies', 'counts'].map((name) => [
    `/opt/meshgate/${name}.js`,
    '',
  ]),
);
const ask: Ask = async () => ({ error: 'ECONNREFUSED' });

describe('render --check-files', () => {
  const render = (files: Readonly<Record<string, string>>, target = 'nginx') =>
    meshgate(['render', '--target', target, '--check-files', '--out', '/out'], {
      files: { './meshgate.yaml': policy, ...bundles, ...files },
    });

  test('says nothing about files that work', async () => {
    const { code, err } = await render(right);
    expect([code, err.match(/^meshgate: .*$/gm)]).toEqual([0, null]);
  });

  test('prints one line for each file that the gateway cannot use, and renders', async () => {
    const { code, err, written } = await render({ ...right, '/run/secrets/okta': '\n' });
    expect([code, err.match(/^meshgate: .*$/gm)]).toEqual([
      0,
      [
        'meshgate: client secret of provider okta (/run/secrets/okta): secret_empty: The file contains no secret. Write the client secret into it.',
      ],
    ]);
    expect(Object.keys(written)).toContain('/out/http.conf');
  });

  test('names the mesh of a CA and of an identity, if there are several', async () => {
    const mesh = (name: string) =>
      `${name}: { kind: envoy, trust_domain: ${name}.example, ingress: { address: "${name}.mesh:8443", ca_file: /run/${name}/ca.pem, own: { cert_file: /c, key_file: /k, client_ca_file: /ca, listen: 8443 } }, identities: { default: { spiffe: spiffe://${name}.example/gateway, pem_file: /run/${name}/svid.pem } } }`;
    const text = `version: 1
gateway: { insecure_http: true }
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
meshes: { ${mesh('east')}, ${mesh('west')} }
services: { wiki: { mesh: east, authority: wiki.mesh }, search: { mesh: west, authority: search.mesh } }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [authenticated] }
    /search/*: { service: search, allow: [authenticated] }
`;
    const { err } = await render({ './meshgate.yaml': text });
    expect(err.match(/(?<=^meshgate: ).*?(?=: file_missing)/gm)?.sort()).toEqual([
      'CA of ingress east/default (/run/east/ca.pem)',
      'CA of ingress west/default (/run/west/ca.pem)',
      'SVID of identity east/default (/run/east/svid.pem)',
      'SVID of identity west/default (/run/west/svid.pem)',
    ]);
  });

  test('names the CA of a witness of the log', async () => {
    const key = 'witness.example.com/w+0040556d+BG6v45DyocJMgw1GfYrb84SURBg4I1lFDX6vFovqgwA/';
    const audit = `audit: { witnesses: [{ url: "https://w.example.com", key: ${key}, ca_file: /run/w.pem }] }`;
    const text = policy.replace('  session:', `  ${audit}\n  session:`);
    const { err } = await render({ ...right, './meshgate.yaml': text });
    expect(err.match(/^meshgate: .*?(?=: The)/gm)).toEqual([
      'meshgate: CA of witness witness.example.com/w (/run/w.pem): file_missing',
    ]);
  });

  test('is an error for a mesh, which reads no such file', async () => {
    const { code, err } = await render(right, 'envoy');
    expect([code, err]).toEqual([2, expect.stringContaining('--check-files has no effect for envoy: leave it out')]);
  });
});

describe('validate --online', () => {
  const validate = async (files: Readonly<Record<string, string>>) => {
    const { out } = await meshgate(['validate', '--online'], { files: { './meshgate.yaml': policy, ...files }, ask });
    return out.split('\n').filter((line) => line.slice(4).startsWith('files: '));
  };

  test('reads the files on the machine that has them', async () => {
    expect(await validate(right)).toEqual(['yes files: 2 checked']);
    expect(await validate({ '/run/secrets/okta': 'a secret' })).toEqual([
      expect.stringMatching(/^no {2}files: session keys \(\/run\/secrets\/session.jwks\): file_missing: /),
    ]);
  });

  test('does not call files missing on a machine that has none of them', async () => {
    expect(await validate({})).toEqual([expect.stringContaining('this machine has none of the files')]);
  });
});

describe('an SVID with an RSA key', async () => {
  const id = 'spiffe://cluster.local/ns/edge/sa/gateway';
  const ca = await createCa();
  const { pem } = await ca.client(id, { keyType: 'rsa', notAfter: new Date('2099-01-01') });
  const linkerd = `version: 1
gateway: { insecure_http: true }
mesh:
  kind: linkerd
  trust_domain: cluster.local
  ingress: { INGRESS, ca_file: /run/mesh/ca.pem }
  identities: { default: { spiffe: "${id}", pem_file: /run/mesh/gateway.pem } }
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
services:
  wiki: { authority: wiki.wiki.svc.cluster.local, namespace: wiki, ACCOUNT labels: { app: wiki }, port: 8080 }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [authenticated] }
`;
  const files = { '/run/mesh/ca.pem': ca.cert, '/run/mesh/gateway.pem': pem };
  const lines = async (policy: string) => {
    const { out } = await meshgate(['validate', '--online'], { files: { './meshgate.yaml': policy, ...files }, ask });
    return out.split('\n').filter((line) => line.slice(4).startsWith('files: '));
  };

  test('is reported if nginx connects to workloads of Linkerd with it', async () => {
    const policy = linkerd.replace('INGRESS, ', '').replace('ACCOUNT', 'service_account: wiki,');
    expect(await lines(policy)).toEqual([
      expect.stringMatching(/^no {2}files: .*gateway\.pem\): svid_rsa: The key is RSA/),
    ]);
  });

  test('is not reported if an ingress leads there', async () => {
    const ingress = 'address: "ingress.edge:8443", namespace: edge, service_account: ingress';
    expect(await lines(linkerd.replace('INGRESS', ingress).replace('ACCOUNT', ''))).toEqual(['yes files: 2 checked']);
  });
});

describe('render --check-files for a policy without sessions', () => {
  const plain = policy
    .replace(/^ {2}session: .*\n/m, '')
    .replace(/, client: \{[^}]*\}/, '')
    .replace('accept: [session, bearer]', 'accept: [bearer]');
  const now = 1_800_000_000;
  const STATE = '/var/lib/meshgate/revoked.json';
  const state = (key: string, until = now + 600) => ({
    [STATE]: JSON.stringify({ 'names\n': { value: '{}' }, [key]: { value: `${now} ${until} ${now}` } }),
  });
  const render = async (files: Readonly<Record<string, string>>) => {
    const { code, err, written } = await meshgate(['render', '--target', 'nginx', '--check-files', '--out', '/out'], {
      files: { './meshgate.yaml': plain, ...bundles, ...files },
      now,
    });
    return [code, err.match(/^meshgate: .*$/gm), Object.keys(written).length > 0];
  };

  test.each(['sub\nhttps://login.example.com\nsub\nada\n', 'kid\np256\n', 'jti\nj1\n', 'floor\n'])(
    'is refused while the state of the gateway has a revocation that it would end: %j',
    async (key) => {
      const says =
        /^meshgate: no host accepts sessions, so 1 revocations of people, keys and tokens would end, which are in force until 2027-01-15: .* remove \/var\/lib\/meshgate\/revoked\.json$/;
      expect(await render(state(key))).toEqual([1, [expect.stringMatching(says)], false]);
    },
  );

  test('is rendered if the state has none, or only sessions that ended, or none in force', async () => {
    for (const files of [
      {},
      state('sid\nabc\n'),
      state('out\nx\n'),
      state('floor\npsid\n'),
      state('sub\nx\nsub\nada\n', now - 1),
    ])
      expect(await render(files)).toEqual([0, null, true]);
  });

  const CANNOT = `meshgate: cannot read the revocations of the gateway, ${STATE}: it is corrupt`;
  const corrupt = ['', '{"sub', '[]', 'null', '{"a":null}', '{"a":{"value":1}}', '\u0000'];

  test.each(corrupt)('is an error if the state cannot be read: %j', async (text) => {
    expect(await render({ [STATE]: text })).toEqual([2, [CANNOT], false]);
  });

  test.each(corrupt)('validate --online says that the state cannot be read: %j', async (text) => {
    const files = { './meshgate.yaml': policy, ...bundles, [STATE]: text };
    const { code, err } = await meshgate(['validate', '--online'], { files, now, ask });
    expect([code, err]).toEqual([2, `${CANNOT}\n`]);
  });

  test.each(['', '{"sub', 'null', '{}', '{"providers":{"acme":{}},"one":{},"many":{}}'])(
    'validate --online says that the names in the state cannot be read: %j',
    async (value) => {
      const files = { './meshgate.yaml': policy, ...bundles, [STATE]: JSON.stringify({ 'names\n': { value } }) };
      const { code, err } = await meshgate(['validate', '--online'], { files, now, ask });
      expect([code, err]).toEqual([2, `${CANNOT.replace('it is', 'its names are')}\n`]);
    },
  );
});
