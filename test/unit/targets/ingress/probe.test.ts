/** The probe of the rendered manifests: its objects, and its program on Node. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { afterAll, describe, expect, test } from 'vitest';
import { probeFile } from '../../../../src/targets/ingress/probe-job.ts';
import { createCa } from '../../../harness/pki.ts';
import { meshgate } from '../../cli/fake.ts';

const POLICY = `version: 1
gateway: { insecure_http: true, resolver: [10.96.0.10] }
providers:
  idp: { issuer: https://login.example.com, audiences: [api://wiki] }
services:
  wiki: { insecure_url: "http://wiki.wiki.svc:80" }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [authenticated] }
    /pages: { service: wiki, allow: [authenticated] }
    /status: { service: wiki, allow: [anyone] }
  "*.apps.example.com":
    /*: { service: wiki, allow: [authenticated] }
`;

const files = {
  ...Object.fromEntries(
    ['meshgate', 'hop', 'signin', 'client', 'health', 'cookies', 'counts', 'apikey_auth'].map((name) => [
      `/opt/meshgate/${name}.js`,
      `// ${name}\n`,
    ]),
  ),
  '/opt/meshgate/status.js': readFileSync('dist/status.js', 'utf8'),
};

const render = (policy: string, ...args: string[]) =>
  meshgate(['render', '--out', '/o', ...args, 'p.yaml'], { files: { ...files, 'p.yaml': policy } });

// biome-ignore lint/suspicious/noExplicitAny: objects of several kinds
async function probe(policy: string, ...args: string[]): Promise<any[]> {
  const { written, err } = await render(policy, ...args);
  const text = written['/o/probe.yaml'];
  if (text === undefined) throw new Error(err);
  return loadAll(String(text));
}

const NIC = ['--target', 'nic', '--form', 'ingress'] as const;

const ASKED = [
  'https://wiki.example.com/meshgate-status',
  'https://wiki.example.com/pages',
  'https://meshgate-status.apps.example.com/meshgate-status',
];

describe('the objects', () => {
  test.each([
    ...['configmap', 'ingress', 'mergeable', 'virtualserver', 'external-auth', 'external-auth-ingress'].map(
      (form) => ['nic', form] as const,
    ),
    ['ngf', 'snippets'] as const,
    ['ngf', 'external-auth'] as const,
  ])('%s %s: a CronJob asks each route that needs a credential', async (target, form) => {
    const [program, job, ...others] = await probe(POLICY, '--target', target, '--form', form);
    expect(others).toEqual([]);
    expect(program).toMatchObject({ kind: 'ConfigMap', immutable: true });
    expect(Buffer.byteLength(JSON.stringify(program))).toBeLessThan(256 * 1024);
    const { spec } = job.spec.jobTemplate.spec.template;
    expect(spec.containers[0].args.toSorted()).toEqual(ASKED.toSorted());
    expect(spec.volumes[0]).toEqual({ name: 'program', configMap: { name: program.metadata.name } });
  });

  test('a failed Job is not tried again, and the pod has no rights', async () => {
    const [, job] = await probe(POLICY, ...NIC);
    expect(job).toMatchObject({
      ...{ apiVersion: 'batch/v1', kind: 'CronJob' },
      metadata: { name: 'meshgate-probe', labels: { 'meshgate/gateway': 'meshgate' } },
      spec: { schedule: '*/5 * * * *', concurrencyPolicy: 'Forbid', failedJobsHistoryLimit: 3 },
    });
    const { backoffLimit, template } = job.spec.jobTemplate.spec;
    expect(backoffLimit).toBe(0);
    expect(template.spec).toMatchObject({
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(template.spec.containers[0]).toMatchObject({
      image: 'node:24-slim',
      securityContext: {
        ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
        capabilities: { drop: ['ALL'] },
      },
    });
  });

  test('the image and the address of the controller can be chosen', async () => {
    const address = 'https://nic.nginx-ingress.svc';
    const [, job] = await probe(
      POLICY,
      ...[...NIC, '--probe-image', 'registry.example.com/node:22@sha256:ab', '--probe-address', address],
    );
    const [{ image, args }] = job.spec.jobTemplate.spec.template.spec.containers;
    expect([image, args.slice(0, 2)]).toEqual(['registry.example.com/node:22@sha256:ab', ['--gateway', address]]);
  });

  test('the names differ for two gateways, and a CronJob has at most 52 characters', () => {
    const long = 'gateway-with-a-name-of-forty-characters---mesh-with-a-long-name-';
    const all = ['east', 'west', `${long.slice(0, 62)}1`, `${long.slice(0, 62)}2`].map(
      (owner) => loadAll(probeFile(owner, { urls: ASKED, image: 'node', program: '' })),
      // biome-ignore lint/suspicious/noExplicitAny: objects of several kinds
    ) as any[][];
    const names = all.map((objects) => objects.map(({ metadata }) => metadata.name as string));
    expect(new Set(names.flat()).size).toBe(8);
    for (const [program = '', job = ''] of names) {
      expect(program.length).toBeLessThanOrEqual(63);
      expect(job.length).toBeLessThanOrEqual(52);
      expect(job).toMatch(/^[a-z0-9][-a-z0-9]*[a-z0-9]$/);
    }
  });

  test('the output is stable', async () => {
    expect(await probe(POLICY, ...NIC)).toEqual(await probe(POLICY, ...NIC));
  });

  test('there is none if anyone may use every route', async () => {
    const { code, written } = await render(POLICY.replaceAll('[authenticated]', '[anyone]'), ...NIC);
    expect(code).toBe(0);
    expect(Object.keys(written)).toContain('/o/hosts.yaml');
    expect(Object.keys(written)).not.toContain('/o/probe.yaml');
  });

  test.each([
    [['--target', 'nginx', '--probe-image', 'node:24'], '--probe-image has no effect for nginx: leave it out'],
    [['--target', 'istio', '--probe-address', 'https://a'], '--probe-address has no effect for istio: leave it out'],
    [[...NIC, '--probe-image', 'node 24'], '--probe-image node 24: write an image such as node:24-slim'],
    [[...NIC, '--probe-address', 'nic.svc'], '--probe-address nic.svc: write https://HOST:PORT, without a path'],
  ])('%j is wrong use', async (args, says) => {
    const { code, err } = await render(POLICY, ...args);
    expect([code, err]).toEqual([2, expect.stringContaining(says)]);
  });
});

