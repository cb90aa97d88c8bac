import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Nonces, type NoncesNow } from '../../../src/njs/callers/nonces.ts';
import { TokenCache } from '../../../src/njs/callers/tokens.ts';
import type { Binding } from '../../../src/token/types.ts';
import { ringKey } from '../session/rings.ts';
import { fakeNgx } from './fake-ngx.ts';

const fake = fakeNgx();
const start = 1_790_000_010;

beforeEach(() => {
  for (const zone of Object.values(fake.zones)) zone.clear();
  fake.clock = start * 1000;
});

describe('a bound token', () => {
  const caller = { provider: 'okta', subject: 'ada', roles: ['staff'], groups: [], claims: {} };
  const settings = { selection: 'x', sends: { email: true, name: false, groups: false }, claims: [] };
  const bindings: readonly (Binding | undefined)[] = [
    { kind: 'dpop', thumbprint: 'a'.repeat(43) },
    { kind: 'certificate', thumbprint: 'b'.repeat(43) },
    undefined,
  ];

  it.each(bindings)('bound by %j stays bound in other contexts, where it comes out of shared memory', (binding) => {
    const verified = { expires: start + 600, key: 'k', ...(binding && { binding }) };
    const known = { ...caller, ...(binding && { binding: binding.kind }) };
    new TokenCache(settings, () => true).put('', 'a.b.c', verified, known, start, 300, '1 jti', 'sub');
    const other = new TokenCache(settings, () => true).get('', 'a.b.c', start);
    expect(other?.binding).toEqual(binding);
    expect(other?.caller).toEqual(known);
    expect(other?.stamp).toBe('1 jti');
  });

  it('whose caller needs more than a line stays bound as well', () => {
    const binding = { kind: 'dpop', thumbprint: 'a'.repeat(43) } as const;
    const known = { ...caller, subject: 'ada\nof wiki', binding: binding.kind };
    new TokenCache(settings, () => true).put(
      '',
      'a.b.c',
      { expires: start + 600, key: 'k', binding },
      known,
      start,
      300,
    );
    const other = new TokenCache(settings, () => true).get('', 'a.b.c', start);
    expect([other?.binding, other?.caller.subject]).toEqual([binding, 'ada\nof wiki']);
  });
});

describe('nonces', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meshgate-nonces-'));
  const file = join(folder, 'keys.jwks');
  const write = (...seeds: number[]) =>
    writeFileSync(file, JSON.stringify({ keys: seeds.map((seed) => ringKey(`k${seed}`, seed)) }));
  const at = async (nonces: Nonces, now: number): Promise<NoncesNow> => {
    const made = await nonces.at(now);
    if (made === undefined) throw new Error('no nonces');
    return made;
  };

  it('are issued for 15 s and accepted for 15 s more, also by clocks that are 15 s behind', async () => {
    const nonces = new Nonces(undefined);
    const { fresh } = await at(nonces, start);
    expect((await at(nonces, start + 14)).fresh).toBe(fresh);
    expect((await at(nonces, start + 15)).fresh).not.toBe(fresh);
    const taken = async (seconds: number) => (await at(nonces, start + seconds)).taken.includes(fresh);
    expect([await taken(0), await taken(29), await taken(30)]).toEqual([true, true, false]);
    expect([await taken(-1), await taken(-15), await taken(-16)]).toEqual([true, true, false]);
  });

  it('of one nginx are equal in all its contexts, and differ from those of another', async () => {
    const { fresh } = await at(new Nonces(undefined), start);
    expect((await at(new Nonces(undefined), start)).fresh).toBe(fresh);
    fake.zones.proofs.clear();
    expect((await at(new Nonces(undefined), start)).taken).not.toContain(fresh);
  });

  it('of a file are equal in each place, and accepted by any of its keys', async () => {
    write(1, 2);
    const { fresh } = await at(new Nonces(file), start);
    fake.zones.proofs.clear();
    expect((await at(new Nonces(file), start)).fresh).toBe(fresh);
    write(2, 3, 1);
    const rotated = await at(new Nonces(file), start);
    expect(rotated.fresh).not.toBe(fresh);
    expect(rotated.taken).toContain(fresh);
    write(4);
    expect((await at(new Nonces(file), start)).taken).not.toContain(fresh);
    rmSync(file);
    expect(await new Nonces(file).at(start)).toBeUndefined();
  });

  it('do not exist if the memory has no room for the key', async () => {
    fake.zones.proofs.room = 0;
    expect(await new Nonces(undefined).at(start)).toBeUndefined();
    fake.zones.proofs.room = Number.POSITIVE_INFINITY;
    rmSync(folder, { recursive: true });
  });
});
