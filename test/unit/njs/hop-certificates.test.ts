import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { assertionClaims } from '../../../src/assertion/claims.ts';
import { newSigningKeys } from '../../../src/assertion/rotate.ts';
import { signAssertion } from '../../../src/assertion/sign.ts';
import { readSigningKeys } from '../../../src/assertion/signing-keys.ts';
import { hopHandler } from '../../../src/njs/check/hop.ts';
import { AssertionSigner } from '../../../src/njs/keys/signer.ts';
import { createCa } from '../../harness/pki.ts';
import { run, table, wiki } from './check.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';

/*
 * Two hosts, two CAs of clients, one inner listener: a certificate that one host rejects must not come to it by an
 * assertion that the other one gave.
 */

const fake = fakeNgx();
const start = 1_790_000_000;
stopClock(fake, start);
const SERVICE = 'spiffe://example.org/ns/wiki/sa/wiki';
const PARTNER = 'partner.test';
const PLAIN = 'plain.test';
const assertion = { issuer: 'https://gateway.test', keysFile: '', lifetime: 60 };

let service: string;
beforeAll(async () => {
  const life = { notBefore: new Date((start - 3600) * 1000), notAfter: new Date((start + 86_400) * 1000) };
  service = (await (await createCa()).client(SERVICE, life)).cert;
  assertion.keysFile = join(mkdtempSync(join(tmpdir(), 'meshgate-signing-')), 'keys.jwks');
  writeFileSync(assertion.keysFile, await newSigningKeys(start));
});

const hop = {
  selection: 'hop',
  agents: { [SERVICE]: { name: 'bot', service: 'wiki', actsFor: ['staff', 'device'], hops: 2 } },
  clientCas: { [wiki]: 0, [PARTNER]: 1, 'other.test': 0 },
  certificateRoles: ['device'],
};

interface Person {
  readonly provider: string;
  readonly subject: string;
  readonly roles: readonly string[];
}

const holder: Person = { provider: 'certificate', subject: 'spiffe://example.org/ci', roles: ['staff'] };
const onDevice: Person = { provider: 'okta', subject: 'o-ada', roles: ['staff', 'device'] };
const plain: Person = { provider: 'okta', subject: 'o-ada', roles: ['staff'] };

/** The result of one request: the reason of its refusal, or the host that the next assertion names. */
interface Outcome {
  readonly reason?: string;
  readonly host?: unknown;
}

/**
 * The results of requests at the inner listener of a host, with an assertion that the other host issued: three to one
 * context of a worker, and one to another context.
 */
async function requested(person: Person, from: string, host: string, signs = true): Promise<readonly Outcome[]> {
  const route = table.routes[`${wiki}/*`]!;
  const who = { kind: 'agent', agent: 'bot', actsFor: ['staff', 'device'] } as const;
  const rules = [...route.rules, { id: 'r#2', who, service: 'board', as: '' }];
  const routes = { [`${host}/*`]: { ...route, rules, accept: ['bearer', 'certificate'] as const } };
  const keys = await readSigningKeys(readFileSync(assertion.keysFile, 'utf8'));
  if (typeof keys === 'string') throw new Error(keys);
  const grant = { service: 'wiki', as: '', ...(signs && { certificate: { host: from, roles: ['device'] } }) };
  const signed = await signAssertion(keys, assertionClaims(assertion, grant, person, start));
  if (!signed.ok) throw new Error(signed.reason);
  const context = () => hopHandler({ ...table, assertion, hop, routes }, hop, new AssertionSigner(assertion));
  const first = context();
  const outcomes: Outcome[] = [];
  for (const handler of [first, first, first, context()]) {
    const { headers } = await run(handler, `/.meshgate/hop/${host}/*`, {
      'X-Meshgate-Method': 'GET',
      'X-Meshgate-Assertion': signed.value,
      'SSL-Client-Cert': encodeURIComponent(service),
    });
    const reason = headers['X-Meshgate-Reason'];
    const next = headers['X-Meshgate-Assertion']?.split('.')[1] ?? '';
    outcomes.push(
      reason ? { reason } : { host: JSON.parse(atob(next.replace(/-/g, '+').replace(/_/g, '/'))).certificate_host },
    );
  }
  return outcomes;
}

const each = (outcome: Outcome): readonly Outcome[] => [outcome, outcome, outcome, outcome];
const refused = each({ reason: 'issuer_unknown' });

describe('at the inner listener', () => {
  it.each<[string, Person, string, string, readonly Outcome[]]>([
    ['the holder of a certificate of another CA is refused', holder, PARTNER, wiki, refused],
    ['and the other way round', holder, wiki, PARTNER, refused],
    ['the holder of one of the same CA passes', holder, 'other.test', wiki, each({ host: 'other.test' })],
    ['and at the host itself', holder, wiki, wiki, each({ host: wiki })],
    ['a role by a certificate of another CA is refused', onDevice, PARTNER, wiki, refused],
    ['a role by one of the same CA passes', onDevice, 'other.test', wiki, each({ host: 'other.test' })],
    ['a role by a certificate passes at a host that verifies none', onDevice, PARTNER, PLAIN, each({ host: PARTNER })],
    ['a holder does not', holder, PARTNER, PLAIN, refused],
    ['a certificate of an unknown host is of no CA', holder, 'gone.test', wiki, refused],
    ['a caller who needs no certificate passes', plain, PARTNER, wiki, each({})],
  ])('%s', async (_, person, from, host, expected) => {
    expect(await requested(person, from, host)).toEqual(expected);
  });

  describe('an assertion without the host that verified the certificate', () => {
    it.each<[string, Person, string, readonly Outcome[]]>([
      ['is refused for the holder', holder, wiki, refused],
      ['is refused for a role by a certificate at a host that verifies certificates', onDevice, wiki, refused],
      ['is good for a role at a host that verifies none', onDevice, PLAIN, each({})],
      ['is good for anyone else', plain, wiki, each({})],
    ])('%s', async (_, person, host, expected) => {
      expect(await requested(person, wiki, host, false)).toEqual(expected);
    });
  });
});
