import { describe, expect, test } from 'vitest';
import { groupAdvice } from '../../../src/policy/advice/recommendation.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { BASE, errorsOf, policyOf } from './stage.ts';

describe('a path that ends in a slash', () => {
  const route = (path: string) => BASE.replace('/rest/*', path);

  test('is an error if a wider route has the paths below it', () => {
    expect(errorsOf(route('/rest/'), {})).toEqual([
      'm.yaml:17:5 hosts."wiki.example.com"."/rest/": only this path itself is this route, and "/rest/x" belongs to "/*"; write "/rest/*" for all paths below it, or both',
    ]);
    const nearer = '    /rest/api/: { service: wiki, allow: [staff] }\n';
    expect(errorsOf(BASE + nearer, {})[0]).toContain('"/rest/api/x" belongs to "/rest/*"');
  });

  test.each([
    ['the paths below it have a route', `${BASE}    /rest/: { service: wiki, allow: [editor] }\n`],
    ['it is the root', `${BASE}    /: { service: wiki, allow: [staff] }\n`],
    ['no route has the paths below it', BASE.replace('    /*:', '    /wiki/:').replace('/rest/*', '/rest')],
  ])('is accepted if %s', (_, text) => expect(errorsOf(text, {})).toEqual([]));
});

describe('a second YAML document', () => {
  test.each(['---\nroles: { guest: { group: guests } }\n', '---\n', '--- # more\nx: y\n---\nz: w\n'])(
    '%j is an error',
    (more) => {
      expect(errorsOf(BASE + more, {})).toEqual([
        'm.yaml:20:1: a file contains only one policy, and nothing below this line would have an effect; remove the line ---, or write another file',
      ]);
    },
  );

  test.each([`---\n${BASE}`, `${BASE}...\n`, `# policy\n---\n${BASE}`])(
    'markers around the only document are accepted',
    (text) => {
      expect(errorsOf(text, {})).toEqual([]);
    },
  );

  test('in an overlay is an error', () => {
    expect(errorsOf(BASE, { overlays: { 'p.yaml': 'roles: { editor: { group: e } }\n---\nhosts: null\n' } })).toEqual([
      expect.stringContaining('p.yaml:2:1: a file contains only one policy'),
    ]);
  });
});

describe('an IP address as a host', () => {
  test.each(['192.0.2.1', '"192.0.2.1:8443"', '"[2001:db8::1]"', '"2001:db8::1"', '"[::1]:443"'])(
    '%s is an error',
    (name) => {
      expect(errorsOf(BASE.replace('wiki.example.com', name), {})[0]).toMatch(
        /^m\.yaml:13:3 hosts\.".*": ".*" is an IP address, and clients tell nginx the name of a host, never an address; write a DNS name/,
      );
    },
  );

  test('is an error as the name of a host', () => {
    expect(errorsOf(BASE.replace('    /*:', '    name: 192.0.2.1\n    /*:'), {})[0]).toContain('is an IP address');
  });

  test.each(['192.example.com', '1.2.3', 'a.1.2.3.4.example'])('%s is a name', (name) => {
    expect(errorsOf(BASE.replace('wiki.example.com', name), {})).toEqual([]);
  });
});

describe('an address of a provider without a name', () => {
  const says =
    'nginx verifies the DNS name in the certificate of a provider, and no IP address; write a URL with the name';
  const provider = (keys: string) => BASE.replace('issuer: https://example.okta.com/oauth2/default', keys);

  test.each([
    ['issuer: https://192.0.2.7/realms/main', 'issuer'],
    ['issuer: "https://[2001:db8::7]:8443"', 'issuer'],
    ['issuer: https://login.example.com, jwks_uri: https://192.0.2.7/jwks', 'jwks_uri'],
    [
      'issuer: https://login.example.com, client: { id: x, secret_file: /s }, introspection: { endpoint: https://192.0.2.7/i }',
      'introspection.endpoint',
    ],
  ])('%s is an error', (keys, path) => {
    expect(errorsOf(provider(keys), {})).toContainEqual(
      expect.stringMatching(new RegExp(`providers\\.okta\\.${path}: ${says}`)),
    );
  });

  test('an issuer that the gateway does not ask may be an address', () => {
    expect(errorsOf(provider('issuer: https://192.0.2.7, jwks_uri: https://login.example.com/jwks'), {})).toEqual([]);
  });
});