describe('the program of the ConfigMap, on Node', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meshgate-probe-'));
  const closing: (() => void)[] = [];
  afterAll(() => {
    for (const close of closing) close();
    rmSync(folder, { recursive: true });
  });

  async function listening(answer: RequestListener, tls?: { readonly cert: string; readonly key: string }) {
    const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => server.close());
    return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Starts the rendered container's program, with its mounts in a folder. */
  async function run(address: string, ca?: string) {
    const [program, job] = await probe(POLICY, ...NIC, '--probe-address', address);
    const [{ command, args, env, volumeMounts }] = job.spec.jobTemplate.spec.template.spec.containers;
    const [name] = Object.keys(program.data) as [string];
    writeFileSync(join(folder, name), program.data[name]);
    if (ca !== undefined) writeFileSync(join(folder, 'ca.crt'), ca);
    const here = (text: string) =>
      volumeMounts.reduce(
        (it: string, { mountPath }: { mountPath: string }) => it.replace(new RegExp(`^${mountPath}/`), `${folder}/`),
        text,
      );
    expect(command[0]).toBe('node');
    const variables = env.map((it: { name: string; value: string }) => [it.name, here(it.value)]);
    return new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
      execFile(
        process.execPath,
        [...command.slice(1), ...args].map(here),
        { env: Object.fromEntries(variables) },
        (error, out, err) => resolve({ code: error === null ? 0 : error.code, out, err }),
      );
    });
  }

  const refuse: RequestListener = (_, response) => {
    response.writeHead(401, { 'Content-Type': 'application/problem+json' });
    response.end('{"status":401,"reason":"credential_missing"}');
  };

  test('the gateway refuses every request: exit code 0', async () => {
    const hosts: unknown[] = [];
    const address = await listening((request, response) => {
      hosts.push(`https://${request.headers.host}${request.url}`);
      expect(request.headers.authorization).toBeUndefined();
      refuse(request, response);
    });
    const { code, out, err } = await run(address);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(`closed   GET ${ASKED[0]}: 401 credential_missing\n`);
    expect(hosts.toSorted()).toEqual(ASKED.toSorted());
  });

  test('a service answers one of them: exit code 1', async () => {
    const address = await listening((request, response) =>
      request.url === '/pages' ? response.end('hello') : refuse(request, response),
    );
    const { code, out } = await run(address);
    expect(code).toBe(1);
    expect(out).toContain(`open     GET ${ASKED[1]}: 200: a service answers without a credential\n`);
    expect(out).toContain('3 requests: 1 open\n');
  });

  test('no answer: exit code 1', async () => {
    const address = await listening((_, response) => response.destroy());
    expect(await run(address)).toMatchObject({ code: 1, out: expect.stringContaining('0 open, 3 unknown') });
  });

  test('over TLS, it knows the CA of its ConfigMap', async () => {
    const ca = await createCa('ca');
    const { cert, key } = await ca.issue({ dns: ['wiki.example.com', '*.apps.example.com'] });
    const address = await listening(refuse, { cert, key });
    expect(await run(address)).toMatchObject({ code: 1, out: expect.stringContaining('no known CA') });
    expect(await run(address, ca.cert)).toMatchObject({ code: 0, err: '' });
  });
});
