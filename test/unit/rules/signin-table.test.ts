import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../src/policy/checked/types.ts';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { toSigninTable } from '../../../src/rules/table/signin-table.ts';
import { tableModule, toTable } from '../../../src/rules/table/table.ts';

const TEXT = `version: 1
gateway:
  public_port: 8443
  session: { keys_file: /run/session.jwks, idle: 1h }
  signin: { host: auth.example.com, pages_dir: /etc/pages }
  store: { etcd: ["https://etcd-0:2379"], cert_file: /run/etcd.crt, key_file: /run/etcd.key }
providers:
  okta:
    issuer: https://example.okta.com
    client: { id: 0oa1, secret_file: /run/okta, auth: post }
    signin: { label: Staff, domains: [example.com], max_age: 8h, acr_values: [phr, mfa] }
    subject: { claim: uid, prefix: okta- }
  main:
    issuer: https://login.example.com/realms/main
    audiences: [wiki]
    client: { id: meshgate, keys_file: /run/main.jwks }
    subject: { prefix: main- }
  api: { issuer: https://api.example.com, audiences: [wiki], subject: { prefix: api- } }
roles:
  staff: { group: staff, provider: okta }
  guests: { any: [{ group: guests, provider: okta }, { group: guests, provider: main }] }
  editor: { claim: realm_access.roles, has: editor, provider: main }
  level: { all: [{ provider: okta }, { claim: level, is: 3 }, { scope: wiki }] }
  admin: { all: [staff, { acr: phr, provider: okta }, { any: [{ max_age: 15m }, { max_age: 1h }] }] }
  root: { all: [admin, { any: [{ acr: phr, provider: okta }, { acr: hw, provider: okta }] }] }
  quiet: { all: [staff, { none: [{ max_age: 5m }] }] }
services:
  wiki: { url: https://wiki.internal:8443 }
headers: { X-User: subject, X-Mail: email }
hosts:
  wiki.example.com:
    providers: [okta, main, api]
    owner: wiki-team@example.com
    /*: { service: wiki, allow: [root, admin, quiet, staff, guests, editor, level] }
    /ask: { service: wiki, allow: [staff], accept: [session], owner: ask, ask: "https://example.com/?r={reason}" }
    /api/*: { service: wiki, allow: [editor], accept: [bearer] }
  api.example.com:
    providers: [api]
    /*: { service: wiki, allow: [authenticated], headers: { X-Team: { claim: team }, X-Groups: groups } }
`;

const GROUPS = TEXT.replace('accept: [session], owner', 'accept: [session], headers: { X-Groups: groups }, owner');

function policyOf(text: string): Policy {
  const { policy, errors } = parsePolicy(text, 'm.yaml');
  expect(errors.map(formatError)).toEqual([]);
  return policy as Policy;
}

const policy = policyOf(TEXT);
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value));
const tableOf = (of: Policy) =>
  plain(toTable(of, compile(of), { egress: '/run/egress.sock', check: '/run/check.sock' }));

describe('the sign-in’s table', () => {
  const table = toSigninTable(policy, { egress: '/run/egress.sock', stateDir: '/var/lib/meshgate' });

  test('has providers with a client, hosts that accept sessions, the demands of roles, and owners', () => {
    expect(plain(table)).toEqual({
      session: { keysFile: '/run/session.jwks', idle: 3600, absolute: 86400, fresh: 600 },
      publicPort: 8443,
      signinHost: 'auth.example.com',
      providers: {
        okta: {
          name: 'okta',
          kind: 'okta',
          issuer: 'https://example.okta.com',
          client: { id: '0oa1', auth: { kind: 'client_secret_post', secretFile: '/run/okta' } },
          signin: {
            scopes: ['openid', 'profile', 'email', 'offline_access'],
            maxAge: 28800,
            acrValues: ['phr', 'mfa'],
            domains: ['example.com'],
            userinfo: true,
            label: 'Staff',
          },
        },
        main: {
          name: 'main',
          kind: 'keycloak',
          issuer: 'https://login.example.com/realms/main',
          client: { id: 'meshgate', auth: { kind: 'private_key_jwt', keysFile: '/run/main.jwks' } },
          signin: { scopes: ['openid', 'profile', 'email'], domains: [], userinfo: true, label: 'main' },
        },
      },
      hosts: [{ name: 'wiki.example.com', providers: ['okta', 'main'], sessionCookies: [], namesAllCookies: false }],
      stepUps: {
        admin: { acrValues: ['phr'], maxAge: 900 },
        root: { acrValues: ['phr', 'hw'], maxAge: 900 },
      },
      routes: {
        'wiki.example.com/*': { owner: 'wiki-team@example.com' },
        'wiki.example.com/ask': { owner: 'ask', ask: 'https://example.com/?r={reason}' },
        'wiki.example.com/api/*': { owner: 'wiki-team@example.com' },
      },
      pagesDir: '/etc/pages',
      stateDir: '/var/lib/meshgate',
      egress: '/run/egress.sock',
      store: { endpoints: ['https://etcd-0:2379'], prefix: '/meshgate/' },
    });
  });

  test('is a module like the other, and finds no member of Object by a name', async () => {
    const text = tableModule(table as object);
    const { default: imported } = await import(`data:text/javascript,${encodeURIComponent(text)}`);
    expect(plain(imported)).toEqual(plain(table));
    for (const part of [imported.providers, imported.stepUps, imported.routes]) {
      expect(part.constructor).toBeUndefined();
    }
  });

  test('is absent if no one signs in', () => {
    const none = policyOf(`version: 1
providers: { okta: { issuer: https://example.okta.com/oauth2/default, audiences: [wiki] } }
services: { wiki: { url: "https://wiki.internal:8443" } }
hosts: { wiki.example.com: { /*: { service: wiki, allow: [authenticated] } } }
`);
    expect(toSigninTable(none, { egress: '', stateDir: '' })).toBeUndefined();
    expect(tableOf(none).session).toBeUndefined();
    expect(tableOf(none).routes['wiki.example.com/*']).not.toHaveProperty('accept');
  });
});

