import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { meshgate, POLICY } from './fake.ts';

const files = {
  './meshgate.yaml': POLICY,
  '/opt/meshgate/meshgate.js': 'export default {};\n',
  '/opt/meshgate/hop.js': 'export default {};\n',
  '/opt/meshgate/signin.js': 'export default {};\n',
  '/opt/meshgate/client.js': 'export default {};\n',
  '/opt/meshgate/health.js': 'export default {};\n',
  '/opt/meshgate/cookies.js': 'export default {};\n',
  '/opt/meshgate/counts.js': 'export default {};\n',
  '/etc/resolv.conf':
    '# a comment\nsearch example.com\nnameserver 10.0.0.10\n nameserver fd00::1\nnameserver fe80::1%eth0\n',
};

const render = (...args: string[]) => meshgate(['render', ...args], { files });

describe('nginx', () => {
  test('writes the files and the bundle that lies beside the command, and prints their paths', async () => {
    const { code, out, written } = await render('--target', 'nginx', '--out', '/out');
    expect(code).toBe(0);
    const rendered = [
      ...['http.conf', 'servers.conf', 'stream.conf', 'policy.js', 'watched.js'],
      ...['maps', 'log', 'inside', 'problem', 'server', 'answer', 'check', 'refuse', 'metadata'].map(
        (name) => `${name}.conf`,
      ),
      ...['proxy.conf', 'headers.conf', 'hidden.conf', 'erase.conf', 'ingress.conf', 'caller.conf'],
      ...['', '_as_wiki-editor', '_by_identity'].map((way) => `services/wiki${way}.conf`),
      'hosts/wiki.example.com.conf',
    ];
    const paths = [
      ...rendered,
      'meshgate.js',
      'hop.js',
      'signin.js',
      'client.js',
      'health.js',
      'cookies.js',
      'counts.js',
    ];
    expect(Object.keys(written).sort()).toEqual(paths.map((path) => `/out/${path}`).sort());
    expect(out.trimEnd().split('\n')).toEqual(Object.keys(written));
    expect(written['/out/meshgate.js']).toBe(files['/opt/meshgate/meshgate.js']);
  });

  test('paths in the files begin with --dir, or with the absolute --out', async () => {
    expect((await render('--target', 'nginx', '--out', 'out')).written['/home/ann/out/servers.conf']).toContain(
      'include /home/ann/out/hosts/wiki.example.com.conf;',
    );
    expect(
      (await render('--target', 'nginx', '--out', 'out', '--dir', '/etc/x')).written['/home/ann/out/servers.conf'],
    ).toContain('include /etc/x/hosts/wiki.example.com.conf;');
  });

  test('the other paths', async () => {
    const { written } = await render(
      ...['--target', 'nginx', '--out', '/out', '--run-dir', '/run/x', '--state-dir', '/var/x'],
      ...['--access-log', '/dev/stdout'],
    );
    const text = Object.values(written).join('\n');
    expect(text).toContain('unix:/run/x/');
    expect(text).toContain('state=/var/x/');
    expect(text).toContain('access_log /dev/stdout meshgate buffer=4k flush=10ms;');
    expect(text).not.toMatch(/\/run\/meshgate|\/var\/lib\/meshgate/);
  });

  test('--instance names the replica in the sealed log, and the digest stays the same', async () => {
    const sealed = async (instance: string, ...args: string[]) => {
      const { code, err, written } = await meshgate(['render', '--target', 'nginx', '--out', '/out', ...args], {
        files: {
          ...files,
          './meshgate.yaml': POLICY.replace(
            'insecure_http: true',
            `insecure_http: true, audit: { instance: ${instance} }`,
          ),
        },
      });
      expect([code, err]).toEqual([0, expect.any(String)]);
      const digest = Object.keys(written).find((path) => path.startsWith('/out/audit/policy-'));
      return { digest, origin: JSON.parse(String(written['/out/audit/seal.json'])).origin };
    };
    const own = await sealed('own');
    expect(own.origin).toBe('wiki.example.com/meshgate/own');
    expect(await sealed('own', '--instance', 'gw-7')).toEqual({
      digest: own.digest,
      origin: 'wiki.example.com/meshgate/gw-7',
    });
    // Without a sealed log, the name has no effect: the image gives it in any case.
    expect((await render('--target', 'nginx', '--instance', 'gw-7')).out).toBe((await render('--target', 'nginx')).out);
  });

  test('name servers are those of the machine, in order, or those of --resolver', async () => {
    const resolver = async (...args: string[]) =>
      /^ *resolver (.*?) valid/m.exec((await render('--target', 'nginx', ...args)).out)?.[1];
    // nginx knows no zones, so fe80::1%eth0 is left out.
    expect(await resolver()).toBe('10.0.0.10 "[fd00::1]"');
    expect(await resolver('--resolver', '10.1.1.1,10.1.1.2')).toBe('10.1.1.1 10.1.1.2');
    expect(await resolver('--resolver', 'fd00::2,[fd00::3]:5353')).toBe('"[fd00::2]" "[fd00::3]:5353"');
    for (const other of ['dns.internal', 'fe80::1%eth0', '10.1.1.1;']) {
      const { code, err } = await render('--target', 'nginx', '--resolver', `10.1.1.1,${other}`);
      expect([code, err]).toEqual([2, expect.stringContaining(`--resolver ${other}: give IP addresses`)]);
    }
  });

  test('prints each file under its name to standard output', async () => {
    const { out, written } = await render('--target', 'nginx');
    expect(written).toEqual({});
    expect(out.match(/^==> .* <==$/gm)).toEqual([
      '==> http.conf <==',
      '==> servers.conf <==',
      '==> stream.conf <==',
      '==> policy.js <==',
      '==> watched.js <==',
      ...['maps', 'log', 'inside', 'problem', 'server', 'answer', 'check', 'refuse', 'metadata'].map(
        (name) => `==> ${name}.conf <==`,
      ),
      ...['proxy', 'hidden', 'headers', 'erase', 'ingress', 'caller'].map((name) => `==> ${name}.conf <==`),
      ...['_by_identity', '_as_wiki-editor', ''].map((way) => `==> services/wiki${way}.conf <==`),
      '==> hosts/wiki.example.com.conf <==',
    ]);
  });
});

