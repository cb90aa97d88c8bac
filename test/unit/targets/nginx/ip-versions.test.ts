import { expect, test } from 'vitest';
import { goldenPolicy, render } from './golden.ts';
import { args, type Parsed, readConf } from './read.ts';

const policy = goldenPolicy('agents');

/** The files of a policy whose gateway uses these versions of IP. */
function filesOf(ipVersions: readonly (4 | 6)[], health = '8081', dir = '/etc/nginx/meshgate') {
  const gateway = { ...policy.gateway, ipVersions, health, listen: 9443 };
  return render({ ...policy, gateway }, { resolver: ['192.0.2.53', 'fd00::53', '[fd00::54]:5353'], dir }).files;
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
] as const)(
  'the front of the image listens with the versions %j, and leads to the servers',
  (versions, outer, inner) => {
    const files = filesOf(versions);
    const front = servers(files['stream.conf']);
    expect(listens(front).map((own) => own.map((it) => it.split(' ')[0]))).toEqual([outer, inner]);
    const passes = front.map(({ block = [] }) => args(block, 'pass')[0]);
    const all = listens(servers(files['servers.conf']));
    expect(new Set(all.flat().map((it) => it.split(' ')[0]))).toEqual(new Set(passes));
    const defaults = all.filter((own) => own.some((it) => it.includes('default_server')));
    expect(defaults).toHaveLength(2);
    for (const own of defaults) expect(own.every((it) => it.endsWith(' default_server'))).toBe(true);
  },
);

test.each([
  ['8081', [6], ['[::]:8081']],
  ['8081', [4, 6], ['8081', '[::]:8081']],
  ['127.0.0.1:8081', [4, 6], ['127.0.0.1:8081']],
  ['[::1]:8081', [4], ['[::1]:8081']],
] as const)('health at %s, with the versions %j, listens at %j', (health, versions, expected) => {
  const socket = 'unix:/run/meshgate/health.sock';
  const listensAt = (file?: string) => listens(servers(file)).find((own) => own.includes(socket));
  expect(listensAt(filesOf(versions, health)['http.conf'])).toEqual([socket, ...expected]);
  // In the image, the front of health listens there.
  const image = filesOf(versions, health, '/run/meshgate/conf');
  expect(listensAt(image['http.conf'])).toEqual([socket]);
  const front = servers(image['stream.conf']).filter(({ block = [] }) => args(block, 'pass').includes(socket));
  expect(listens(front)).toEqual([expected]);
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
