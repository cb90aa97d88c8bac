/** The tests' own etcd: three members with TLS, of which one may die or hang. */
import { expect, test } from 'vitest';
import { startEtcd, testStage, until } from '../harness/index.ts';

const stage = await testStage('etcd');
const { members } = await startEtcd(stage);
const [first, second, third] = members as [(typeof members)[0], (typeof members)[0], (typeof members)[0]];

test('a member knows what another member was told', async () => {
  await first.put('sessions/1', 'value');
  expect(await second.get('sessions/1')).toBe('value');
  expect(await third.get('sessions/2')).toBeUndefined();
  expect(await third.keys('sessions/')).toEqual(['sessions/1']);
});

test('refuses a client without a certificate, or with one of another CA', async () => {
  const foreign = await stage.meshCa.issue({ commonName: 'gateway' });
  for (const pem of ['', foreign.pem]) {
    await expect(first.call('/v3/kv/range', { key: 'eA==' }, pem)).rejects.toThrow();
  }
});

test('goes on with one member hung, and then with one dead', async () => {
  await second.hang();
  const goes = async (value: string) => {
    const works = async () => (await first.put('sessions/1', value).catch(() => 'no')) === undefined;
    await until(works, { what: 'a write that two of three members take' });
    return third.get('sessions/1');
  };
  expect(await goes('hung')).toBe('hung');
  await second.resume();
  // A member that led before it hung refuses the first reads: it learns only now that another one leads.
  await until(async () => (await second.get('sessions/1').catch(() => undefined)) === 'hung', {
    what: 'the member that hung to have what was written meanwhile',
  });
  await second.kill();
  expect(await goes('dead')).toBe('dead');
});