describe('the check’s table', () => {
  const table = tableOf(policy);

  test('has no client and no file with a secret', () => {
    expect(JSON.stringify(table.providers)).not.toMatch(/client"|secret|\/run|signin/);
  });

  test('names claims of roles that ID tokens lack unless the provider is configured', () => {
    const of = policyOf(
      TEXT.replace(
        'admin: {',
        'wikis: { claim: resource_access.wiki.roles, has: reader, provider: main }\n  admin: {',
      ).replace('allow: [root', 'allow: [wikis, root'),
    );
    const { help } = toTable(of, compile(of), { egress: '/run/e.sock' }).session!;
    expect(Object.keys(help!)).toEqual(['okta', 'main']);
    expect(help!.main!.map(([path]) => path)).toEqual(['realm_access.roles', 'resource_access.wiki.roles']);
    expect(help!.main![1]![1]).toMatch(/^at Keycloak: .*"client roles"/);
    expect(help!.okta!.map(([path]) => path)).toEqual(['groups']);
  });

  test('names what routes accept, if that is not only a bearer token', () => {
    expect(table.routes['wiki.example.com/*']?.accept).toEqual(['bearer', 'session']);
    expect(table.routes['wiki.example.com/ask']?.accept).toEqual(['session']);
    expect(table.routes['wiki.example.com/api/*']).not.toHaveProperty('accept');
    expect(table.routes['api.example.com/*']).not.toHaveProperty('accept');
  });

  test('names what roles demand of a sign-in, for the challenge to a token', () => {
    expect(Object.keys(table.stepUps ?? {})).toEqual(['admin', 'root']);
    expect(
      tableOf(
        policyOf(
          TEXT.replace(/, \{ acr.*\] \}\] \}/, ']}')
            .replace(/\n {2}(root|quiet):.*/g, '')
            .replace('[root, admin, quiet, staff', '[admin, staff'),
        ),
      ),
    ).not.toHaveProperty('stepUps');
  });

  test('names the claims that a session keeps: those that subjects, facts and headers read', () => {
    expect(table.publicPort).toBe(8443);
    expect(table.session).toMatchObject({ keysFile: '/run/session.jwks', socket: '/run/check.sock' });
    const { paths, elements } = table.session?.keep ?? { paths: {}, elements: {} };
    expect(Object.keys(paths)).toEqual(['okta', 'main']);
    expect([...(paths.okta ?? [])].sort()).toEqual(
      ['acr', 'email', 'email_verified', 'level', 'scope', 'scp', 'sub', 'uid'].sort(),
    );
    expect(elements.okta).toEqual({ groups: ['staff', 'guests'] });
    expect([...(paths.main ?? [])].sort()).toEqual(['email', 'email_verified', 'sub'].sort());
    expect(elements.main).toEqual({ groups: ['guests'], 'realm_access.roles': ['editor'] });
  });

  test('keeps all groups if a route with sessions sends them, which is another selection', () => {
    const other = tableOf(policyOf(GROUPS));
    expect(other.session?.keep.paths.okta).toContain('groups');
    expect(other.session?.keep.elements.okta).toEqual({});
    expect(other.sends).toEqual(table.sends);
    expect(other.selection).not.toBe(table.selection);
  });
});
