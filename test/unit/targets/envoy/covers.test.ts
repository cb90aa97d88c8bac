import { expect, test } from 'vitest';
import { compile } from '../../../../src/rules/compile.ts';
import { envoy } from '../../../../src/targets/envoy/index.ts';
import { render } from './samples.ts';

const service = 'services: { wiki: { authority: wiki.mesh, endpoint: "wiki:8080" } }\n';

function gaps(rest: string, mesh?: string) {
  return render(rest, mesh).gaps.map(({ part, text }) => `${part}: ${text}`);
}

test('a role with its own identity is enforced exactly: no gap', () => {
  const { policy, rules, gaps } = render(
    `${service}hosts: { w.test: { /*: { service: wiki, allow: [{ role: reader, methods: [GET] }, { role: editor, as: wiki-editor }] } } }`,
  );
  expect(gaps).toEqual([]);
  expect(rules.map((rule) => envoy.covers(rule, policy))).toEqual([{ kind: 'exact' }, { kind: 'exact' }]);
});

test('two roles with one identity on the same requests: each is wider, and the other is named', () => {
  const { policy, rules, gaps } = render(
    `${service}hosts: { w.test: { /*: { service: wiki, allow: [{ role: reader, methods: [GET] }, editor] } } }`,
  );
  const text =
    'Envoy sees the identity and not the role: role reader shares the identity default with role editor (w.test/*#2) on the same requests; if the mesh must distinguish them, give one of them its own identity, or let Envoy verify the assertion (mesh.ingress.own.assertion_jwks_file)';
  expect(gaps[0]).toEqual({ part: 'w.test/*#1', text });
  expect(gaps.map(({ part }) => part)).toEqual(['w.test/*#1', 'w.test/*#2']);
  expect(envoy.covers(rules[0]!, policy)).toEqual({ kind: 'wider', text });
});

test('two roles with one identity, and an assertion that Envoy verifies: exact', () => {
  const { policy } = render(
    `${service}hosts: { w.test: { /*: { service: wiki, allow: [{ role: reader, methods: [GET] }, editor] } } }`,
  );
  const ingress = policy.mesh!.ingress;
  const changed = {
    ...policy,
    gateway: { ...policy.gateway, assertion: { issuer: 'https://gw.test', keysFile: '/k', lifetime: 60 } },
    mesh: {
      ...policy.mesh!,
      ingress: { ...ingress, own: { ...ingress.own!, assertionJwksFile: '/run/own/jwks.json' } },
    },
  };
  const rules = compile(changed);
  expect(envoy.emit(changed, rules).gaps).toEqual([]);
  expect(rules.map((rule) => envoy.covers(rule, changed))).toEqual([{ kind: 'exact' }, { kind: 'exact' }]);
});

test('authenticated and a role with one identity: wider', () => {
  const allow = 'allow: [{ role: editor, methods: [POST] }, authenticated]';
  expect(gaps(`${service}hosts: { w.test: { /*: { service: wiki, ${allow} } } }`)[0]).toContain(
    'role editor shares the identity default with authenticated',
  );
});

test('the same identity on other methods or paths: exact', () => {
  expect(
    gaps(
      `${service}hosts: { w.test: { /*: { service: wiki, allow: [{ role: reader, methods: [GET] }, { role: editor, methods: [POST] }] }, /x/*: { service: wiki, allow: [anyone] } } }`,
    ),
  ).toEqual([]);
});

test('two hosts that share an authority: wider, and the authority is named', () => {
  const all = gaps(
    `${service}hosts: { a.test: { /*: { service: wiki, allow: [reader] } }, b.test: { /x/*: { service: wiki, allow: [editor] } } }`,
  );
  expect(all).toHaveLength(3);
  expect(all[1]).toContain(
    'role editor shares the identity default and the authority wiki.mesh with role reader (a.test/*#1)',
  );
});

test('a service that is reached directly is not protected', () => {
  const rest = `services: { wiki: { authority: wiki.mesh }, direct: { url: "https://direct.test" } }
hosts: { w.test: { /*: { service: wiki, allow: [reader] }, /d/*: { service: direct, allow: [editor] } } }`;
  const { policy, rules, gaps } = render(rest, undefined);
  expect(gaps).toEqual([
    { part: 'services.direct', text: 'nginx connects to the service directly, so Envoy does not enforce its rules' },
  ]);
  expect(envoy.covers(rules[1]!, policy)).toEqual({
    kind: 'none',
    text: 'direct is not reached through Envoy',
  });
});

test('characters of paths that clients encode are named', () => {
  expect(
    gaps(
      `${service}hosts: { w.test: { /*: { service: wiki, allow: [reader] }, "/a@b/~c": { service: wiki, allow: [{ role: editor, as: wiki-editor }] } } }`,
    ),
  ).toEqual([
    'w.test/*#1: Envoy matches paths without decoding them, so it refuses a path if a client percent-encodes one of these characters, which paths of the policy contain: @ ~',
  ]);
});

test('a policy without a mesh renders to nothing, and says why', () => {
  const { files, gaps } = render(
    'services: { wiki: { url: "https://wiki.test" } }\nhosts: { w.test: { /*: { service: wiki, allow: [authenticated] } } }',
    '',
  );
  expect(files).toEqual({});
  expect(gaps).toEqual([{ part: 'mesh', text: 'the policy has no mesh, so there is nothing for Envoy to enforce' }]);
});
