import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { composed } from '../../../../src/base/composed-key.ts';
import { DictStore } from '../../../../src/njs/shared/dict-store.ts';
import { REVOCATIONS_READ } from '../../../../src/njs/shared/dicts.ts';
import { EPOCH } from '../../../../src/njs/shared/epoch.ts';
import { EtcdClient } from '../../../../src/njs/shared/etcd-client.ts';
import { EtcdStore } from '../../../../src/njs/shared/etcd-store.ts';
import { keepRevoked } from '../../../../src/njs/shared/revoked.ts';
import { callBack } from '../../../../src/njs/signin/out/end.ts';
import { watchRevocations } from '../../../../src/njs/signin/out/revocations.ts';
import type { SigninContext } from '../../../../src/njs/signin/signin-context.ts';
import { ending, revocation } from '../../../../src/session/revocation/new-revocation.ts';
import { ofAny, ofIssuer, reportedText, revocationKey } from '../../../../src/session/revocation/revocation.ts';
import type { TokenProvider } from '../../../../src/token/types.ts';
import { FakeEtcd } from '../fake-etcd.ts';
import { fakeNgx, stopClock } from '../fake-ngx.ts';

const fake = fakeNgx();
stopClock(fake);
const { revoked, keys, locks } = fake.zones;

/** The kept revocations, without the room that the job reserves and the list of claims. */
const kept = () => revoked.keys().filter((key) => !key.startsWith('room') && key !== 'claims\n');
const providers = {
  okta: { issuer: 'https://okta.example', subject: { claim: 'email', prefix: 'o-' } } as unknown as TokenProvider,
};
const seal = { seal: async (text: string) => text, open: async (text: string) => text };
const store = new DictStore(seal, keepRevoked);

let state: string;
let folder: string;

beforeEach(() => {
  for (const zone of Object.values(fake.zones)) {
    zone.clear();
    zone.room = Number.POSITIVE_INFINITY;
    zone.taken = 0;
  }
  fake.logged.length = 0;
  state = mkdtempSync(join(tmpdir(), 'meshgate-state-'));
  folder = join(state, 'revoke');
});

afterEach(() => rmSync(state, { recursive: true }));

const lay = (name: string, text: string): void => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), text);
};

const textOf = (value: string): string => `${JSON.stringify(revocation('sid', ofAny(value), Date.now() / 1000))}\n`;

