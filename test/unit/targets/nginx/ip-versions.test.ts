import { expect, test } from 'vitest';
import { goldenPolicy, render } from './golden.ts';
import { args, type Parsed, readConf } from './read.ts';

const policy = goldenPolicy('agents');

/** The files of a policy whose gateway uses these versions of IP. */
function filesOf(ipVersions: readonly (4 | 6)[], health = '8081') {
  const gateway = { ...policy.gateway, ipVersions, health, listen: 9443 };
  return render({ ...policy, gateway }, { resolver: ['192.0.2.53', 'fd00::53', '[fd00::54]:5353'] }).files;
}

const servers = (text = '') => readConf(text).filter(({ words: [name] }) => name === 'server');
const listens = (all: readonly Parsed[]) => all.map(({ block = [] }) => args(block, 'listen'));

test.each([
  [[4], ['9443'], ['8444']],
  [[6], ['[::]:9443'], ['[::]:8444']],
  [
    [4, 6],
    ['9443', '[::]:9443'],
    ['8444', '[::]:8444'],
  ],
] as const)('the servers of the image listen with the versions %j', (versions, outer, inner) => {
  const all = listens(servers(filesOf(versions)['servers.conf']));
  const at = (own: readonly string[]) => own.map((it) => it.split(' ')[0]);
  const found = new Set(all.map((own) => at(own).join()));
  expect(found).toEqual(new Set([outer.join(), inner.join()]));
  const defaults = all.filter((own) => own.some((it) => it.includes('default_server')));
  expect(defaults).toHaveLength(2);
  for (const own of defaults) expect(own.every((it) => it.endsWith(' default_server'))).toBe(true);
});

test.each([
  ['8081', [6], ['[::]:8081']],
  ['8081', [4, 6], ['8081', '[::]:8081']],
  ['127.0.0.1:8081', [4, 6], ['127.0.0.1:8081']],
  ['[::1]:8081', [4], ['[::1]:8081']],
] as const)('health at %s, with the versions %j, listens at %j', (health, versions, expected) => {
  const own = listens(servers(filesOf(versions, health)['http.conf'])).find(([first]) =>
    first?.includes('health.sock'),
  );
  expect(own?.slice(1)).toEqual(expected);
});

test.each([
  [[4], 'ipv6=off'],
  [[6], 'ipv4=off'],
  [[4, 6], ''],
] as const)('with the versions %j, nginx looks up no other addresses (%s)', (versions, off) => {
  const text = Object.values(filesOf(versions)).join('\n').replaceAll('"', '');
  const found = new Set([...text.matchAll(/^ *resolver ([^;]+);/gm)].map(([, it]) => it));
  expect(found).toEqual(new Set([`192.0.2.53 [fd00::53] [fd00::54]:5353 valid=10s${off && ` ${off}`}`]));
});
