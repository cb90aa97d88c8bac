/** The number of lines that a reviewer reads: what each host, each route and each header adds to the rendered files. */
import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../../src/policy/checked/types.ts';
import { cases, goldenPolicy, render, withoutDigest } from './golden.ts';

const lines = (text = ''): number => text.split('\n').length - 1;

type Files = Readonly<Record<string, string>>;

const filesOf = (policy: Policy): Files =>
  Object.fromEntries(Object.entries(render(policy).files).map(([path, text]) => [path, withoutDigest(text)]));

/** Lines of all rendered configuration whose name matches. */
const linesOf = (files: Files, names: RegExp): number =>
  Object.entries(files).reduce((sum, [path, text]) => sum + (names.test(path) ? lines(text) : 0), 0);

const HOSTS = /^(hosts|inner)\//;
const SHARED = /^(?!hosts\/|inner\/).*\.conf$/;

const smallest = goldenPolicy('smallest');

test('the smallest host has at most 60 lines of its own', () => {
  expect(linesOf(filesOf(smallest), HOSTS)).toBeLessThanOrEqual(60);
});

test('all files that hosts share have at most 650 lines together', () => {
  expect(linesOf(filesOf(smallest), SHARED)).toBeLessThanOrEqual(650);
});

/** The smallest policy with twenty hosts, of three routes to two services each. */
function twentyHosts(): Policy {
  const [host] = smallest.hosts;
  const [route] = host!.routes;
  const wiki = smallest.services.wiki!;
  const hosts = Array.from({ length: 20 }, (_, i) => {
    const name = `host${i}.example.com`;
    const at = (path: string, service: string) => ({ ...route!, host: name, name: `${name}${path}/*`, path, service });
    return { ...host!, name, routes: [at('', 'wiki'), at('/rest', 'wiki'), at('/api', 'api')] };
  });
  return { ...smallest, services: { wiki, api: { ...wiki, name: 'api' } }, hosts };
}

test('twenty hosts of three routes have at most 1,200 lines together, those of their services included', () => {
  const files = filesOf(twentyHosts());
  expect(Object.keys(files).filter((path) => HOSTS.test(path))).toHaveLength(20);
  expect(linesOf(files, /^(hosts|services)\//)).toBeLessThanOrEqual(1200);
});

describe.each(cases)('%s', (name) => {
  const policy = goldenPolicy(name);
  const files = filesOf(policy);
  const routes = policy.hosts.flatMap((host) => (host.routes.length > 1 ? host.routes : []));

  test.each(routes.map((route) => [route.name, route] as const))('%s adds at most 15 lines', (_, route) => {
    const hosts = policy.hosts.map((host) => ({ ...host, routes: host.routes.filter((one) => one !== route) }));
    const added = Object.entries(filesOf({ ...policy, hosts })).map(([path, text]) =>
      HOSTS.test(path) ? lines(files[path]) - lines(text) : 0,
    );
    expect(Math.max(...added)).toBeLessThanOrEqual(15);
  });

  test('one more identity header changes at most 10 lines', () => {
    const hosts = policy.hosts.map((host) => ({
      ...host,
      routes: host.routes.map((route) => ({
        ...route,
        headers: { ...route.headers, 'X-Forwarded-Team': { claim: 'team' } },
      })),
    }));
    const after = Object.entries(filesOf({ ...policy, hosts })).filter(([path]) => path.endsWith('.conf'));
    const changed = after.flatMap(([path, text]) => {
      const before = new Set(files[path]?.split('\n'));
      return text.split('\n').filter((line) => !before.has(line));
    });
    expect(changed.length, changed.join('\n')).toBeLessThanOrEqual(10);
  });
});