describe('envoy', () => {
  test('prints one file as it is', async () => {
    const { code, out } = await render('--target', 'envoy');
    expect(code).toBe(0);
    expect(parse(out).static_resources.listeners[0].name).toBe('meshgate');
  });

  test('writes no bundle', async () => {
    const { out, written } = await render('--target', 'envoy', '--out', '/out');
    expect(Object.keys(written)).toEqual(['/out/envoy.yaml']);
    expect(out).toBe('/out/envoy.yaml\n');
  });

  test('prints gaps to standard error, each with its place', async () => {
    const { err } = await render('--target', 'envoy');
    expect(err.split('\n')[0]).toMatch(
      /^gap: meshgate\.yaml:35:11 wiki\.example\.com\/\*#2: Envoy sees the identity and not the role: role editor shares the identity wiki-editor with role builder/,
    );
  });

  test('renders nothing for a policy without a mesh, with exit code 1', async () => {
    const direct = POLICY.replace(
      /mesh:\n[\s\S]*services:\n.*\n/,
      'services:\n  wiki: { insecure_url: "http://wiki:8080" }\n',
    ).replaceAll(', as: wiki-editor', '');
    const { code, out, err } = await meshgate(['render', '--target', 'envoy', 'x'], { files: { x: direct } });
    expect({ code, out, err }).toEqual({
      code: 1,
      out: '',
      err: 'gap: mesh: the policy has no mesh, so there is nothing for Envoy to enforce\n',
    });
  });
});

describe('as JSON', () => {
  test('lists the files with their texts and the gaps with their places, and nothing on standard error', async () => {
    const { code, out, err } = await render('--target', 'envoy', '--format', 'json');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { target, files, gaps } = JSON.parse(out);
    expect(target).toBe('envoy');
    expect(Object.keys(files)).toEqual(['envoy.yaml']);
    expect(files['envoy.yaml']).toBe((await render('--target', 'envoy')).out);
    expect(gaps[0]).toEqual({
      part: 'wiki.example.com/*#2',
      text: expect.stringContaining('Envoy sees the identity and not the role'),
      at: { file: 'meshgate.yaml', line: 35, column: 11 },
    });
  });

  test('names the written files, and no texts', async () => {
    const { out, written } = await render('--target', 'envoy', '--out', '/out', '--json');
    expect(JSON.parse(out)).toEqual({
      ...{ target: 'envoy', written: ['envoy.yaml'], removed: [], kept: [] },
      gaps: expect.any(Array),
    });
    expect(Object.keys(written)).toEqual(['/out/envoy.yaml']);
  });
});

