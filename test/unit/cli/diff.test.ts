import { describe, expect, test } from 'vitest';
import { meshgate, POLICY } from './fake.ts';

const WIKI = 'https://wiki.example.com';

async function diff(old: string, fresh: string, ...args: string[]) {
  const { code, out, err } = await meshgate(['diff', ...args, 'old.yaml', 'new.yaml'], {
    files: { 'old.yaml': old, 'new.yaml': fresh },
  });
  expect(err).toBe('');
  return { code, out, lines: out.trimEnd().split('\n') };
}

/** A change to the policy: throws if there is nothing to change. */
function changed(...replacements: readonly (readonly [string, string])[]): string {
  let text = POLICY;
  for (const [from, to] of replacements) {
    expect(text).toContain(from);
    text = text.replace(from, to);
  }
  return text;
}

const STATUS = '    /status: { service: wiki, allow: [anyone] }\n';

/** The change, the output for it, and the output for its reversal. */
const CHANGES: readonly {
  readonly name: string;
  readonly edit: readonly (readonly [string, string])[];
  readonly says: readonly string[];
  readonly back: readonly string[];
}[] = [
  {
    name: 'a method more',
    edit: [['role: reader, methods: [GET]', 'role: reader, methods: [GET, POST]']],
    says: [`+ reader may now POST ${WIKI}/* (by wiki.example.com/*#1, as default)`],
    back: [`- reader may no longer POST ${WIKI}/* (was by wiki.example.com/*#1)`],
  },
  {
    name: 'methods no longer limited',
    edit: [['role: builder, methods: [POST]', 'role: builder']],
    says: [`+ builder may now use any method but POST on ${WIKI}/* (by wiki.example.com/*#3, as wiki-editor)`],
    back: [`- builder may no longer use any method but POST on ${WIKI}/* (was by wiki.example.com/*#3)`],
  },
  {
    name: 'another role',
    edit: [
      ['/admin/*: { service: wiki, allow: [{ role: admin,', '/admin/*: { service: wiki, allow: [{ role: builder,'],
      ['  admin: { all: [editor, { claim: level, is: 3, provider: okta }] }\n', ''],
    ],
    says: [
      `+ builder may now use any method on ${WIKI}/admin/* (by wiki.example.com/admin/*#1, as wiki-editor)`,
      `- admin may no longer use any method on ${WIKI}/admin/* (was by wiki.example.com/admin/*#1)`,
      '* role admin is gone: it was all (role "editor", claim "level" is 3 of okta)',
    ],
    back: [
      `+ admin may now use any method on ${WIKI}/admin/* (by wiki.example.com/admin/*#1, as wiki-editor)`,
      `- builder may no longer use any method on ${WIKI}/admin/* (was by wiki.example.com/admin/*#1)`,
      '* role admin is new: all (role "editor", claim "level" is 3 of okta)',
    ],
  },
  {
    name: 'another identity',
    edit: [['role: builder, methods: [POST], as: wiki-editor', 'role: builder, methods: [POST]']],
    says: [`~ builder may still POST ${WIKI}/*, now as default and not as wiki-editor (by wiki.example.com/*#3)`],
    back: [`~ builder may still POST ${WIKI}/*, now as wiki-editor and not as default (by wiki.example.com/*#3)`],
  },
  {
    name: 'a route moved',
    edit: [['    /status:', '    /health:']],
    says: [
      `+ anyone may now use any method on ${WIKI}/health (by wiki.example.com/health#1, as default)`,
      `~ editor may still use any method on ${WIKI}/health, now as default and not as wiki-editor (by wiki.example.com/health#1, was by wiki.example.com/*#2)`,
      `~ builder may still POST ${WIKI}/health, now as default and not as wiki-editor (by wiki.example.com/health#1, was by wiki.example.com/*#3)`,
      `~ editor may still use any method on ${WIKI}/status, now as wiki-editor and not as default (by wiki.example.com/*#2, was by wiki.example.com/status#1)`,
      `~ builder may still POST ${WIKI}/status, now as wiki-editor and not as default (by wiki.example.com/*#3, was by wiki.example.com/status#1)`,
      `- anyone may no longer GET ${WIKI}/status (was by wiki.example.com/status#1); reader, editor still may`,
      `- anyone may no longer POST ${WIKI}/status (was by wiki.example.com/status#1); editor, builder still may`,
      `- anyone may no longer use any method but GET, POST on ${WIKI}/status (was by wiki.example.com/status#1); editor still may`,
    ],
    back: [],
  },
  {
    name: 'a route closed to those without a credential',
    edit: [['/status: { service: wiki, allow: [anyone] }', '/status: { service: wiki, allow: [authenticated] }']],
    says: [
      `- a caller without a credential may no longer use any method on ${WIKI}/status (was by wiki.example.com/status#1)`,
    ],
    back: [
      `+ a caller without a credential may now use any method on ${WIKI}/status (by wiki.example.com/status#1, as default)`,
    ],
  },
  {
    name: 'a route closed to all but one role',
    edit: [['/status: { service: wiki, allow: [anyone] }', '/status: { service: wiki, allow: [reader] }']],
    says: [
      `- anyone may no longer use any method on ${WIKI}/status (was by wiki.example.com/status#1); reader still may`,
    ],
    back: [`+ anyone may now use any method on ${WIKI}/status (by wiki.example.com/status#1, as default)`],
  },
  {
    name: 'two rules in another order',
    edit: [
      ['        - { role: reader, methods: [GET] }\n', ''],
      ['[POST], as: wiki-editor }\n', '[POST], as: wiki-editor }\n        - { role: reader, methods: [GET] }\n'],
    ],
    says: [
      `~ a caller who is reader and editor may still GET ${WIKI}/*, now as wiki-editor and not as default (by wiki.example.com/*#1, was by wiki.example.com/*#1)`,
    ],
    back: [],
  },
  {
    name: 'another meaning of a role',
    edit: [
      [
        'editor:\n    any:\n      - { group: editors, provider: okta }',
        'editor:\n    any:\n      - { group: writers, provider: okta }',
      ],
    ],
    says: [
      '* role editor means something else: now also by group "writers" of okta, no longer by group "editors" of okta; admin depends on it; used in wiki.example.com/*#2, wiki.example.com/admin/*#1',
    ],
    back: [],
  },
  {
    name: 'a role that needs more',
    edit: [
      [
        'builder: { all: [{ provider: ci }, { scope: build }] }',
        'builder: { all: [{ provider: ci }, { scope: build }, { scope: deploy }] }',
      ],
    ],
    says: ['* role builder is narrower: now also needs scope "deploy"; used in wiki.example.com/*#3'],
    back: ['* role builder is wider: no longer needs scope "deploy"; used in wiki.example.com/*#3'],
  },
  {
    name: 'a role by one more group',
    edit: [
      [
        'reader: { group: readers, provider: okta }',
        'reader: { any: [{ group: readers, provider: okta }, { group: guests, provider: okta }] }',
      ],
    ],
    says: ['* role reader is wider: now also by group "guests" of okta; used in wiki.example.com/*#1'],
    back: ['* role reader is narrower: no longer by group "guests" of okta; used in wiki.example.com/*#1'],
  },
  {
    name: 'a role by something else altogether',
    edit: [['reader: { group: readers, provider: okta }', 'reader: { scope: read, provider: okta }']],
    says: [
      '* role reader means something else: group "readers" of okta → scope "read" of okta; used in wiki.example.com/*#1',
    ],
    back: [],
  },
  {
    name: 'another issuer and audience',
    edit: [
      ['issuer: https://ci.example.com, audiences: [wiki]', 'issuer: https://ci2.example.com, audiences: [wiki, api]'],
    ],
    says: [
      '* provider ci: issuer "https://ci.example.com" → "https://ci2.example.com"',
      '* provider ci: audiences ["wiki"] → ["wiki","api"]',
      '! stored: provider ci: issuer https://ci.example.com → https://ci2.example.com: names and pseudonyms of people in the log of this provider mean other people from now on',
    ],
    back: [],
  },
  {
    name: 'pages of another origin',
    edit: [[STATUS, STATUS.replace(' }', ', cors: { origins: ["*"], methods: [GET] } }')]],
    says: [
      '* route wiki.example.com/status: cors nothing → {"origins":["*"],"methods":["GET"],"headers":["Authorization","Content-Type"],"expose":[],"credentials":false,"max_age":"600s"}',
    ],
    back: [
      '* route wiki.example.com/status: cors {"origins":["*"],"methods":["GET"],"headers":["Authorization","Content-Type"],"expose":[],"credentials":false,"max_age":"600s"} → nothing',
    ],
  },
  {
    name: 'another header on one route',
    edit: [
      ['/admin/*: { service: wiki,', '/admin/*: { service: wiki, headers: { X-Forwarded-Email: null, X-Name: name },'],
    ],
    says: [
      '* header X-Forwarded-Email: "email" → nothing on wiki.example.com/admin/*',
      '* header X-Name: nothing → "name" on wiki.example.com/admin/*',
    ],
    back: [],
  },
  {
    name: 'a route with headers of its own inside another',
    edit: [
      [
        STATUS,
        `${STATUS}    /rest/*: { service: wiki, headers: { X-Forwarded-Email: null }, allow: [{ role: reader, methods: [GET] }, { role: editor, as: wiki-editor }, { role: builder, methods: [POST], as: wiki-editor }] }\n`,
      ],
    ],
    says: ['* header X-Forwarded-Email: "email" → nothing on wiki.example.com/rest/*'],
    back: [],
  },
  {
    name: 'another SPIFFE id, authority and gateway setting',
    edit: [
      ['spiffe://example.org/wiki-editor', 'spiffe://example.org/editor'],
      ['authority: wiki.mesh', 'authority: wiki.new'],
      ['gateway: { insecure_http: true }', 'gateway: { insecure_http: true, clock_skew: 60s }'],
    ],
    says: [
      '* gateway: clock_skew 30s → 60s',
      '* identity wiki-editor: spiffe "spiffe://example.org/wiki-editor" → "spiffe://example.org/editor"',
      '* service wiki: authority "wiki.mesh" → "wiki.new"',
    ],
    back: [],
  },
];

