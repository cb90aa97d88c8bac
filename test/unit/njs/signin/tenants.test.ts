/** A provider with several issuers: the sessions of one that the policy has given up end with it. */
import { beforeEach, describe, expect, test } from 'vitest';
import { renewHandler } from '../../../../src/njs/signin/renew/renew-session.ts';
import { RENEWED } from '../../../../src/session/names.ts';
import type { SessionClaims } from '../../../../src/session/types.ts';
import { adas, run, writeRing } from '../check.ts';
import { fakeNgx, stopClock } from '../fake-ngx.ts';
import { HOST, ISSUER, Lab } from '../signin-lab.ts';

const fake = fakeNgx();
const start = 1_790_000_000;
stopClock(fake, start);

const tenant = (name: string): string => `https://login.example.com/${name}/v2.0`;

/** Renews a session of a tenant after a change of the policy, without a call to the provider. */
async function renewedOf(iss: string, ...tenants: readonly string[]): Promise<number> {
  const { context } = new Lab();
  const okta = context.signin.providers.okta!;
  const providers = { okta: { ...okta, issuers: tenants.map(tenant) } };
  const claims = { sub: 'ada', iss };
  const of: SessionClaims = { ...adas(start, { claims, issuer: ISSUER }), selection: 'BEFORE' };
  await context.store.put({ session: of, host: HOST, claims }, 600);
  const text = (await context.keyring.sealSession(HOST, of, start)) as string;
  const headers = { 'X-Meshgate-Host': HOST, 'X-Meshgate-Session': text, 'X-Meshgate-Wait': '1' };
  const handler = renewHandler({ ...context, signin: { ...context.signin, providers } });
  return (await run(handler, '/.meshgate/renew', headers)).status;
}

describe('a session of a tenant', () => {
  beforeEach(() => {
    for (const zone of Object.values(fake.zones)) zone.clear();
    writeRing(['k1', 1]);
  });

  test('that a later policy still has is sealed for that policy', async () => {
    expect(await renewedOf(tenant('one'), 'one', 'three')).toBe(RENEWED.renewed);
  });

  test('that a later policy has no longer is no session there: its person uses the provider', async () => {
    expect(await renewedOf(tenant('two'), 'one', 'three')).toBe(RENEWED.alone);
  });
});
