import { describe, expect, test } from 'vitest';
import { BASE, errorsOf, policyOf } from './stage.ts';

const GATEWAY = (listen: string) => BASE.replace('version: 1', `version: 1\ngateway: { listen: ${listen} }`);
const GROUP = (group: string) => BASE.replace('group: editors', () => `group: ${group}`);

describe('a variable', () => {
  test('stands for its value, alone or in a text', () => {
    const text = BASE.replace('https://wiki.internal:8443', '"https://${HOST}:${PORT}"');
    const { services } = policyOf(text, { variables: { HOST: 'wiki.prod', PORT: '9443' } });
    expect(services.wiki?.direct).toMatchObject({ host: 'wiki.prod', port: 9443 });
  });

  test('works in an overlay, and in the name of a host', () => {
    const overlays = { 'prod.yaml': 'hosts: { wiki.example.com: { name: "wiki.${STAGE}.example.com" } }' };
    expect(policyOf(BASE, { overlays, variables: { STAGE: 'test' } }).hosts[0]?.name).toBe('wiki.test.example.com');
  });

  test.each(['"${PORT}"', "'${PORT}'"])('%s is a number where the policy needs a number', (written) => {
    expect(policyOf(GATEWAY(written), { variables: { PORT: '8444' } }).gateway.listen).toBe(8444);
  });

  test('is true or false where the policy needs it', () => {
    const text = BASE.replace('version: 1', 'version: 1\ngateway:\n  insecure_http: ${HTTP}');
    expect(policyOf(text, { variables: { HTTP: 'true' } }).gateway.insecureHttp).toBe(true);
    expect(errorsOf(text, { variables: { HTTP: 'yes' } })).toEqual([
      'm.yaml:3:18 gateway.insecure_http: the value of "${HTTP}" is not true; write true, or remove this',
    ]);
  });

  test.each(['42', '0x1f', '1e3', '007', 'true', 'null', '~', '1.5'])(
    '%s is a text where the policy needs a text',
    (value) => {
      for (const written of ['"${G}"', '\n      ${G}']) {
        const text = BASE.replace('{ group: editors }', `\n    group: ${written}`);
        expect(policyOf(text, { variables: { G: value } }).roles.editor?.fact).toMatchObject({ value });
      }
    },
  );

  test('without quotes has the type that the value would have there, where both types fit', () => {
    const is = (written: string) =>
      policyOf(BASE.replace('{ group: editors }', `\n    claim: level\n    is: ${written}`), { variables: { L: '3' } })
        .roles.editor?.fact;
    expect(is('${L}')).toMatchObject({ value: 3 });
    expect(is('"${L}"')).toMatchObject({ value: '3' });
  });

  test.each(['{ group: admins }', '[a]', '*x', '&x y', '!!int 3', 'a: b', '# c', '- a', '"', "'", '---', '${OTHER}'])(
    '%s is never YAML, and never another variable',
    (value) => {
      expect(policyOf(GROUP('"${G}"'), { variables: { G: value, OTHER: 'x' } }).roles.editor?.fact).toMatchObject({
        value,
      });
    },
  );

  test('null removes nothing', () => {
    const given = { overlays: { 'p.yaml': 'roles:\n  editor: ${X}\n' }, variables: { X: 'null' } };
    expect(errorsOf(BASE, given)[0]).toContain('roles.editor');
  });

  test('an escaped one is the text itself', () => {
    const group = (written: string) => policyOf(GROUP(written), { variables: { G: 'x' } }).roles.editor?.fact;
    expect(group('"$${G}"')).toMatchObject({ value: '${G}' });
    expect(group('"a$${${G}$${"')).toMatchObject({ value: 'a${x${' });
    expect(group('"$G $$"')).toMatchObject({ value: '$G $$' });
  });
});