describe('prepared changes', () => {
  test.each(CHANGES)('$name', async ({ edit, says, back }) => {
    const fresh = changed(...edit);
    const { code, lines } = await diff(POLICY, fresh);
    expect(code).toBe(1);
    expect(lines).toEqual(says);
    if (back.length > 0) expect((await diff(fresh, POLICY)).lines).toEqual(back);
  });
});

describe('anonymous callers', () => {
  const base = changed(
    ['  admin: {', '  probe: { network: [192.0.2.0/24] }\n  admin: {'],
    [STATUS, '    /status: { service: wiki, allow: [authenticated] }\n    /ping: { service: wiki, allow: [probe] }\n'],
  );

  test('reports a role by network that allows anonymous callers', async () => {
    const opened = base.replace('allow: [authenticated] }', 'allow: [authenticated, probe] }');
    expect(await diff(base, opened)).toMatchObject({
      code: 1,
      lines: [
        `+ a caller without a credential, where the request gives probe, may now use any method on ${WIKI}/status (by wiki.example.com/status#2, as default)`,
      ],
    });
    expect((await diff(opened, base)).lines).toEqual([
      `- a caller without a credential, where the request gives probe, may no longer use any method on ${WIKI}/status (was by wiki.example.com/status#2)`,
    ]);
    const { changes } = JSON.parse((await diff(base, opened, '--format', 'json')).out);
    expect(changes).toMatchObject([{ kind: 'gained', who: 'nobody', roles: ['probe'] }]);
  });

  test('reports what anonymous callers gain even if everyone with the role gains', async () => {
    const opened = base.replace(
      '/status: { service: wiki, allow: [authenticated] }',
      '/status: { service: wiki, allow: [probe] }',
    );
    expect((await diff(base, opened)).lines).toEqual([
      `+ a caller without a credential, where the request gives probe, may now use any method on ${WIKI}/status (by wiki.example.com/status#1, as default)`,
      `- any authenticated caller may no longer use any method on ${WIKI}/status (was by wiki.example.com/status#1); probe still may`,
    ]);
    const fewer = base.replace(
      '/ping: { service: wiki, allow: [probe] }',
      '/ping: { service: wiki, allow: [{ role: probe, methods: [GET] }] }',
    );
    expect((await diff(fewer, base)).lines).toEqual([
      `+ a caller without a credential, where the request gives probe, may now use any method but GET on ${WIKI}/ping (by wiki.example.com/ping#1, as default)`,
      `+ probe may now use any method but GET on ${WIKI}/ping (by wiki.example.com/ping#1, as default)`,
    ]);
  });
});

