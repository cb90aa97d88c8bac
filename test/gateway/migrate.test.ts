/**
 * Policies that `meshgate migrate` writes, in real gateways: a configuration of oauth2-proxy, and Ingresses with the
 * oauth2-proxy that they ask. Only addresses and the provider differ from what the command printed. The cases are those
 * of the unit tests: what the old product does by its documentation.
 */
import { describe, expect, test } from 'vitest';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import { ready, Sealer, startEcho, startGateway, startIssuer, testStage } from '../harness/index.ts';
import { type Documented, migrate, type Sample } from '../unit/migrate/case.ts';
import { sample as ingresses } from '../unit/migrate/ingress-nginx/oauth2-proxy.ts';
import { sample as openPaths } from '../unit/migrate/oauth2-proxy/open-paths.ts';

const RING = '/run/secrets/session.jwks';
const stage = await testStage('migrate');
const [echo, issuers] = await Promise.all([
  startEcho(stage, { alias: 'grafana', aliases: ['dashboard'] }),
  startIssuer(stage),
]);
const acme = await issuers.create('acme');

type Claims = Parameters<Sealer['session']>[1];

/** Cases whose caller has a session, or no credential. The addresses of the others are not those of this machine. */
const isHere = ({ as }: Documented): boolean => as === 'nobody' || 'claims' in as;

const samples = [
  { name: 'oauth2-proxy', sample: openPaths, host: 'grafana.example.com' },
  { name: 'ingress-nginx', sample: ingresses, host: 'dashboard.example.com' },
] as const;

async function start(sample: Sample, service: string) {
  const { policy: text } = await migrate(sample);
  const overlay = `
providers: { sso: { issuer: "${acme.url}", ca_file: /run/provider/ca.pem } }
services: { ${service}: { insecure_url: "http://${service}:8080" } }
`;
  const ring = newRing(Math.floor(Date.now() / 1000) - 7200);
  const old = Object.entries({ ...sample.files, ...sample.beside }).map(([name, it]) => [`/run/old/${name}`, it]);
  const files = { [RING]: ring, '/run/secrets/sso': 'the secret of the client', ...Object.fromEntries(old) };
  const gateway = await startGateway(stage, { policy: { text, overlay }, files, alias: `${service}-gateway` });
  return { text, gateway, sealer: await Sealer.of(gateway.policy, ring) };
}

describe.each(samples)('a migrated configuration of $name', async ({ sample, host }) => {
  const { text, gateway, sealer } = await start(sample, host.split('.')[0] as string);
  const cookieFor = ({ as }: Documented, from = sealer) =>
    from.cookie(host, from.session('sso', (as as { readonly claims: Claims }).claims));
  const known = sample.cases.find((it) => isHere(it) && it.before === 'passes' && it.as !== 'nobody') as Documented;
  await ready(gateway, host, { headers: { Cookie: await cookieFor(known) } });

  test.each(sample.cases.filter(isHere).map((it) => [`${it.method ?? 'GET'} ${it.url}: ${it.before}`, it] as const))(
    '%s',
    async (_, it) => {
      const { as, method = 'GET', url, before, differs } = it;
      const headers = as === 'nobody' ? undefined : { Cookie: await cookieFor(it) };
      await echo.clear();
      const { status } = await gateway.send(host, { method, path: new URL(url).pathname, ...(headers && { headers }) });
      const passed = (await echo.requests()).length > 0;
      expect(passed).toBe((before === 'passes') === (differs === undefined));
      expect(passed ? [200] : [401, 403]).toContain(status);
    },
  );

  test('rejects a session that another key has sealed', async () => {
    const other = await Sealer.of(gateway.policy, newRing(Math.floor(Date.now() / 1000) - 7200));
    const forged = await cookieFor(known, other);
    const { status } = await gateway.send(host, { method: 'POST', headers: { Cookie: forged } });
    expect(status).toBe(401);
  });

  test('the command of the image, which has no Node, prints the same policy', async () => {
    const { command, files, args = [] } = sample;
    const at = (name: string) => (name.startsWith('--') ? name : `/run/old/${name}`);
    const words = ['meshgate', 'migrate', command, ...[...args, ...Object.keys(files)].map(at)];
    const { exitCode, stdout } = await gateway.box.exec('sh', '-c', `${words.join(' ')} 2>/dev/null`);
    expect(exitCode).toBe(0);
    expect(stdout).toBe(text);
  });
});
