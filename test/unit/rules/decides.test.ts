/** For each key of the language: two valid policies that differ in this key alone. */
import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { nginxOptions } from '../../../src/targets/nginx/options.ts';
import { renderNginx } from '../../../src/targets/nginx/render.ts';
import { meshgate } from '../cli/fake.ts';
import { keys, type Pair, pairFor } from './one-key.ts';

/** Keys that no two valid policies differ in alone, and why. */
const FIXED: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^version$/, 'it has one value'],
  [/^gateway\.insecure_proxied_networks$/, 'it is required where it has an effect, and an error elsewhere'],
  [/^gateway\.proof\.nonce$/, 'keys_file is an error without it'],
  [/^gateway\.audit\.witnesses\[\]\.key$/, 'the id in it is a hash of the key'],
  [/^providers\.\*\.insecure_any_audience$/, 'it stands instead of audiences'],
  [/^agents\.\*\.match\.service$/, 'each service that is an agent has a spiffe, and the others may have none'],
  [/^mesh\.trust_domain$/, 'all SPIFFE ids of a mesh are in it'],
  [/^services\.\*\.mesh$/, 'all services of a route are in one mesh'],
  [/^hosts\.\*\.proxy\.stream$/, 'a default cannot be written'],
  [/^hosts\.\*\.\/\.\*\.allow\[\]\.agent$/, 'each agent has a rule, and no two rules of a route may be the same'],
  [/^teams\b/, 'it says what a file may contain, and the contents are other keys'],
  [/^profiles\b/, 'it becomes other keys before a policy is compared'],
  [/^tests\b/, 'it asks, and decides nothing'],
];

/** Keys that decide nothing although the check or the sign-in reads them, and why. */
const READ: Readonly<Record<string, string>> = {
  'gateway.name': 'the sign-in logs what another name does to stored data',
  'gateway.audit.host': 'the sign-in logs what another name does to stored data',
  'gateway.audit.instance': 'the sign-in logs what another name does to stored data',
  'gateway.audit.pseudonyms': 'the check writes them into the log',
  'gateway.audit.pseudonyms.key_file': 'the check writes them into the log',
  'gateway.audit.claims': 'the check writes them into the log',
  'gateway.signin.pages_dir': 'what pages look like',
  'gateway.tls': 'its one key that decides, client_ca_file, has a card of its own',
  'hosts.*.tls': 'its one key that decides, client_ca_file, has a card of its own',
  'providers.*.signin.prompt': 'what the provider shows; it confirms the same person',
  'providers.*.signin.domains': 'which provider the page suggests',
  'providers.*.signin.label': 'what the page calls the provider',
  'providers.*.signin.par': 'how the same request reaches the provider',
  'hosts.*./.*.owner': 'whom a refusal names',
  'hosts.*./.*.ask': 'which link a refusal has',
  'hosts.*.owner': 'whom refusals name',
  'hosts.*.ask': 'which link refusals have',
};

const options = nginxOptions({ dir: '/etc/nginx/meshgate', resolver: ['192.0.2.53'] });

/** What the gateway reads, without names that differ for any two policies and without the copy of the policy itself. */
function filesOf(text: string): Readonly<Record<string, string>> {
  const { policy } = parsePolicy(text, 'policy.yaml');
  if (policy === undefined) throw new Error('the policy has errors');
  const { files } = renderNginx(policy, compile(policy), options);
  const kept = Object.entries(files).filter(([name]) => !name.startsWith('audit/policy-'));
  return Object.fromEntries(
    kept.map(([name, content]) => [
      name,
      content.replace(/(?<="(?:meshgate\.)?policy": ?")[0-9a-f]{32}|"selection": "[\w-]+"/g, ''),
    ]),
  );
}

function differing({ left, right }: Pair): readonly string[] {
  const [a, b] = [filesOf(left), filesOf(right)];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]);
}

/** The tables of the check and of the sign-in. */
const isTable = (file: string): boolean => /^(?:policy|signin-policy|client-policy)\.js$/.test(file);

const known = [...new Map([...keys()].reverse().map((key) => [key.name, key])).values()].reverse();
const varied = known.filter(({ path }) => !FIXED.some(([pattern]) => pattern.test(path)));

test('every key has a card, and the list of keys that cannot change alone names no other key', () => {
  expect(known.length).toBeGreaterThan(250);
  for (const [pattern] of FIXED)
    expect(
      known.some(({ path }) => pattern.test(path)),
      `${pattern}`,
    ).toBe(true);
  for (const path of Object.keys(READ)) expect(varied.find((key) => key.path === path)?.decides, path).toBe('nothing');
});

describe.each(varied.map((key) => [key.path, key] as const))('%s', (path, key) => {
  test('prove and diff do not call two policies the same if nginx gets something else', async () => {
    const pair = pairFor(key);
    if (pair === undefined) throw new Error('no two valid policies differ in this key alone: list it with the reason');
    const files = { 'a.yaml': pair.left, 'b.yaml': pair.right };
    const changed = differing(pair);
    const proof = JSON.parse((await meshgate(['prove', '--format', 'json', 'a.yaml', 'b.yaml'], { files })).out);
    if (changed.length > 0) {
      expect(proof.same === false || proof.notCompared !== undefined, changed.join(' ')).toBe(true);
      expect((await meshgate(['diff', 'a.yaml', 'b.yaml'], { files })).out).not.toBe('nothing changed\n');
    }
    if (key.decides === 'nothing' && READ[path] === undefined) expect(changed.filter(isTable)).toEqual([]);
  });
});
