/** Configurations of other products, modelled on public ones. For each, a table of requests says what the old product does
 * with them by its documentation; the new policy decides the same, or the report lists the difference. */
import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';
import { meshgate } from '../cli/fake.ts';
import { type Documented, decided, lists, migrate, type Sample } from './case.ts';
import { ingresses } from './ingress-nginx/index.ts';
import { oauth2Proxies } from './oauth2-proxy/index.ts';

const samples: Readonly<Record<string, Sample>> = { ...oauth2Proxies, ...ingresses };

const named = (it: Documented) => `${JSON.stringify(it.as)} ${it.method ?? 'GET'} ${it.url}: ${it.before}`;

test.each(['oauth2-proxy', 'ingress-nginx'])('there are ten configurations of %s', (product) => {
  expect(Object.values(samples).filter(({ command }) => command === product)).toHaveLength(10);
});

describe.each(Object.entries(samples))('%s', async (_, sample) => {
  const report = await migrate(sample);

  test('gives a policy that meshgate validate accepts', async () => {
    expect(parsePolicy(report.policy, 'meshgate.yaml').errors).toEqual([]);
    const ran = await meshgate(['validate', 'p.yaml'], { files: { 'p.yaml': report.policy } });
    expect(ran.code).toBe(0);
  });

  test.each(sample.cases.map((it) => [named(it), it] as const))('%s', (_name, it) => {
    const got = decided(report.policy, it) === 'allowed' ? 'passes' : 'refused';
    if (it.differs === undefined) {
      expect(got).toBe(it.before);
      return;
    }
    expect(got).not.toBe(it.before);
    expect(lists(report, it.differs)).toBe(true);
    const isWider = got === 'passes';
    const warned = report.differs.some(({ option, wider }) => wider && option.includes(it.differs ?? ''));
    if (isWider) expect(warned).toBe(true);
  });

  test.each(sample.lists)('the report lists %s: %s', (option, text) => {
    expect(lists(report, option, text), JSON.stringify(report, null, 1)).toBe(true);
  });

  test('no output contains a secret', async () => {
    const { command, files, beside = {}, args = [], secrets = [] } = sample;
    const ran = await meshgate(['migrate', command, ...args, ...Object.keys(files)], {
      files: { ...files, ...beside },
    });
    for (const secret of secrets) expect(ran.out + ran.err + JSON.stringify(report)).not.toContain(secret);
  });
});
