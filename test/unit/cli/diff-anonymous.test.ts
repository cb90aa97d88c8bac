/** Gains and losses of anonymous callers by a role of the request, compared with `explain --network`. */
import { describe, expect, test } from 'vitest';
import { meshgate } from './fake.ts';

interface Own {
  readonly roles: string;
  readonly allow: string;
}

const policy = ({ roles, allow }: Own) => `version: 1
gateway: { insecure_http: true }
providers:
  okta: { issuer: https://login.example.com, audiences: [wiki] }
roles: { ${roles} }
services:
  wiki: { insecure_url: http://wiki.internal }
${['one', 'two'].map((name) => (allow.includes(name) ? `  ${name}: { insecure_url: http://${name}.internal }\n` : '')).join('')}hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [${allow}] }
`;

const run = (command: string, a: string, b: string, ...args: readonly string[]) =>
  meshgate([command, ...args, 'a.yaml', 'b.yaml'], { files: { 'a.yaml': a, 'b.yaml': b } });

/** The service that an anonymous caller reaches from an address; undefined: none. */
async function reached(text: string, address: string): Promise<string | undefined> {
  const requested = ['explain', '--format', 'json', '--network', address, 'GET', 'http://wiki.example.com/x'];
  const { allowed, rule } = JSON.parse((await meshgate(requested, { files: { './meshgate.yaml': text } })).out);
  return allowed ? rule.service : undefined;
}

const staff = (fact: string): Own => ({ roles: `staff: ${fact}`, allow: 'staff' });
const GROUP = '{ group: staff }';

describe('a role that anonymous callers have as well', () => {
  test.each<readonly [string, Own, Own, address: string, role: string, given: string]>([
    [
      'a group or a network',
      staff(GROUP),
      staff('{ any: [{ group: staff }, { network: [192.0.2.0/24] }] }'),
      '192.0.2.7',
      'staff',
      'now gives',
    ],
    [
      'all but a network',
      staff(GROUP),
      staff('{ none: [{ network: [192.0.2.0/24] }] }'),
      '198.51.100.7',
      'staff',
      'now gives',
    ],
    [
      'made of another one that becomes a network',
      { roles: `a: ${GROUP}, staff: { any: [{ scope: x }, a] }`, allow: 'staff' },
      { roles: 'a: { network: [192.0.2.0/24] }, staff: { any: [{ scope: x }, a] }', allow: 'staff' },
      '192.0.2.7',
      'staff',
      'now gives',
    ],
    [
      'a larger network',
      staff('{ network: [10.0.0.0/24] }'),
      staff('{ network: [10.0.0.0/8] }'),
      '10.200.0.7',
      'staff',
      'now gives',
    ],
    [
      'a network of IPv6 more',
      staff('{ network: [10.0.0.0/24] }'),
      staff('{ network: [10.0.0.0/24, "fd00::/8"] }'),
      'fd12::7',
      'staff',
      'now gives',
    ],
    [
      'a new role by network',
      staff(GROUP),
      { roles: `staff: ${GROUP}, net: { network: [192.0.2.0/24] }`, allow: 'staff, net' },
      '192.0.2.7',
      'net',
      'now gives',
    ],
    [
      'a role by network that another rule names',
      { roles: `staff: ${GROUP}, net: { network: [192.0.2.0/24] }`, allow: 'staff, { role: net, methods: [POST] }' },
      { roles: `staff: ${GROUP}, net: { network: [192.0.2.0/24] }`, allow: 'staff, net' },
      '192.0.2.7',
      'net',
      'gives',
    ],
  ])('%s: a gain, and in the other direction a loss', async (_, before, after, address, role, gives) => {
    const [a, b] = [policy(before), policy(after)];
    expect([await reached(a, address), await reached(b, address)]).toEqual([undefined, 'wiki']);
    const { code, out } = await run('diff', a, b);
    expect(code).toBe(1);
    const wanted = `+ a caller without a credential, where the request ${gives} ${role}, may now use any method `;
    expect(out.split('\n').filter((line) => line.startsWith(wanted))).toHaveLength(1);
    const { changes } = JSON.parse((await run('diff', a, b, '--format', 'json')).out);
    const given = gives === 'now gives' ? { given: 'now' } : {};
    expect(changes).toContainEqual(expect.objectContaining({ kind: 'gained', who: 'nobody', roles: [role], ...given }));
    if (gives === 'now gives')
      expect((await run('diff', b, a)).out).toContain(`no longer gives ${role}, may no longer`);
    await confirms(a, b);
  });

  test('a smaller network is only a loss', async () => {
    const [a, b] = [policy(staff('{ network: [10.0.0.0/8] }')), policy(staff('{ network: [10.0.0.0/24] }'))];
    const { out } = await run('diff', a, b);
    expect(out).toContain(
      '- a caller without a credential, where the request no longer gives staff, may no longer use',
    );
    expect(out).not.toMatch(/^\+/m);
  });

  test('an address that gives one role now, and gave another, reaches another service by the new role', async () => {
    const of = (one: string, two: string) =>
      policy({
        roles: `r1: { network: [${one}] }, r2: { network: [${two}] }`,
        allow: '{ role: r1, service: one }, r2',
      });
    const { out } = await run('diff', of('10.0.0.0/8', '192.0.2.0/24'), of('192.0.2.0/24', '10.0.0.0/8'));
    expect(out).toContain('~ a caller without a credential, where the request now gives r1, may still');
    expect(out).toContain('~ a caller without a credential, where the request now gives r2, may still');
  });

  test('the same addresses in other ranges change nothing', async () => {
    const halves = policy(staff('{ network: [10.0.0.0/9, 10.128.0.0/9] }'));
    const { out } = await run('diff', policy(staff('{ network: [10.0.0.0/8] }')), halves);
    expect(out).not.toMatch(/^[-+~]/m);
  });
});

/** `prove` names an address for which `explain` has two results. */
async function confirms(a: string, b: string): Promise<void> {
  const proof = JSON.parse((await run('prove', a, b, '--format', 'json')).out);
  expect(proof.same).toBe(false);
  const { address } = proof.witness.caller;
  if (address !== undefined) expect(await reached(a, address)).not.toBe(await reached(b, address));
}

describe('two roles of one address', () => {
  const roles = 'a: { network: [10.0.0.0/8] }, b: { network: [10.9.0.0/16] }';
  const [one, two] = ['{ role: a, service: one }', '{ role: b, service: two }'];
  const before: Own = { roles, allow: `authenticated, ${one}, ${two}` };
  const after: Own = { roles, allow: `authenticated, ${two}, ${one}` };

  test('the order of their rules matters if their networks overlap', async () => {
    const [a, b] = [policy(before), policy(after)];
    expect([await reached(a, '10.9.0.7'), await reached(b, '10.9.0.7')]).toEqual(['one', 'two']);
    expect((await run('diff', a, b)).out).toContain(
      '~ a caller without a credential, where the request gives b, a, may still use any method',
    );
    await confirms(a, b);
  });

  test('the order does not matter if they do not overlap', async () => {
    const apart = (own: Own) => policy({ ...own, roles: roles.replace('10.9.0.0/16', '192.0.2.0/24') });
    expect((await run('prove', apart(before), apart(after))).code).toBe(0);
  });
});
