import { beforeAll } from 'vitest';
import { type Answer, ready, type Sent, startEcho, startIssuer, testStage, waitForWorkers } from '../harness/index.ts';
import { startLab } from './lab.ts';

/** The one host of the traps' policy. */
export const host = 'wiki.test';

/** A lab with a policy of two routes, `/rest/*` for readers and `/open/*` for anyone, and tokens for it. */
export async function trapFixture(name: string) {
  const stage = await testStage(name);
  const [echo, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
  const acme = await issuers.create('acme');
  const lab = await startLab(
    stage,
    `
version: 1
gateway: { insecure_http: true, listen: 8080, connections: { per_address: 4096 } }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  reader: { group: reader }
services:
  wiki: { insecure_url: "http://wiki:8080" }
headers:
  X-Forwarded-User: subject
  X-Forwarded-Email: email
  X-Long: { claim: long }
hosts:
  ${host}:
    /rest/*: { service: wiki, allow: [reader] }
    /open/*: { service: wiki, allow: [anyone] }
`,
  );
  const { gateway } = lab;
  const sign = (claims: Readonly<Record<string, unknown>>) => acme.sign({ aud: 'wiki', ...claims });
  const reader = await sign({ sub: 'ada', groups: ['reader'] });
  const stranger = await sign({ sub: 'eve' });
  beforeAll(() => ready(gateway, host, { path: '/rest/x', token: reader }));
  /** Status and reason of an answer. */
  const ask = async (sent: Sent) => reported(await gateway.send(host, sent));
  return { lab, gateway, echo, sign, reader, stranger, ask };
}

/** Status and reason; `-` for a body that is not the gateway's. */
export function reported(answer: Answer | undefined): string {
  const reason = /"reason":"(\w+)"/.exec(answer?.text ?? '')?.[1];
  return `${answer?.status} ${reason ?? '-'}`;
}

export type Fixture = Awaited<ReturnType<typeof trapFixture>>;

/** The result of a request. */
export interface Came {
  status: number;
  /** Raw targets that reached the service. */
  reached: string[];
}

/**
 * Sends one request; returns its status, and everything that reached the service because of it, including a mirror or
 * what a mutant allows. nginx writes a request's line when everything that it began for it has ended.
 */
export async function came({ gateway, echo }: Fixture, sent: Sent): Promise<Came> {
  await echo.clear();
  const mark = await waitForWorkers(gateway, host);
  const { status } = await gateway.send(host, sent);
  await gateway.box.logs.waitForJson(1, mark);
  return { status, reached: (await echo.requests()).map(({ url }) => url) };
}
