import { describe, expect, test } from 'vitest';
import type { ConsulPermission } from '../../../../src/targets/consul/permissions.ts';
import { JWKS, render, type Sample, WIKI } from './samples.ts';

const wiki = (routes: string) => `${WIKI}hosts: { w.test: { ${routes} } }`;

/** A permission in a line: what it does, where, and for which callers. */
function line({ Action, HTTP, JWT }: ConsulPermission): string {
  const { PathExact, PathPrefix, PathRegex, Methods = ['any'] } = HTTP;
  const regex = PathRegex?.includes('//') ? 'odd paths' : PathRegex;
  const where = PathExact ?? (PathPrefix === undefined ? regex : `${PathPrefix}…`);
  const who = JWT?.Providers.map(({ VerifyClaims }) =>
    VerifyClaims.flatMap(({ Path, Value }) => (Path[0] === 'aud' ? [] : `${Path.at(-1)} ${Value}`)).join(', '),
  );
  return [Action, Methods.join(' '), where, ...(who === undefined ? [] : [`[${who.join(' | ')}]`])].join(' ');
}

const lines = (rest: string, sample: Sample = { gateway: '' }, source = 'ingress') =>
  render(rest, sample).permissions(source).map(line);

describe('permissions', () => {
  test('have a path, and the prefix behind its slash, because prefixes of Consul end anywhere', () => {
    expect(lines(wiki('/rest/*: { service: wiki, allow: [reader] }'))).toEqual([
      'deny any odd paths',
      'allow any /rest(/.*)?',
      'deny any /…',
    ]);
  });

  test('come before those of a shorter prefix: the first match decides', () => {
    const rest = wiki(
      '/*: { service: wiki, allow: [reader] }, /a/*: { service: wiki, allow: [{ role: reader, methods: [GET] }] }, /a/b/*: { service: wiki, allow: [reader] }, /a/b/c: { service: wiki, allow: [{ role: reader, methods: [POST] }] }',
    );
    expect(lines(rest)).toEqual([
      'deny any odd paths',
      ...['allow POST /a/b/c', 'deny any /a/b/c', 'allow any /a/b(/.*)?'],
      ...['allow GET HEAD /a(/.*)?', 'deny any /a(/.*)?', 'allow any /…'],
    ]);
  });

  test('are left out if they have no effect', () => {
    const rest = wiki(
      '/*: { service: wiki, allow: [reader] }, /a/*: { service: wiki, allow: [editor] }, /b: { service: wiki, allow: [anyone] }',
    );
    expect(lines(rest)).toEqual(['deny any odd paths', 'allow any /…']);
  });

  test('refuse the paths of another service on the same host', () => {
    const rest = `services: { wiki: { authority: wiki.apps }, app: { authority: app.apps } }
hosts: { w.test: { /*: { service: wiki, allow: [reader] }, /app/*: { service: app, allow: [reader] } } }`;
    expect(lines(rest)).toEqual(['deny any odd paths', 'deny any /app(/.*)?', 'allow any /…']);
  });

  test('are one for all places with equal decisions, because each of them makes all later ones larger', () => {
    const route = (name: string, who: string) =>
      `/${name}/*: { service: wiki, allow: [{ role: reader, methods: [GET] }, ${who}] }`;
    const routes = Array.from({ length: 40 }, (_, index) => route(`p${index}`, 'editor')).join(', ');
    const all = lines(wiki(routes), {});
    expect(all).toHaveLength(4);
    expect(all[1]).toMatch(/^allow GET HEAD \/p0\(\/\.\*\)\?\|\/p1\(/);
    expect(all[2]).toMatch(/^allow any \/p0\(.*\[as default, editor person\]$/);
  });

  test('are apart if another prefix between them decides otherwise', () => {
    const rest = wiki(
      '/*: { service: wiki, allow: [{ role: reader, methods: [GET] }] }, /a/*: { service: wiki, allow: [editor] }, /a/b/*: { service: wiki, allow: [{ role: reader, methods: [GET] }] }',
    );
    expect(lines(rest, {})).toEqual([
      'deny any odd paths',
      'allow GET HEAD /a/b(/.*)? [as default, reader person]',
      'deny any /a/b(/.*)?',
      'allow any /a(/.*)? [as default, editor person]',
      'allow GET HEAD /… [as default, reader person]',
      'deny any /…',
    ]);
  });

  test('without a prefix allow no path that is not canonical, and need no rule to deny it', () => {
    expect(lines(wiki('/x: { service: wiki, allow: [anyone] }'))).toEqual(['allow any /x', 'deny any /…']);
  });

  test('join the roles of one path, because Consul would only read the first of two', () => {
    const rest = wiki('/x: { service: wiki, allow: [{ role: reader, methods: [GET] }, editor] }');
    expect(lines(rest, {})).toEqual([
      'allow GET HEAD /x [as default, editor person | as default, reader person]',
      'allow any /x [as default, editor person]',
      'deny any /…',
    ]);
  });

  test('name no role beside callers who pass anyway, and no assertion for anyone', () => {
    const rest = wiki(
      '/x: { service: wiki, allow: [reader, authenticated] }, /y: { service: wiki, allow: [reader, { who: anyone, methods: [GET] }] }',
    );
    expect(lines(rest, {})).toEqual([
      'allow any /x [as default]',
      'allow GET HEAD /y',
      'allow any /y [as default, reader person]',
      'deny any /…',
    ]);
  });

  test('exist for the ingress, and all others are refused', () => {
    const rest = wiki('/x: { service: wiki, allow: [reader, { role: editor, as: wiki-editor }] }');
    const { of } = render(rest, { gateway: '' });
    const [{ Sources }] = of('service-intentions');
    expect(Sources.map(({ Name, Action }: { Name: string; Action?: string }) => [Name, Action])).toEqual([
      ['ingress', undefined],
      ['*', 'deny'],
    ]);
  });

  test('text of the policy stays text in a regular expression', () => {
    const { files } = render(
      wiki('"/.+/(a)/*": { service: wiki, allow: [reader] }, "/.+/b": { service: wiki, allow: [reader] }'),
    );
    const [, own = ''] = /PathRegex": "(\/.*)"/.exec(files['service-intentions.wiki.json'] ?? '') ?? [];
    const regex = new RegExp(`^(?:${JSON.parse(`"${own}"`)})$`);
    for (const path of ['/.+/(a)', '/.+/(a)/', '/.+/(a)/x/y', '/.+/b']) expect(path).toMatch(regex);
    for (const path of ['/x/a', '/.+/a', '/..+/(a)', '/.+/(a)x', '/.+/b/', '/', '']) expect(path).not.toMatch(regex);
  });
});

describe('entries', () => {
  const rest = `services: { wiki: { authority: wiki.apps, consul_service: confluence }, app: { authority: app.apps } }
hosts: { w.test: { /*: { service: wiki, allow: [reader] }, /app/*: { service: app, allow: [anyone] } } }`;

  test('are named by kind and service, in the order that Consul needs', () => {
    const { files } = render(rest);
    const names = Object.keys(files);
    expect(names).toEqual([
      'jwt-provider.meshgate.json',
      'service-defaults.confluence.json',
      'service-defaults.app.json',
      'service-intentions.confluence.json',
      'service-intentions.app.json',
    ]);
    const kinds = (all: readonly string[]) => all.map((name) => name.split('.')[0]);
    expect(kinds([...names].sort())).toEqual(kinds(names));
  });

  test('the provider has the keys, and the expected audiences', () => {
    const [provider] = render(rest).of('jwt-provider');
    expect(Buffer.from(provider.JSONWebKeySet.Local.JWKS, 'base64').toString()).toBe(JWKS);
    expect(provider).toMatchObject({ Issuer: 'https://gw.test', Audiences: ['wiki'], ClockSkewSeconds: 30 });
    for (const text of ['{"keys":[{"a":"?>~"}]}', '{"keys":[{"a":"?>~~"}]}', '{"keys":[{"a":"?>~~~"}]}']) {
      const { JSONWebKeySet } = render(rest, { options: { assertionJwks: text } }).of('jwt-provider')[0];
      expect(JSONWebKeySet.Local.JWKS).toBe(Buffer.from(text).toString('base64'));
    }
  });

  test('or proxies fetch the keys, from a server of one CA', () => {
    const { of, gaps } = render(rest, { mesh: 'assertion_ca_file: /etc/ca.pem', options: {} });
    expect(of('jwt-provider')[0].JSONWebKeySet).toEqual({
      Remote: {
        URI: 'https://gw.test/.meshgate/jwks',
        RequestTimeoutMs: 5000,
        UseSNI: true,
        JWKSCluster: { TLSCertificates: { TrustedCA: { Filename: '/etc/ca.pem' } } },
      },
    });
    expect(gaps.some(({ text }) => text.includes('whatever name it has'))).toBe(true);
  });

  test('the largest listener is named, and one that is too large is a gap', () => {
    const rest = 'services: { wiki: { authority: wiki.apps }, app: { authority: app.apps } }\n';
    const small = '/app/x: { service: app, allow: [reader] }';
    const routes = Array.from({ length: 400 }, (_, index) => {
      // Each route is for an agent of its own, so no two decisions are equal.
      return `/r${index}/*: { service: wiki, allow: [{ agent: a${index}, methods: [GET] }, { agent: a${index} }] }`;
    });
    const agents = Array.from(
      { length: 400 },
      (_, index) => `a${index}: { match: { client_id: c${index} }, alone: true, bound: none }`,
    );
    const emit = (own: readonly string[]) =>
      render(
        `${own.length > 1 ? `agents: { ${agents.join(', ')} }\n` : ''}${rest}hosts: { w.test: { ${[...own, small].join(', ')} } }`,
      );
    const few = emit(['/r: { service: wiki, allow: [reader] }']);
    expect(few.notes).toEqual([
      expect.stringMatching(
        /^the largest listener that Consul makes of these entries is that of (wiki|app): about 1 KB$/,
      ),
    ]);
    expect(few.gaps.filter(({ text }) => text.includes('MB'))).toEqual([]);
    const many = emit(routes);
    expect(many.notes).toEqual([expect.stringMatching(/ is that of wiki: about \d\.\d MB$/)]);
    expect(many.gaps.filter(({ text }) => text.includes('MB'))).toEqual([
      {
        part: 'mesh',
        text: expect.stringMatching(/^Consul makes a listener of about \d\.\d MB of the 4\d\d permissions of wiki/),
      },
    ]);
  });

  test('no provider is rendered if no permission needs an assertion', () => {
    const { files, gaps } = render(wiki('/x: { service: wiki, allow: [reader, anyone] }'), { options: {} });
    expect(Object.keys(files)).toEqual(['service-defaults.wiki.json', 'service-intentions.wiki.json']);
    expect(gaps).toHaveLength(3);
  });
});