describe('the CA of client certificates', () => {
  const own = 'wiki.example.com:\n    tls: { client_ca_file: /run/clients.pem }\n';
  const [host, tls] = ['  wiki.example.com:\n', 'tls: { cert_file: /run/t.crt, key_file: /run/t.key'];

  test('of a host is reported', async () => {
    const old = changed(['gateway: { insecure_http: true }', `gateway: { ${tls} } }`], [host, `  ${own}`]);
    const fresh = old.replace('/run/clients.pem', '/run/others.pem');
    expect(await diff(old, fresh)).toMatchObject({
      code: 1,
      lines: ['* host wiki.example.com: client_ca_file "/run/clients.pem" → "/run/others.pem"'],
    });
  });

  test('of the gateway is reported for each host without its own', async () => {
    const old = changed([
      'gateway: { insecure_http: true }',
      `gateway: { ${tls}, client_ca_file: /run/clients.pem } }`,
    ]);
    expect((await diff(old, old.replace('/run/clients.pem', '/run/others.pem'))).lines).toEqual([
      '* host wiki.example.com: client_ca_file "/run/clients.pem" → "/run/others.pem"',
    ]);
  });
});

describe('keys that do not concern rules', () => {
  const TLS: readonly [string, string] = [
    'gateway: { insecure_http: true }',
    'gateway: { tls: { cert_file: /run/t.crt, key_file: /run/t.key } }',
  ];
  const own = 'tls: { cert_file: /run/w.crt, key_file: /run/w.key }';

  test.each<readonly [string, readonly (readonly [string, string])[], string, string, readonly string[]]>([
    [
      'the certificate of a host',
      [TLS, ['  wiki.example.com:\n', `  wiki.example.com:\n    ${own}\n`]],
      '/run/w.key',
      '/run/other.key',
      [
        'host wiki.example.com: tls {"cert_file":"/run/w.crt","key_file":"/run/w.key"} → {"cert_file":"/run/w.crt","key_file":"/run/other.key"}',
      ],
    ],
    [
      'rotation',
      [],
      'trust_domain: example.org',
      'trust_domain: example.org\n  rotation: 30m',
      ['mesh: rotation 70s → 1800s'],
    ],
    [
      'labels, one of them "at" and others by capitals',
      [['endpoint: wiki:8080', 'endpoint: wiki:8080, namespace: wiki, labels: { at: home, isIn: a }']],
      '{ at: home, isIn: a }',
      '{ at: work, is_in: a }',
      ['service wiki: labels {"at":"home","isIn":"a"} → {"at":"work","is_in":"a"}'],
    ],
    [
      'any audience, and private addresses',
      [],
      'audiences: [wiki], clients',
      'insecure_any_audience: true, insecure_private_addresses: true, clients',
      [
        'provider ci: audiences ["wiki"] → []',
        'provider ci: insecure_any_audience nothing → true',
        'provider ci: insecure_private_addresses nothing → true',
      ],
    ],
    [
      'sub-domains of Strict-Transport-Security',
      [TLS, ['/run/t.key } }', '/run/t.key }, hsts: { max_age: 1d } }']],
      'max_age: 1d',
      'max_age: 1d, include_subdomains: true',
      [
        'gateway: hsts {"max_age":"86400s","include_subdomains":false} → {"max_age":"86400s","include_subdomains":true}',
      ],
    ],
    [
      'the address of the only ingress',
      [],
      'ingress.mesh:8443',
      'other.mesh:8443',
      [
        'ingress: address "ingress.mesh:8443" → "other.mesh:8443"',
        'ingress: server_name "ingress.mesh" → "other.mesh"',
      ],
    ],
  ])('%s', async (_, base, from, to, says) => {
    const old = changed(...base);
    expect(old).toContain(from);
    expect((await diff(old, old.replace(from, to))).lines).toEqual(says.map((line) => `* ${line}`));
  });
});

