/** What a change of a policy does to stored data: the table is complete, docs/upgrade.md says the same, and `diff` warns. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { composed } from '../../../src/base/composed-key.ts';
import type { Policy } from '../../../src/policy/checked/types.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { CHANGES, type ChangeKind, STORED } from '../../../src/rules/table/stored.ts';
import { meshgate } from '../cli/fake.ts';
import { golden, cases as goldens, render } from '../targets/nginx/golden.ts';

const ROOT = new URL('../../../', import.meta.url).pathname;
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** A policy with sessions, etcd, budgets, proofs, a sealed log and assertions. */
const POLICY = `version: 1
gateway:
  session: { keys_file: /run/session.jwks }
  signin: { host: auth.example.com }
  store: { etcd: [https://etcd-0:2379] }
  limits: { callers: { rate: 60/m }, zone: 1m }
  proof: { rate: 100/s }
  audit: { pseudonyms: { key_file: /run/pseudonyms.jwks } }
  assertion: { issuer: https://auth.example.com, keys_file: /run/assertion.jwks }
providers:
  people: { issuer: https://login.example.com, audiences: [wiki], client: { id: wiki, secret_file: /run/sso } }
services:
  wiki: { insecure_url: "http://wiki:8080" }
  pages: { insecure_url: "http://pages:8080" }
hosts:
  wiki.example.com:
    /*: { service: wiki, accept: [session, bearer], allow: [authenticated] }
  pages.example.com:
    /*: { service: pages, accept: [session, bearer], allow: [authenticated] }
`;

const CLIENT = ', client: { id: wiki, secret_file: /run/sso } }';

type Edit = readonly [from: RegExp | string, to: string];

const edited = (text: string, edits: readonly Edit[]): string =>
  edits.reduce((before, [from, to]) => before.replace(from, to), text);

/** Two providers, so that redirect URIs have their names; people sign in at each host. */
const BOTH = edited(POLICY, [
  [/ {2}signin: .*\n/, ''],
  [CLIENT, `, subject: { prefix: a- }${CLIENT}`],
  [
    'services:',
    '  partners: { issuer: https://partners.example.com, subject: { prefix: p- }, client: { id: wiki, secret_file: /run/b } }\nservices:',
  ],
  [/\n {2}(wiki)\.example\.com:/, '$&\n    providers: [people, partners]'],
  [/\n {2}(pages)\.example\.com:/, '$&\n    providers: [people]'],
]);

const stored = (...edits: readonly Edit[]) => storedFrom(POLICY, edits);

async function storedFrom(old: string, edits: readonly Edit[]) {
  const fresh = edited(old, edits);
  expect(fresh).not.toBe(old);
  const files = { 'a.yaml': old, 'b.yaml': fresh };
  const { code, out, err } = await meshgate(['diff', '--format', 'json', 'a.yaml', 'b.yaml'], { files });
  expect([code, err]).toEqual([1, '']);
  return JSON.parse(out).stored as { kind: ChangeKind; text: string; effects: { what: string; effect: string }[] }[];
}

/** For each change: an edit of the policy, and data that it ends (`-`), opens (`!`) or gives to others (`~`). */
const cases: Record<ChangeKind, [edits: readonly Edit[], says: readonly string[], before?: readonly Edit[]]> = {
  provider: [
    [['  people: {', '  staff: {']],
    [
      '- session cookies',
      '- records with refresh tokens',
      '- sign-ins that have begun',
      '~ names and pseudonyms of people in the log',
      '- assertions that services hold',
    ],
  ],
  redirect: [[['gateway:\n', 'gateway:\n  public_port: 8443\n']], ['- redirect URIs at the provider']],
  issuer: [
    [['https://login.example.com', 'https://sso.example.com']],
    [
      '! revocations and sign-outs',
      '- session cookies',
      '- records with refresh tokens',
      '- sign-ins that have begun',
      '- budgets of callers',
      '~ names and pseudonyms of people in the log',
    ],
  ],
  tenant: [
    [[', 0f8b5e9a-3c44-4d0a-8a57-92c1e6b7d222', '']],
    ['- session cookies', '- records with refresh tokens'],
    [
      [
        'https://login.example.com,',
        '"https://login.microsoftonline.com/{tenantid}/v2.0", tenants: [6d1c2f2e-0a51-4b6e-9f36-0d9f5c1f2a11, 0f8b5e9a-3c44-4d0a-8a57-92c1e6b7d222],',
      ],
    ],
  ],
  claim: [
    [[CLIENT, `, subject: { claim: email }${CLIENT}`]],
    ['- budgets of callers', '~ names and pseudonyms of people in the log'],
  ],
  prefix: [
    [[CLIENT, `, subject: { prefix: "a:" }${CLIENT}`]],
    ['- budgets of callers', '~ names and pseudonyms of people in the log'],
  ],
  host: [[['pages.example.com:', 'docs.example.com:']], ['- session cookies', '- sign-ins that have begun']],
  signinHost: [
    [['signin: { host: auth.example.com }', 'signin: { host: login.example.net }']],
    ['- sign-ins that have begun'],
  ],
  sessions: [
    [
      [/accept: \[session, bearer\]/g, 'accept: [bearer]'],
      [/ {2}(session|signin|store): .*\n/g, ''],
      [CLIENT, ' }'],
    ],
    ['! revocations and sign-outs', '- session cookies'],
  ],
  keysFile: [
    [['/run/session.jwks', '/run/other.jwks']],
    ['- session cookies', '- records with refresh tokens', '- sign-ins that have begun'],
  ],
  people: [
    [['session.jwks }', 'session.jwks, people: 200000 }']],
    ['! revocations and sign-outs', '- records with refresh tokens', '! marks of values that are used once'],
  ],
  store: [
    [['https://etcd-0:2379]', 'https://etcd-0:2379], prefix: /other/']],
    ['! revocations and sign-outs', '- records with refresh tokens', '! marks of values that are used once'],
  ],
  limit: [[['rate: 60/m', 'rate: 90/m']], ['- budgets of callers', '- budgets of addresses']],
  budgets: [[['zone: 1m', 'zone: 2m']], ['- budgets of callers', '- budgets of addresses']],
  proof: [[['proof: { rate: 100/s }', 'proof: { rate: 200/s }']], ['! marks of used DPoP proofs']],
  pseudonyms: [[['/run/pseudonyms.jwks', '/run/other.jwks']], ['~ names and pseudonyms of people in the log']],
  log: [[['audit: {', 'audit: { instance: gw-1,']], ['- the sealed log']],
  assertion: [
    [['issuer: https://auth.example.com,', 'issuer: https://wiki.example.com,']],
    ['- assertions that services hold'],
  ],
  service: [
    [
      ['  pages: {', '  docs: {'],
      ['service: pages', 'service: docs'],
    ],
    ['- assertions that services hold'],
  ],
  name: [[['gateway:\n', 'gateway:\n  name: team-a\n']], ['! objects in Kubernetes and Consul']],
};

