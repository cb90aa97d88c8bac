import { describe, expect, test } from 'vitest';
import { meshgate, POLICY } from './fake.ts';

const prove = (a: string, b: string, ...args: string[]) =>
  meshgate(['prove', ...args, 'a.yaml', 'b.yaml'], { files: { 'a.yaml': a, 'b.yaml': b } });

const more = POLICY.replace('role: reader, methods: [GET]', 'role: reader, methods: [GET, POST]');

describe('two policies', () => {
  test('the same: yes', async () => {
    expect(await prove(POLICY, POLICY)).toMatchObject({
      code: 0,
      out: 'yes: a.yaml and b.yaml allow the same requests\n',
      err: '',
    });
  });

  test('names of services and identities do not count, what they are does', async () => {
    const renamed = POLICY.replaceAll('service: wiki', 'service: pages').replace('  wiki: {', '  pages: {');
    const named = renamed.replaceAll('as: wiki-editor', 'as: writer').replace('    wiki-editor: {', '    writer: {');
    expect((await prove(POLICY, named)).code).toBe(0);
    expect((await prove(POLICY, POLICY.replace('authority: wiki.mesh', 'authority: pages.mesh'))).code).toBe(1);
    expect((await prove(POLICY, POLICY.replace('org/wiki-editor', 'org/writer'))).code).toBe(1);
  });

  test('different: a request, who asks, and the rules on both sides', async () => {
    const { code, out } = await prove(POLICY, more);
    expect(code).toBe(1);
    expect(out).toBe(`no: a.yaml and b.yaml differ
POST http://wiki.example.com/x
caller  reader
  a.yaml: refused
  b.yaml: allowed by wiki.example.com/*#1: role reader, GET POST HEAD, as default, to wiki  b.yaml:34:11
`);
  });

  test('the request is one that explain confirms', async () => {
    const { out } = await prove(POLICY, more, '--format', 'json');
    const { witness } = JSON.parse(out);
    const explain = (policy: string) =>
      meshgate(['explain', '--as', witness.caller.roles.join(','), witness.method, witness.url], {
        files: { './meshgate.yaml': policy },
      });
    expect([(await explain(POLICY)).code, (await explain(more)).code]).toEqual([1, 0]);
    expect(witness.a).toEqual({ allowed: false });
    expect(witness.b).toMatchObject({ allowed: true, rule: 'wiki.example.com/*#1', as: 'default' });
  });

  test('a role that one side alone has, and that comes with another, makes no difference', async () => {
    const lead = POLICY.replace(
      '  admin: {',
      '  lead: { all: [editor, { group: leads, provider: okta }] }\n  admin: {',
    ).replace(
      '        - { role: editor, as: wiki-editor }\n',
      '        - { role: lead, as: wiki-editor }\n        - { role: editor, as: wiki-editor }\n',
    );
    expect(await prove(POLICY, lead)).toMatchObject({ code: 0, err: '' });
    const alone = lead.replace('all: [editor, { group: leads, provider: okta }]', 'group: leads, provider: okta');
    expect((await prove(POLICY, alone)).out).toContain('caller  lead\n');
  });

  test('roles that mean something else, and other providers, are no yes', async () => {
    const other = POLICY.replace('group: readers', 'group: everybody').replace('audiences: [wiki]', 'audiences: [ci]');
    const { code, out } = await prove(POLICY, other);
    expect(code).toBe(1);
    expect(out).toBe(`no: a.yaml and b.yaml allow the same roles the same requests, but define these otherwise
  role reader means something else: group "readers" of okta → group "everybody" of okta
  provider ci: audiences ["wiki"] → ["ci"]
`);
    const two = `${POLICY}  api.example.com: { providers: [okta, ci], /*: { service: wiki, allow: [authenticated] } }\n`;
    const one = two.replace('api.example.com: { providers: [okta, ci]', 'api.example.com: { providers: [okta]');
    expect((await prove(two, one)).out).toContain('host api.example.com: providers ["ci","okta"] → ["okta"]');
  });
});

describe('a policy and what Envoy got', () => {
  const target = ['--target', 'envoy'];
  const rendered = async (policy: string) =>
    (await meshgate(['render', '--target', 'envoy', 'x'], { files: { x: policy } })).out;

  test('as rendered: yes, and for a policy that lets the same identities in', async () => {
    const envoy = await rendered(POLICY);
    expect((await prove(POLICY, envoy, ...target)).out).toBe('yes: a.yaml and b.yaml allow the same requests\n');
  });

  test('of another policy: a request and the identity that tells them apart', async () => {
    const { code, out } = await prove(POLICY, await rendered(more), ...target);
    expect(code).toBe(1);
    expect(out).toBe(`no: a.yaml and b.yaml differ
POST http://wiki.mesh/x
caller  spiffe://example.org/gateway
  a.yaml: refused
  b.yaml: allowed by wiki.example.com/*#1
`);
    expect((await prove(more, await rendered(POLICY), ...target)).out).toContain(
      'a.yaml: allowed by wiki.example.com/*#1: role reader, GET POST HEAD, as default, to wiki  a.yaml:34:11\n',
    );
  });

  test('changed by hand: found', async () => {
    const envoy = await rendered(POLICY);
    const opened = envoy.replace('prefix: "/admin/"', 'prefix: "/adm/"');
    expect(opened).not.toBe(envoy);
    expect((await prove(POLICY, opened, ...target)).code).toBe(1);
  });

  test('somebody else’s file is wrong use', async () => {
    expect(await prove(POLICY, 'static_resources: {}', ...target)).toMatchObject({
      code: 2,
      out: '',
      err: 'meshgate: b.yaml is not as "meshgate render --target envoy" writes it\n',
    });
  });
});