describe('the policy is rejected', () => {
  test.each([
    [
      '"${G}"',
      {},
      'm.yaml:6:20 roles.editor.group: the variable G is not allowed; allow it with --env G, or write $${G} for this text itself',
    ],
    [
      '"a ${H}"',
      { G: 'x' },
      'm.yaml:6:20 roles.editor.group: the variable H is not allowed; allow it with --env H, or write $${H} for this text itself',
    ],
    [
      '"${toString}"',
      {},
      'm.yaml:6:20 roles.editor.group: the variable toString is not allowed; allow it with --env toString, or write $${toString} for this text itself',
    ],
    [
      '"${G}"',
      { G: undefined },
      'm.yaml:6:20 roles.editor.group: the variable G is not set; set it, or write the value itself',
    ],
    ['"${G}"', { G: '' }, 'm.yaml:6:20 roles.editor.group: the variable G is empty; set it, or write the value itself'],
    [
      '"${G:-hunter2}"',
      { G: 'x' },
      'm.yaml:6:20 roles.editor.group: after ${ comes the name of a variable and }, as in ${STAGE}; write $${ for these characters themselves',
    ],
    [
      '"${G"',
      { G: 'x' },
      'm.yaml:6:20 roles.editor.group: after ${ comes the name of a variable and }, as in ${STAGE}; write $${ for these characters themselves',
    ],
  ])('%s with %j', (group, variables, error) => {
    expect(errorsOf(GROUP(group), { variables })).toEqual([error]);
  });

  test.each(['a\nb', 'a\tb', '\u0000', '\u007f', '\u0085', '\u2028', '\ufeff'])(
    'if a value has a control character: %j',
    (value) => {
      expect(errorsOf(GROUP('"${G}"'), { variables: { G: value } })).toEqual([
        'm.yaml:6:20 roles.editor.group: the value of G has a line break or a control character; remove it',
      ]);
    },
  );

  test('if a value is too long', () => {
    expect(errorsOf(GROUP('"${G}"'), { variables: { G: 'x'.repeat(1001) } })[0]).toContain(
      'is too long; write at most 1000',
    );
  });

  test('if a key has a variable', () => {
    const text = BASE.replace('wiki.example.com:', '"${HOST}":');
    expect(errorsOf(text, { variables: { HOST: 'a.example.com' } })[0]).toBe(
      'm.yaml:13:3 hosts."${HOST}": a key cannot have variables; write the key itself, in an overlay for each stage',
    );
  });

  test.each(['{ group: ${G} }', '[${G}]', '{ group: a${G}b, provider: okta }'])(
    'if a value in %s has no quotes',
    (fact) => {
      expect(errorsOf(BASE.replace('{ group: editors }', fact), { variables: { G: 'x' } })).toEqual([
        expect.stringMatching(
          /^m\.yaml:6:\d+: not YAML: inside braces and brackets, a value with a variable must be in quotes/,
        ),
      ]);
    },
  );

  test('if a variable stands for a list or a mapping', () => {
    const text = BASE.replace('allow: [editor]', 'allow: ${WHO}');
    expect(errorsOf(text, { variables: { WHO: '[anyone]' } })[0]).toContain(
      'allow: the value of "${WHO}" must be in a list; write ["${WHO}"]',
    );
  });
});

/** A value that an error must not repeat, in any of its forms. */
const VALUE = 'Hunter2-Geheim';

describe('an error names the variable, and never repeats its value', () => {
  const places: readonly (readonly [what: string, text: string])[] = [
    ['a file', BASE.replace('/run/wiki/ca.pem', '"${S}"')],
    ['a URL', BASE.replace('https://wiki.internal:8443', '"https://u:${S}@wiki.internal"')],
    ['an issuer', BASE.replace('https://example.okta.com/oauth2/default', '"${S}"')],
    ['a number', GATEWAY('"${S}"')],
    ['a duration', BASE.replace('version: 1', 'version: 1\ngateway: { clock_skew: "${S}" }')],
    ['a role', BASE.replace('[editor]', '["${S}"]')],
    ['a role in a text', BASE.replace('[editor]', '["x${S}y"]')],
    ['a service', BASE.replace('service: wiki\n      allow: [editor]', 'service: "${S}"\n      allow: [editor]')],
    ['a method', BASE.replace('[editor]', '[{ role: editor, methods: ["${S}"] }]')],
    ['a methods text', BASE.replace('[editor]', '[{ role: editor, methods: "${S}" }]')],
    ['a kind', BASE.replace('{ issuer:', '{ kind: "${S}", issuer:')],
    ['a header', BASE.replace('X-User: subject', 'X-User: "${S}"')],
    ['a host', BASE.replace('    /*:', '    name: "${S}"\n    /*:')],
    ['an audience twice', BASE.replace('[api://wiki]', '["${S}", "${S}"]')],
    ['a test', `${BASE}tests:\n  - { as: nobody, GET: "\${S}", expect: allowed }\n`],
    ['a prefix', BASE.replace('okta- }', '"${S} x" }')],
    ['an ACL', BASE.replace('[staff, editor]', '"${S}"')],
  ];

  test.each(places)('%s', (_, text) => {
    const found = errorsOf(text, { variables: { S: VALUE } });
    expect(found.length).toBeGreaterThan(0);
    for (const error of found) {
      expect(error.toLowerCase()).not.toContain('hunter2');
      expect(error.toLowerCase()).not.toContain('geheim');
    }
    expect(found.join()).toContain('${S}');
  });

  test('a short value is kept out too', () => {
    expect(errorsOf(GATEWAY('"${P}"'), { variables: { P: '0' } })).toEqual([
      'm.yaml:2:20 gateway.listen: the value of "${P}" is not a port; write a number from 1 to 65535',
    ]);
    expect(errorsOf(BASE.replace('[editor]', '["${R}"]'), { variables: { R: 'q' } })[0]).toContain('no role "${R}"');
  });

  test('other words of the message stay', () => {
    const found = errorsOf(BASE.replace('[editor]', '["${R}"]'), { variables: { R: 'rol' } })[0];
    expect(found).toContain('no role "${R}"; write one of staff, editor');
  });
});