describe('an issuer of Entra ID', () => {
  const ID = '8f8b0b2e-4d7c-4b6d-9d60-0f3b8a1a6a55';
  const LOGIN = 'https://login.microsoftonline.com';
  const errors = (issuer: string, kind = '') =>
    errorsOf(BASE.replace('{ issuer: https://example.okta.com/oauth2/default', `{ issuer: "${issuer}"${kind}`), {});

  test.each([`${LOGIN}/${ID}/v2.0`, `https://sts.windows.net/${ID}/`, `https://login.microsoftonline.us/${ID}/v2.0`])(
    '%s is accepted',
    (issuer) => {
      expect(errors(issuer)).toEqual([]);
    },
  );

  const or = `, or https://sts.windows.net/${ID}/ if its tokens are of version 1`;
  test.each([
    [`${LOGIN}/${ID}`, `write ${LOGIN}/${ID}/v2.0${or}`],
    [`${LOGIN}/${ID}/`, `write ${LOGIN}/${ID}/v2.0${or}`],
    [`${LOGIN}/${ID}/v2.0/`, `write ${LOGIN}/${ID}/v2.0${or}`],
    [`${LOGIN}/${ID}/oauth2/v2.0`, `write ${LOGIN}/${ID}/v2.0${or}`],
    [`${LOGIN}/${ID.toUpperCase()}/v2.0`, `write ${LOGIN}/${ID}/v2.0${or}`],
    [`https://login.microsoftonline.us/${ID}`, `write https://login.microsoftonline.us/${ID}/v2.0${or}`],
    [`https://sts.windows.net/${ID}`, `write https://sts.windows.net/${ID}/`],
    [`https://LOGIN.microsoftonline.com/${ID}/v2.0`, `write ${LOGIN}/${ID}/v2.0${or}`],
    [`https://STS.windows.net/${ID}/`, `write https://sts.windows.net/${ID}/`],
    [`https://login.windows.net/${ID}/v2.0`, `write ${LOGIN}/${ID}/v2.0${or}`],
    [`https://sts.windows.net/${ID.toUpperCase()}/`, `write https://sts.windows.net/${ID}/`],
    [`https://sts.windows.net/${ID}/v2.0`, `write https://sts.windows.net/${ID}/`],
  ])('%s is an error', (issuer, says) => {
    const error = `m.yaml:3:19 providers.okta.issuer: no token of Entra ID has this issuer; ${says}`;
    expect(errors(issuer)).toEqual([error]);
    expect(errors(issuer, ', kind: generic')).toEqual([error]);
  });

  test.each([
    `${LOGIN}/contoso.com/v2.0`,
    `${LOGIN}/contoso.onmicrosoft.com`,
    `${LOGIN}/contoso/v2.0`,
    `${LOGIN}/TENANT-ID/v2.0`,
  ])('%s has no id of a tenant', (issuer) => {
    const tenant = issuer.split('/')[3];
    expect(errors(issuer)).toEqual([
      `m.yaml:3:19 providers.okta.issuer: no token of Entra ID has this issuer, because "${tenant}" is not the id of a tenant; write ${LOGIN}/TENANT-ID/v2.0 with the directory (tenant) ID`,
    ]);
  });
});

describe('a group of Entra ID', () => {
  const TENANT = 'https://login.microsoftonline.com/8f8b0b2e-4d7c-4b6d-9d60-0f3b8a1a6a55/v2.0';
  const advice = (group: string, issuer = TENANT) =>
    groupAdvice(
      policyOf(
        BASE.replace('https://example.okta.com/oauth2/default', issuer)
          .replace('{ group: staff, provider: okta }', '{ scope: staff }')
          .replace('{ group: editors }', `{ any: [{ scope: edit }, { group: ${group} }] }`),
        {},
      ),
    );

  test('by its name: validate advises the object id', () => {
    expect(advice('Wiki Editors')).toEqual([
      {
        at: { file: 'm.yaml', line: 6, column: 36 },
        path: 'roles.editor',
        text: expect.stringMatching(
          /^tokens of Entra ID have the object ids of groups, and "Wiki Editors" is not an object id; write the id/,
        ),
      },
    ]);
  });

  test('by its object id, or a group of another provider: no advice', () => {
    expect(advice('9c2a5f1d-3b7e-4f0a-8d6c-1e5b7a9c0d2e')).toEqual([]);
    expect(advice('Wiki Editors', 'https://login.example.com/realms/main')).toEqual([]);
  });
});

test.each(['deny', 'block', 'reject', 'except'])(
  '%s: the error says that rules only allow, and not which key is similar',
  (key) => {
    const { errors } = parsePolicy(
      BASE.replace('      allow: [editor]', `      ${key}: [staff]\n      allow: [editor]`),
      'm.yaml',
    );
    expect(errors.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      `hosts."wiki.example.com"."/rest/*".${key}: rules only allow, and whatever no rule allows is denied; remove "${key}"`,
    ]);
  },
);
