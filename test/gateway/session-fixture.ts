import { newRing } from '../../src/session/keys/rotate-ring.ts';
import type { SessionClaims } from '../../src/session/types.ts';
import {
  type Echo,
  type Gateway,
  type Issuer,
  MANY_SIGNINS,
  ready,
  Sealer,
  type Setup,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
} from '../harness/index.ts';

/** A gateway with sessions, whose cookies the test seals itself. */
export interface Fixture {
  readonly gateway: Gateway;
  readonly wiki: Echo;
  readonly setup: Setup;
  readonly sealer: Sealer;
  /** Text of the file with the session keys. */
  readonly ring: string;
  /** Ada's session, and the `Cookie` line with it. */
  readonly adas: SessionClaims;
  readonly ada: string;
  /** Carol's token. */
  readonly bearer: string;
  readonly acme: Issuer;
}

export const host = 'wiki.test';
export const keysFile = '/run/secrets/session.jwks';
export const claims = { sub: 'ada', groups: ['staff', 'berlin'], email: 'ada@example.com', email_verified: true };

/** Seconds since the epoch. */
export const now = () => Math.floor(Date.now() / 1000);

/** Chromium's headers for a navigation, and for a script's request. */
export const opening = {
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
  'Sec-Fetch-Site': 'none',
  Accept: 'text/html',
};
export const script = {
  'Sec-Fetch-Mode': 'cors',
  'Sec-Fetch-Dest': 'empty',
  'Sec-Fetch-Site': 'same-origin',
  Accept: '*/*',
};

/** The value of a `Cookie` line with one cookie. */
export const textOf = (cookie: string): string => cookie.slice(cookie.indexOf('=') + 1);

const policyFor = (issuer: string) => `
version: 1
gateway:
  health: { listen: 8081 }
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: ${keysFile} }
  signin: { ${MANY_SIGNINS} }
  hsts: { max_age: 365d, include_subdomains: true }
providers:
  acme:
    issuer: ${issuer}
    audiences: [wiki]
    ca_file: /run/provider/ca.pem
    client: { id: gateway }
roles:
  staff: { group: staff }
  admin: { all: [staff, { max_age: 15m }] }
headers:
  X-Forwarded-User: subject
  X-Forwarded-Email: email
  X-Forwarded-Groups: groups
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [staff] }
    /public/*: { service: wiki, allow: [anyone] }
    /admin/*: { service: wiki, allow: [admin] }
    /api/*: { service: wiki, allow: [staff], accept: [bearer] }
    /pages/*: { service: wiki, allow: [staff], accept: [session] }
    /shared/*:
      service: wiki
      allow: [staff]
      cors: { origins: [https://app.wiki.test], credentials: true, methods: [GET, POST] }
    /app/*: { service: wiki, allow: [staff], service_workers: true }
    /tool/*: { service: wiki, allow: [staff], insecure_service_workers: true }
    /stream/*: { service: wiki, allow: [staff], proxy: { stream: true } }
  board.test:
    /*: { service: wiki, allow: [staff] }
  tools.wiki.test:
    /*: { service: wiki, allow: [anyone], accept: [bearer] }
`;

/** @param name of the stage */
export async function startFixture(name: string): Promise<Fixture> {
  const stage = await testStage(name);
  const [wiki, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
  const acme = await issuers.create('acme');
  const ring = newRing(now() - 7200);
  const gateway = await startGateway(stage, { policy: policyFor(acme.url), files: { [keysFile]: ring } });
  const sealer = await Sealer.of(gateway.policy, ring);
  const adas = sealer.session('acme', claims);
  const ada = await sealer.cookie(host, adas);
  const bearer = await acme.sign({ aud: 'wiki', sub: 'carol', groups: ['staff'] });
  await ready(gateway, host, { token: bearer });
  return { gateway, wiki, setup: { gateway, echoes: [wiki] }, sealer, ring, adas, ada, bearer, acme };
}
