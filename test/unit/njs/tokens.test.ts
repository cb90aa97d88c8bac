import { beforeEach, describe, expect, it, vi } from 'vitest';
import { composed } from '../../../src/base/composed-key.ts';
import type { Caller } from '../../../src/caller/types.ts';
import { TokenCache } from '../../../src/njs/callers/tokens.ts';
import { adasToken, Context, publishKeys, table, wiki, writeRing } from './check.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';

const fake = fakeNgx();
const start = 1_790_000_000;
stopClock(fake, start);

/** A host whose route accepts tokens for another audience. */
const narrow = 'api.example.com';
const routes = {
  ...table.routes,
  [`${narrow}/*`]: { ...table.routes[`${wiki}/*`]!, accept: ['bearer'], audiences: ['A'] } as const,
};

beforeEach(async () => {
  for (const zone of Object.values(fake.zones)) zone.clear();
  writeRing(['k1', 1]);
  await publishKeys(start);
});

const bearer = (token: string, scheme = 'Bearer') => ({ Authorization: `${scheme} ${token}` });

describe('a token for the audience of one route', () => {
  const of = { ...table, routes };
  const token = adasToken(start, { aud: 'A' });

  /** The contexts of a gateway in which the token passed on its own route. */
  async function afterPassing(): Promise<readonly Context[]> {
    const context = new Context(of);
    for (let i = 0; i < 3; i++) expect((await context.check(bearer(token), '*', narrow)).status).toBe(204);
    return [context, new Context(of)];
  }

  it.each(['A', 'A ', 'A\t', 'A\n', 'A\\n', composed('A'), 'A '.repeat(2)])(
    'does not pass on another host behind %j',
    async (prefix) => {
      for (const context of await afterPassing()) {
        for (let i = 0; i < 3; i++) {
          const { status, headers } = await context.check(bearer(`${prefix} ${token}`));
          expect([status, headers['X-Meshgate-Reason']]).toEqual([401, 'token_malformed']);
          const { headers: bare } = await context.check(bearer(prefix + token));
          expect(bare['X-Meshgate-Reason']).toBe('token_malformed');
        }
      }
    },
  );

  it('does not pass on another host as it is', async () => {
    for (const context of await afterPassing()) {
      expect((await context.check(bearer(token))).headers['X-Meshgate-Reason']).toBe('audience_mismatch');
    }
  });
});

it.each([' ', '\t', ',', '"', '%20', 'é', '\u0001', '\u00a0', '\n'])(
  'a token with %j in it is rejected before any lookup with it',
  async (character) => {
    const context = new Context(table);
    const token = adasToken(start);
    expect((await context.check(bearer(token))).status).toBe(204);
    const look = vi.spyOn(fake.zones.tokens, 'get');
    for (const text of [
      token + character + token,
      `${token.slice(0, 9)}${character}${token.slice(9)}`,
      `a${character}`,
    ]) {
      expect((await context.check(bearer(text))).headers['X-Meshgate-Reason']).toBe('token_malformed');
    }
    expect(look).not.toHaveBeenCalled();
    look.mockRestore();
  },
);

describe('a caller that another context has kept', () => {
  const settings = { selection: 's', sends: { email: true, name: true, groups: true }, claims: ['level'] };
  const plain: Caller = { provider: 'okta', subject: 'o-ada', roles: ['staff'], groups: [], claims: {} };
  // All members that a caller of a token, or of an assertion, can have.
  const full: Omit<Required<Caller>, 'until' | 'elsewhere' | 'nobody'> = {
    ...plain,
    subject: 'o-ada\n1',
    email: 'ada@example.com',
    name: 'Ada',
    groups: ['staff'],
    claims: { level: 3 },
    agent: 'bot',
    alone: true,
    actors: ['spiffe://example.org/bot', 'release'],
    binding: 'dpop',
    stepUp: ['recent'],
    scopeUp: { editor: 'wiki:write' },
    truths: 'tfu',
    certificateHost: wiki,
    claimed: '{"level":3}',
  };

  function keptElsewhere(caller: Caller): Caller | undefined {
    const verified = {
      expires: start + 600,
      key: 'k',
      ...(caller.binding && { binding: { kind: caller.binding, thumbprint: 'x' } }),
    };
    new TokenCache(settings, () => true).put('', 'a.b.c', verified, caller, start, 300);
    return new TokenCache(settings, () => true).get('', 'a.b.c', start)?.caller;
  }

  it('has all its data', () => {
    expect(keptElsewhere(full)).toEqual(full);
    expect(keptElsewhere(plain)).toEqual(plain);
  });

  it.each(Object.entries(full))('has only its %s if it has nothing else', (member, value) => {
    const caller = { ...plain, [member]: value };
    expect(keptElsewhere(caller)).toEqual(caller);
  });
});
