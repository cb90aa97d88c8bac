import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Answer, send, startIssuer, testStage, until } from '../harness/index.ts';
import { describeWith } from '../harness/needs.ts';
import { HUNG_MS, type Ingress, type Lab, lacksMesh, NotEnforced, startLab, type Workload } from './lab/index.ts';
import { ingressObjects, workloadObjects } from './objects.ts';

/** Status, or the alert that ended the handshake. */
async function came(answer: Promise<Answer>): Promise<number | string> {
  return answer.then(
    ({ status }) => status,
    (error: { code?: string }) => /ALERT_\w+/.exec(error.code ?? '')?.[0] ?? String(error),
  );
}

describeWith(lacksMesh(), 'the lab enforces', async () => {
  const stage = await testStage('lab');
  const trustDomain = 'mesh.test';
  const svid = async (path: string) => (await stage.meshCa.client(`spiffe://${trustDomain}/${path}`)).pem;
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const issuer = 'https://gateway.test';
  const context = {
    issuer,
    trustDomain,
    keys: `jwks: '${JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] })}'`,
  };
  const sign = (claims: Record<string, unknown>, seconds = 600) =>
    new SignJWT({ iss: issuer, sub: 'ada', aud: 'wiki', ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
      .sign(privateKey);
  const [reader, editor, stranger, gateway] = await Promise.all([
    svid('ns/edge/sa/reader'),
    svid('ns/edge/sa/editor'),
    svid('ns/edge/sa/stranger'),
    svid('ns/ingress/sa/ingress'),
  ]);
  const asReader = await sign({ roles: ['reader'] });
  const asEditor = await sign({ roles: ['editor'] });
  const sent = (assertion?: string, method = 'GET', path = '/rest/x') => ({
    method,
    path,
    headers: assertion === undefined ? {} : { 'X-Meshgate-Assertion': assertion },
  });

  let lab: Lab;
  let ingress: Ingress;
  let wiki: Workload;
  beforeAll(async () => {
    lab = await startLab(stage, { trustDomain });
    [ingress, wiki] = await Promise.all([
      lab.startIngress({
        namespace: 'ingress',
        labels: { app: 'ingress' },
        serviceAccount: 'ingress',
        ports: [8443],
        dns: ['ingress.mesh'],
        credentialName: 'ingress-cert',
      }),
      lab.startWorkload({
        name: 'wiki',
        namespace: 'apps',
        labels: { app: 'wiki' },
        serviceAccount: 'wiki',
        port: 8080,
      }),
    ]);
    await lab.apply(ingressObjects(context) + '---' + workloadObjects(context));
  });
  const atIngress = (pem: string | undefined, ...what: Parameters<typeof sent>) =>
    came(ingress.send(pem, 'wiki.test', sent(...what)));
  const atWorkload = (pem: string | undefined, ...what: Parameters<typeof sent>) =>
    came(wiki.send(pem, 'wiki.test', sent(...what)));

  describe('at the ingress', () => {
    test('allows a request that a rule matches, and forwards it to the service', async () => {
      await wiki.echo.clear();
      expect(await atIngress(reader, asReader)).toBe(200);
      expect(await atIngress(editor, asEditor, 'POST')).toBe(200);
      expect((await wiki.echo.requests()).map(({ method, url }) => `${method} ${url}`)).toEqual([
        'GET /rest/x',
        'POST /rest/x',
      ]);
    });

    test('refuses a request with any one wrong part', async () => {
      expect(await atIngress(reader)).toBe(403);
      expect(await atIngress(reader, asReader, 'POST')).toBe(403);
      expect(await atIngress(reader, asReader, 'GET', '/admin')).toBe(403);
      expect(await came(ingress.send(reader, 'other.test', sent(asReader)))).toBe(403);
      expect(await atIngress(reader, `${asReader.slice(0, -8)}AAAAAAAA`)).toBe(401);
      expect(await atIngress(reader, await sign({ roles: ['reader'] }, -120))).toBe(401);
      expect(await atIngress(reader, await sign({ roles: ['reader'], aud: 'shop' }))).toBe(403);
    });

    test("refuses an assertion over another identity's connection", async () => {
      expect(await atIngress(reader, asEditor)).toBe(403);
      expect(await atIngress(editor, asReader)).toBe(403);
    });

    test('refuses an unknown identity, and a missing certificate, in the handshake', async () => {
      expect(await atIngress(stranger, asReader)).toBe('ALERT_CERTIFICATE_UNKNOWN');
      expect(await atIngress(undefined, asReader)).toBe('ALERT_CERTIFICATE_REQUIRED');
    });

    test('fetches keys from the address where they are published', async () => {
      const acme = await (await startIssuer(stage)).create('acme', { alg: 'ES256' });
      const assertion = await acme.sign({ sub: 'ada', aud: 'wiki', roles: ['reader'] });
      expect(await atIngress(reader, assertion)).toBe(401);
      const published = { trustDomain, issuer: acme.url, keys: `jwksUri: ${acme.url}/jwks` };
      await lab.apply(ingressObjects(published) + '---' + workloadObjects(published));
      // State: the ingress accepts a token of these keys, which it refused before istiod had fetched them.
      await until(async () => (await atIngress(reader, assertion)) === 200, {
        what: 'istiod to have fetched the keys',
        timeoutMs: HUNG_MS,
      });
      await lab.apply(ingressObjects(context) + '---' + workloadObjects(context));
    });

    test('logs the caller and the decision in its access log', async () => {
      const mark = ingress.box.logs.mark();
      await atIngress(reader, asEditor, 'GET', '/rest/logged');
      // State: the line of exactly this path, which no other request uses.
      const written = await ingress.box.logs.waitFor(/"path":"\/rest\/logged"/, mark, HUNG_MS);
      expect(JSON.parse(written)).toMatchObject({
        peer: 'spiffe://mesh.test/ns/edge/sa/reader',
        method: 'GET',
        response_code: 403,
        response_code_details: expect.stringMatching(/^rbac_access_denied/),
      });
    });
  });

  describe('at the workload', () => {
    test("requires both the ingress' identity and an assertion", async () => {
      expect(await atWorkload(gateway, asReader)).toBe(200);
      expect(await atWorkload(gateway)).toBe(403);
      expect(await atWorkload(stranger, asReader)).toBe(403);
      expect(await atWorkload(reader, asReader)).toBe(403);
    });

    test('refuses a missing certificate, and plain HTTP', async () => {
      expect(await atWorkload(undefined, asReader)).toBe('ALERT_CERTIFICATE_REQUIRED');
      const plain = send({ ...wiki.target(), tls: false }, sent(asReader));
      expect(await came(plain)).toMatch(/socket hang up|ECONNRESET/);
    });
  });

  describe('a change', () => {
    const objects = ingressObjects(context);

    test('is enforced once it is applied, and so is its removal', async () => {
      for (const role of ['first', 'second', 'third']) {
        const mark = await lab.apply(objects.replace('values: [reader]', `values: [${role}]`));
        const answer = await ingress.send(reader, 'wiki.test', sent(asReader));
        expect([answer.status, answer.header('server')]).toEqual([403, mark]);
        await lab.apply(objects);
        expect(await atIngress(reader, asReader)).toBe(200);
      }
    });

    test('is enforced in the handshake too', async () => {
      await lab.apply(objects.replace('sa/reader"]', 'sa/stranger"]').replaceAll('sa/reader"', 'sa/stranger"'));
      expect(await atIngress(reader, asReader)).toBe('ALERT_CERTIFICATE_UNKNOWN');
      expect(await atIngress(stranger, asReader)).toBe(200);
      await lab.apply(objects);
      expect(await atIngress(stranger, asReader)).toBe('ALERT_CERTIFICATE_UNKNOWN');
    });

    test("is enforced at the workload on the ingress' own connections too", async () => {
      expect(await atIngress(reader, asReader)).toBe(200);
      await lab.apply(workloadObjects(context).replace('values: [reader, editor]', 'values: [none]'));
      expect(await atIngress(reader, asReader)).toBe(403);
      await lab.apply(workloadObjects(context));
      expect(await atIngress(reader, asReader)).toBe(200);
    });

    test('may be the deletion of an object', async () => {
      const policies = workloadObjects(context).split('---').at(-1)!;
      await lab.delete(policies);
      expect(await atWorkload(stranger)).toBe(200);
      await lab.apply(policies);
      expect(await atWorkload(stranger)).toBe(403);
    });

    test('is an error if the API server, istiod or an Envoy rejects it', async () => {
      await expect(lab.apply(objects.replace('rules:', 'rule:'))).rejects.toThrow('.spec.rule: field not declared');
      await expect(lab.apply(objects.replace('HTTPS', 'HTTPZ'))).rejects.toThrow('denied the request');
      const filter = {
        apiVersion: 'networking.istio.io/v1alpha3',
        kind: 'EnvoyFilter',
        metadata: { name: 'broken', namespace: 'ingress' },
        spec: {
          configPatches: [
            {
              applyTo: 'LISTENER',
              match: { context: 'GATEWAY' },
              patch: { operation: 'ADD', value: { name: 'broken' } },
            },
          ],
        },
      };
      await expect(lab.apply(filter)).rejects.toThrow(NotEnforced);
      await lab.delete(filter);
      expect(await atIngress(reader, asReader)).toBe(200);
    });
  });
});