describe('another spelling of the same policy', () => {
  test('changes nothing', async () => {
    const same = changed([
      STATUS,
      `${STATUS}    /status/x: { service: wiki, allow: [{ role: reader, methods: [GET] }, { role: editor, as: wiki-editor }, { role: builder, methods: [POST], as: wiki-editor }] }\n`,
    ]);
    expect(await diff(POLICY, same)).toMatchObject({ code: 0, out: 'nothing changed\n' });
  });
});

test('as JSON', async () => {
  const { code, out } = await diff(
    POLICY,
    changed(['role: reader, methods: [GET]', 'role: reader, methods: [GET, PUT]'], ['api://wiki', 'api://all']),
    ...['--format', 'json'],
  );
  expect(code).toBe(1);
  expect(JSON.parse(out)).toEqual({
    changed: true,
    changes: [
      {
        kind: 'gained',
        who: 'roles',
        roles: ['reader'],
        host: 'wiki.example.com',
        paths: [{ path: '/*', except: [] }],
        methods: { only: ['PUT'] },
        after: {
          rule: 'wiki.example.com/*#1',
          at: { file: 'new.yaml', line: 34, column: 11 },
          service: 'wiki',
          as: 'default',
        },
        text: `reader may now PUT ${WIKI}/* (by wiki.example.com/*#1, as default)`,
      },
    ],
    definitions: [
      {
        section: 'provider',
        name: 'okta',
        key: 'audiences',
        before: '["api://wiki"]',
        after: '["api://all"]',
        text: 'provider okta: audiences ["api://wiki"] → ["api://all"]',
      },
    ],
    stored: [],
  });
  expect(JSON.parse((await diff(POLICY, POLICY, '--format', 'json')).out)).toEqual({
    changed: false,
    changes: [],
    definitions: [],
    stored: [],
  });
});

test('mistakes in both files are printed; standard input is one file', async () => {
  const { code, out, err } = await meshgate(['diff', 'a', 'b'], { files: { a: 'version: 1\n', b: 'version: 1\n' } });
  expect({ code, out }).toEqual({ code: 3, out: '' });
  expect(err).toMatch(/^a:1:1 .*\n(.*\n)*b:1:1 /);
  expect(await meshgate(['diff', '-', '-'])).toMatchObject({
    code: 2,
    err: 'meshgate: only one file can come from standard input\n',
  });
});