describe('--fail-on-gap', () => {
  // The two rules that share an identity have gaps at Envoy, and none at nginx.
  test.each([
    ['envoy', ['--fail-on-gap'], 1],
    ['envoy', ['--fail-on-gap=envoy'], 1],
    ['envoy', ['--fail-on-gap=istio'], 0],
    ['nginx', ['--fail-on-gap'], 0],
    ['envoy', [], 0],
  ])('%s with %j', async (target, args, code) => {
    const ran = await render('--target', target, '--out', '/out', ...args);
    expect(ran.code).toBe(code);
    expect(ran.err.includes('gap: ')).toBe(target === 'envoy');
    if (code === 1) expect(ran).toMatchObject({ out: '', written: {} });
    else expect(Object.keys(ran.written).length).toBeGreaterThan(0);
  });

  test('is no value for the argument after it', async () => {
    const args = ['render', '--target', 'envoy', '--fail-on-gap', 'policy.yaml'];
    expect(await meshgate(args, { files: { 'policy.yaml': POLICY } })).toMatchObject({ code: 1, out: '' });
  });

  test('prints the gaps as JSON, too', async () => {
    const { code, out } = await render('--target', 'envoy', '--out', '/out', '--fail-on-gap', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out).gaps).toHaveLength(2);
  });

  test('rejects a target that does not exist', async () => {
    const { code, err } = await render('--target', 'envoy', '--fail-on-gap=nomad');
    expect(code).toBe(2);
    expect(err).toContain('write --fail-on-gap, or --fail-on-gap=TARGET with one of nginx, ext-authz, nic, ngf, envoy');
  });
});

describe('wrong use', () => {
  test.each([
    [['--target', 'envoy', '--instance', 'gw-7'], '--instance has no effect for envoy: leave it out'],
    [['--target', 'nginx', '--instance', 'GW_7/x'], 'write at most 63 lower-case letters, digits, dots and dashes'],
    [['--target', 'envoy', '--dir', '/x'], '--dir has no effect for envoy: leave it out'],
    [['--target', 'nginx', '--state-dir', 'x'], '--state-dir x: give an absolute path'],
    [['--target', 'nomad'], 'Expected "nomad" to be one of (nginx|ext-authz|nic|ngf|envoy'],
    [['--target', 'nginx', '--assertion-jwks', 'x'], '--assertion-jwks has no effect for nginx: leave it out'],
    [['--target', 'nginx', '--for-update'], '--for-update has no effect for nginx: leave it out'],
    [['--target', 'envoy', '--for-update'], '--for-update has no effect for envoy: leave it out'],
    [['--target', 'envoy', '--assertion-jwks', 'x'], '--assertion-jwks has no effect for envoy: leave it out'],
    [[], 'Expected input for flag --target'],
    [
      ['--target', 'nginx', '--out', '/forbidden/x'],
      'cannot write /forbidden/x/http.conf: this user has no permission',
    ],
  ])('%j', async (args, message) => {
    const { code, err } = await render(...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  test('a policy with mistakes writes nothing', async () => {
    const { code, out, err, written } = await meshgate(['render', '--target', 'nginx', '--out', '/out', 'bad'], {
      files: { bad: 'version: 1\n' },
    });
    expect({ code, out, written }).toEqual({ code: 1, out: '', written: {} });
    expect(err).toContain('bad:1:1 hosts');
  });

  test('a command without its bundle', async () => {
    const { code, err } = await meshgate(['render', '--target', 'nginx', '--out', '/out'], {
      files: { './meshgate.yaml': POLICY },
    });
    expect(code).toBe(2);
    expect(err).toContain('/opt/meshgate has no meshgate.js: the installation is not complete');
  });
});

describe('the target policy', () => {
  const file = 'docs/examples/stages';
  const stage = ['--overlay', 'prod.yaml', '--env', 'STAGE=prod', '--env', 'WIKI_HOST=wiki.example.com'];
  const files = Object.fromEntries(
    ['meshgate.yaml', 'prod.yaml'].map((name) => [name, readFileSync(`${file}/${name}`, 'utf8')]),
  );

  test('prints a policy with its overlay and its variables, which is valid and the same', async () => {
    const rendered = await meshgate(['render', '--target', 'policy', ...stage, 'meshgate.yaml'], { files });
    expect([rendered.code, rendered.err]).toEqual([0, '']);
    const both = { ...files, 'whole.yaml': rendered.out };
    const checked = await meshgate(['validate', '--format', 'json', 'whole.yaml'], { files: both });
    const original = await meshgate(['validate', '--format', 'json', ...stage, 'meshgate.yaml'], { files });
    expect(JSON.parse(checked.out).digest).toBe(JSON.parse(original.out).digest);
    expect(JSON.parse(checked.out)).toMatchObject({ valid: true, errors: [] });
  });

  test.each([['--ingress'], ['--mesh-name'], ['--assertion-jwks'], ['--resolver'], ['--dir']])(
    'has no %s',
    async (flag) => {
      const value = flag === '--dir' ? '/x' : '10.0.0.1';
      const ran = await meshgate(['render', '--target', 'policy', flag, value, ...stage, 'meshgate.yaml'], { files });
      expect([ran.code, ran.err]).toEqual([2, expect.stringContaining(`${flag} has no effect for policy`)]);
    },
  );

  test('writes one file', async () => {
    const { written } = await meshgate(['render', '--target', 'policy', '--out', '/out', ...stage, 'meshgate.yaml'], {
      files,
    });
    expect(Object.keys(written)).toEqual(['/out/policy.yaml']);
  });
});