describe('the job of revocations', () => {
  it('logs at its start that revocations of an earlier build do not apply, and frees their room', async () => {
    for (const key of ['sub okta o-ada', 'kid k1']) revoked.set(key, '253402300799');
    await watchRevocations(state, store, providers);
    expect(kept()).toEqual([]);
    expect(fake.logged).toContainEqual('meshgate: 2 revocations of an earlier build are not in force: revoke again');
  });

  const before = { before: 900, until: Math.floor(Date.now() / 1000) + 86_400, made: 899 };
  const earlier = (provider: string, subject: string) => revocationKey('sub', composed(provider, subject));

  it('translates people of the build before, by the issuer and the claims that the policy has now', async () => {
    revoked.set(earlier('okta', 'o-ada@example.com'), reportedText(before));
    revoked.set(earlier('certificate', 'dns:ci.example.com'), reportedText(before));
    await watchRevocations(state, store, providers);
    expect(kept().sort()).toEqual(
      [
        'sub\ncertificate\nsub\ndns:ci.example.com\n',
        'sub\nhttps://okta.example\nemail\nada@example.com\n',
        'sub\nhttps://okta.example\nsub\no-ada@example.com\n',
      ].sort(),
    );
    expect(revoked.get('claims\n')).toBe('["email"]');
    expect(fake.logged).toEqual([]);
    await watchRevocations(state, store, { other: providers.okta });
    expect(kept()).toHaveLength(3);
  });

  it('says how many people of the build before it cannot translate', async () => {
    revoked.set(earlier('gone', 'ada'), reportedText(before));
    revoked.set(`sub\nsha256 ${'x'.repeat(43)}`, reportedText(before));
    await watchRevocations(state, store, providers);
    expect(kept()).toEqual([]);
    expect(fake.logged).toContainEqual('meshgate: 2 revocations of an earlier build are not in force: revoke again');
  });

  it('revokes a person under the issuer, the claim of the subject and `sub`', async () => {
    const { value: _, ...reported } = revocation('sub', '', Date.now() / 1000);
    for (const [subject, claim] of [
      ['o-ada@example.com', 'ada@example.com'],
      ['bob@example.com', 'bob@example.com'],
    ] as const) {
      revoked.clear();
      lay('a.json', `${JSON.stringify({ ...reported, provider: 'okta', subject })}\n`);
      await watchRevocations(state, store, providers);
      expect(kept().sort()).toEqual(
        [`sub\nhttps://okta.example\nemail\n${claim}\n`, `sub\nhttps://okta.example\nsub\n${subject}\n`].sort(),
      );
    }
  });

  it('makes its folder, reads files, and has known credentials checked again', async () => {
    await watchRevocations(state, store, providers);
    expect(existsSync(folder)).toBe(true);
    const epoch = keys.get(EPOCH);
    lay('a.json', textOf('a'));
    lay('b.json', textOf('b'));
    await watchRevocations(state, store, providers);
    expect(kept()).toEqual(['a', 'b'].map((id) => revocationKey('sid', ofAny(id))));
    expect(readdirSync(folder)).toEqual([]);
    expect(keys.get(EPOCH)).not.toBe(epoch);
    expect(fake.logged).toEqual([]);
  });

  it('has known credentials checked again once after a restart', async () => {
    revoked.set(revocationKey('sid', ofAny('kept')), '9');
    await watchRevocations(state, store, providers);
    const epoch = keys.get(EPOCH);
    expect(epoch).toMatch(/!$/);
    await watchRevocations(state, store, providers);
    expect(keys.get(EPOCH)).toBe(epoch);
  });

  it('refuses an invalid file, and reports it to the command and in the log', async () => {
    lay('a.json', '{"kind":"all","value":"x","before":1,"until":2,"made":1}\n');
    await watchRevocations(state, store, providers);
    expect(readdirSync(folder)).toEqual(['a.json.refused']);
    expect(readFileSync(join(folder, 'a.json.refused'), 'utf8')).toBe('it is not a revocation\n');
    expect(fake.logged).toEqual([expect.stringContaining('a.json: it is not a revocation')]);
  });

  it('refuses a provider that the policy does not have', async () => {
    const { value: _, ...reported } = revocation('sub', '', Date.now() / 1000);
    const typo = { ...reported, provider: 'okat', subject: 'u1' };
    lay('a.json', `${JSON.stringify(typo)}\n`);
    await watchRevocations(state, store, providers);
    const why = 'the policy has no provider "okat", only okta, certificate';
    expect(readFileSync(join(folder, 'a.json.refused'), 'utf8')).toBe(`${why}\n`);
    for (const provider of ['okta', 'certificate']) {
      lay('b.json', `${JSON.stringify({ ...typo, provider })}\n`);
      await watchRevocations(state, store, providers);
      expect(readdirSync(folder)).toEqual(['a.json.refused']);
    }
  });

  it('refuses when the zone is full', async () => {
    revoked.room = 0;
    lay('a.json', textOf('a'));
    await watchRevocations(state, store, providers);
    expect(readFileSync(join(folder, 'a.json.refused'), 'utf8')).toContain('meshgate_revoked is full');
  });

  it('ignores a file while it is written, and reads it when it is complete', async () => {
    lay('a.json', '{"kind":"si');
    vi.setSystemTime(statSync(join(folder, 'a.json')).mtimeMs);
    await watchRevocations(state, store, providers);
    expect(readdirSync(folder)).toEqual(['a.json']);
    vi.setSystemTime(Date.now() + 60_000);
    await watchRevocations(state, store, providers);
    expect(readdirSync(folder)).toEqual(['a.json.refused']);
  });

  it('logs once a minute that there is hardly any room', async () => {
    revoked.taken = 0.79;
    await watchRevocations(state, store, providers);
    expect(fake.logged).toEqual([]);
    revoked.taken = 0.8;
    await watchRevocations(state, store, providers);
    await watchRevocations(state, store, providers);
    expect(fake.logged).toEqual([expect.stringContaining('meshgate_revoked is 80 % full')]);
    fake.clock += 60_000;
    await watchRevocations(state, store, providers);
    expect(fake.logged).toHaveLength(2);
  });
});