const MARKS: Record<string, string> = { ends: '-', opens: '!', others: '~' };

describe('diff says what happens to stored data', () => {
  test.each(Object.entries(cases))('%s', async (kind, [edits, says, before = []]) => {
    const found = (await storedFrom(edited(POLICY, before), edits)).filter((change) => change.kind === kind);
    expect(found.flatMap(({ effects }) => effects.map(({ what, effect }) => `${MARKS[effect]} ${what}`))).toEqual(says);
    expect(found.every(({ text }) => text.length > kind.length)).toBe(true);
  });

  test('as one line of the text, and nothing if no name changes', async () => {
    const files = { 'a.yaml': POLICY, 'b.yaml': POLICY.replace('rate: 100/s', 'rate: 200/s') };
    const { out } = await meshgate(['diff', 'a.yaml', 'b.yaml'], { files });
    const line = /^! stored: proof: room of \d+ KB → room of \d+ KB: marks of used DPoP proofs are gone: .*$/m;
    expect(out).toMatch(line);
    const other = {
      ...files,
      'b.yaml': POLICY.replace('insecure_url: "http://wiki:8080"', 'insecure_url: "http://w:80"'),
    };
    expect((await meshgate(['diff', 'a.yaml', 'b.yaml'], { files: other })).out).not.toContain('stored');
  });

  const redirects = async (old: string, edits: readonly Edit[]) =>
    (await storedFrom(old, edits)).flatMap(({ kind, text }) => (kind === 'redirect' ? [text] : []));

  test('names the new redirect URIs of a provider that is renamed, where its name is a part of them', async () => {
    const [says, ...others] = await redirects(BOTH, [[/\bpeople(?=[:,\]])/g, 'staff']]);
    expect(says).toContain('provider staff sends people to https://wiki.example.com/.meshgate/callback/staff: ');
    expect(says).toContain('register these there before the change');
    expect(says).not.toContain('pages.example.com');
    expect(others).toEqual([]);
    expect(await redirects(POLICY, [['  people: {', '  staff: {']])).toEqual([]);
  });

  test('names the new redirect URI if a host has a second provider, another port or a sign-in host', async () => {
    const says = async (...edits: Edit[]) => (await redirects(BOTH, edits)).join('\n');
    expect(await says(['providers: [people]', 'providers: [people, partners]'])).toContain(
      'provider people sends people to https://pages.example.com/.meshgate/callback/people: ',
    );
    expect(await says(['gateway:\n', 'gateway:\n  public_port: 8443\n'])).toContain(
      'https://wiki.example.com:8443/.meshgate/callback/partners: ',
    );
    expect(await says(['gateway:\n', 'gateway:\n  signin: { host: auth.example.com }\n'])).toContain(
      'https://auth.example.com/.meshgate/callback/people: ',
    );
    expect(
      await says([/ {2}pages\.example\.com:\n.*\n/, '$&    /a: { service: pages, allow: [authenticated] }\n']),
    ).toBe('');
  });

  test('a name that goes to another issuer while its provider gets another name is both changes', async () => {
    const found = await stored(
      ['  people: {', '  people: { issuer: https://new.example.com, audiences: [wiki] }\n  staff: {'],
      [/\n {2}(wiki|pages)\.example\.com:/g, '$&\n    providers: [staff]'],
      [
        'hosts:',
        'hosts:\n  new.example.com:\n    providers: [people]\n    /*: { service: wiki, allow: [authenticated] }',
      ],
    );
    expect(found.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['provider', 'issuer']));
  });
});

/** The state of a gateway that has loaded a policy. */
function stateOf(text: string): string {
  const { policy } = parsePolicy(text, 'meshgate.yaml') as { readonly policy: Policy };
  const table = render(policy).files['signin-policy.js'] as string;
  const { names } = new Function(table.replace('export default', 'return'))() as { readonly names: object };
  return JSON.stringify({ [composed('names')]: { value: JSON.stringify(names) } });
}

test('validate --online says what a rename does to redirect URIs, with the state of the gateway', async () => {
  const state = stateOf(BOTH);
  const of = async (...edits: Edit[]) => {
    const files = { './meshgate.yaml': edited(BOTH, edits), '/var/lib/meshgate/revoked.json': state };
    const { out } = await meshgate(['validate', '--online'], { files, ask: async () => ({ error: 'ENOTFOUND' }) });
    return out.split('\n').filter((line) => line.includes('redirect URIs'));
  };
  expect(await of()).toEqual([]);
  expect(await of([/\bpeople(?=[:,\]])/g, 'staff'])).toEqual([
    expect.stringContaining('provider staff sends people to https://HOST/.meshgate/callback/staff: redirect URIs'),
  ]);
});

/** All configuration of nginx that goldens, the policy with every key and the policy above are rendered to. */
const rendered = (): string =>
  [...goldens.map((name) => golden(name, 'policy.yaml')), join(ROOT, 'test/unit/policy/fixtures/full.yaml')]
    .map((path) => readFileSync(path, 'utf8'))
    .concat(POLICY)
    .flatMap((text) => {
      const parsed = parsePolicy(text, 'meshgate.yaml');
      if (!('policy' in parsed)) throw new Error(JSON.stringify(parsed.errors));
      return Object.entries(render(parsed.policy).files);
    })
    .flatMap(([name, text]) => (name.endsWith('.conf') ? [text] : []))
    .join('\n');

const matches = (text: string, pattern: RegExp): readonly string[] =>
  [...new Set([...text.matchAll(pattern)].map(([, name]) => name as string))].sort();

const named = (of: (one: (typeof STORED)[number]) => readonly string[] | undefined): readonly string[] =>
  [...new Set(STORED.flatMap((one) => of(one) ?? []))].sort();

describe('the table names', () => {
  test('each zone that is rendered, and no other', () => {
    const zones = matches(rendered(), /zone=meshgate_([a-z_]+):/g);
    expect(named(({ zones }) => zones)).toEqual(zones);
  });

  test('each cookie of the gateway', () => {
    const cookies = matches(read('src/session/names.ts'), /'(__Host-[\w-]+)'/g);
    expect(cookies.length).toBeGreaterThan(1);
    expect(named((one) => one.cookies)).toEqual(cookies);
  });

  test('each beginning of a key in etcd', () => {
    const keys = matches(read('src/njs/shared/etcd-store.ts'), /[Pp]refix\}([a-z]+\/)/g);
    const places = matches(read('src/session/revocation/store.ts'), /`([a-z]+\/)\$\{/g);
    expect(named((one) => one.etcd)).toEqual([...keys, ...places].sort());
  });

  test('each state file', () => {
    const files = matches(rendered(), /state=\S*\/([\w.]+)/g);
    expect(named((one) => one.files)).toEqual(expect.arrayContaining([...files]));
  });
});

const EFFECTS: Record<string, string> = { opens: '**Opens.** ', others: '', ends: '', again: '' };
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const ORDER = ['opens', 'others', 'ends', 'again'];

function pageOf(): string {
  const changes = Object.entries(CHANGES).map(([kind, change]) => {
    const cells = STORED.flatMap(({ what, on }) => {
      const [effect, text] = on[kind as ChangeKind] ?? [];
      return effect === undefined ? [] : [{ effect, text: `${EFFECTS[effect]}${capital(what)} ${text}` }];
    }).sort((a, b) => ORDER.indexOf(a.effect) - ORDER.indexOf(b.effect));
    return `| ${change} | ${cells.map(({ text }) => text).join('. ')} |`;
  });
  const where = ({ zones, etcd = [], cookies = [], files = [] }: (typeof STORED)[number]) =>
    [
      ...zones.map((zone) => `\`meshgate_${zone}\``),
      ...etcd.map((key) => `etcd \`${key}\``),
      ...cookies.map((name) => `cookie \`${name}\``),
      ...files.map((name) => `\`${name}\``),
    ].join(', ');
  const all = STORED.map((one) => `| ${one.what} | ${where(one)} | ${one.by} |`);
  return [
    '| change of the policy | what happens to what is stored |',
    '| --- | --- |',
    ...changes,
    '',
    '| stored | where | under which names |',
    '| --- | --- | --- |',
    ...all,
    '',
  ].join('\n');
}

test('docs/upgrade.md has the tables', () => {
  expect(read('docs/upgrade.md')).toContain(pageOf());
});