describe('with etcd', () => {
  let etcd: FakeEtcd;
  let shared: EtcdStore;

  beforeEach(() => {
    etcd = new FakeEtcd();
    fake.fetch = etcd.fetch;
    shared = new EtcdStore(new EtcdClient('/run/egress.sock', 1), '/meshgate/', seal, keepRevoked);
  });

  it('passes a file to the other replicas, and reads theirs', async () => {
    lay('a.json', textOf('a'));
    await watchRevocations(state, shared, providers);
    expect(readdirSync(folder)).toEqual([]);
    revoked.clear();
    fake.zones.once.clear();
    await watchRevocations(state, shared, providers);
    expect([...kept()].sort()).toEqual([REVOCATIONS_READ, revocationKey('sid', ofAny('a'))].sort());
  });

  it('enforces it here at once while etcd is down, and passes it to the others later', async () => {
    etcd.fates[0] = 'refuses';
    lay('a.json', textOf('a'));
    await watchRevocations(state, shared, providers);
    expect(kept()).toEqual([revocationKey('sid', ofAny('a'))]);
    expect(readdirSync(folder)).toEqual(['a.json']);
    expect(fake.logged).toEqual([expect.stringContaining('waits for the other replicas')]);
    etcd.fates[0] = 'answers';
    await watchRevocations(state, shared, providers);
    expect(readdirSync(folder)).toEqual([]);
    expect([...etcd.entries.keys()].map((key) => Buffer.from(key, 'base64').toString())).toEqual([
      '/meshgate/revoked/sid/a\n',
    ]);
  });

  /** Each call to etcd takes this long; calls about the revocation of `refused` fail, or all calls if there is none. */
  const isSlow = (milliseconds: number, refused = ''): void => {
    const name = Buffer.from(`/meshgate/revoked/sid/${ofAny(refused)}`).toString('base64');
    fake.fetch = async (url, options) => {
      vi.setSystemTime(Date.now() + milliseconds);
      if (refused === '' || options?.body?.includes(name)) return { status: 502, text: async () => '{}' };
      return etcd.fetch(url, options);
    };
  };

  const signout = (i: number): string =>
    `${JSON.stringify(ending('okta', { names: [['sub', `u${i}`]], sid: `s${i}` }, Date.now() / 1000, 9))}\n`;

  it('of an operator reach the other replicas before any waiting sign-out, whichever way it came', async () => {
    mkdirSync(folder);
    fake.fetch = async () => ({ status: 502, text: async () => '{}' });
    const now = Date.now() / 1000;
    const context = { store: shared, signin: { stateDir: state } } as unknown as SigninContext;
    for (let i = 0; i < 20; i++) {
      const ended = revocation(i % 2 === 0 ? 'psid' : 'sub', ofIssuer('okta', `x${i}`), now, 9);
      await callBack(context, [ended]);
    }
    lay('zz.json', textOf('thief'));
    isSlow(150, 'none');
    await watchRevocations(state, shared, providers);
    expect(readdirSync(folder)).not.toContain('zz.json');
    expect(readdirSync(folder).length).toBeGreaterThan(15);
  });

  it.each([
    [1, 900],
    [300, 2],
  ])(
    'of an operator are enforced at once behind %i sign-outs, while each call to etcd fails after %i ms',
    async (count, ms) => {
      isSlow(ms);
      for (let i = 0; i < count; i++) lay(`out-${i}.json`, signout(i));
      lay('sid-1.json', textOf('thief'));
      await watchRevocations(state, shared, providers);
      expect(revoked.has(revocationKey('sid', ofAny('thief')))).toBe(true);
      expect(readdirSync(folder)).toHaveLength(count + 1);
    },
  );

  it('of an operator reach the other replicas before sign-outs do', async () => {
    isSlow(200, 'none');
    for (let i = 0; i < 20; i++) lay(`out-${i}.json`, signout(i));
    lay('sid-1.json', textOf('thief'));
    await watchRevocations(state, shared, providers);
    expect(readdirSync(folder)).not.toContain('sid-1.json');
    expect(readdirSync(folder)).toContain('out-9.json');
  });

  it('each have their turn if etcd never answers about one of them, and late about others', async () => {
    isSlow(900, 'a');
    for (const name of ['a', 'b', 'c']) lay(`sid-${name}.json`, textOf(name));
    for (let run = 0; run < 4; run++) await watchRevocations(state, shared, providers);
    expect(readdirSync(folder)).toEqual(['sid-a.json']);
  });

  it('logs the age of its revocations once a minute, while etcd is down', async () => {
    await watchRevocations(state, shared, providers);
    etcd.fates[0] = 'refuses';
    await watchRevocations(state, shared, providers);
    expect(fake.logged).toEqual([]);
    locks.set('revocations seen', Date.now() / 1000 - 7);
    await watchRevocations(state, shared, providers);
    await watchRevocations(state, shared, providers);
    expect(fake.logged).toEqual(['meshgate: revocations are 7 s old: etcd does not answer (it answered 502)']);
  });
});
