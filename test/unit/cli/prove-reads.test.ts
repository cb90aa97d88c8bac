/** Files that a mesh reads otherwise than `prove` never count as the same: each of these allows more, or may. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { meshgate } from './fake.ts';

type Files = Readonly<Record<string, string>>;

/** The files of a golden folder: the policy, and the rendered files. */
function golden(target: string, name: string) {
  const folder = join(import.meta.dirname, '../targets', target, 'golden', name);
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(yaml|json)$/.test(file) && file !== 'options.json')
    .map((file) => [file, readFileSync(join(folder, file), 'utf8')] as const);
  const policy = all.find(([file]) => file === 'policy.yaml')?.[1] ?? '';
  const files: Files = Object.fromEntries(all.filter(([file]) => file !== 'policy.yaml'));
  return { policy, files };
}

interface Side {
  readonly policy: string;
  readonly files: Files;
  readonly args?: readonly string[];
}

async function prove(target: string, { policy, args = [] }: Side, files: Files) {
  const live = Object.fromEntries(Object.entries(files).map(([file, text]) => [`live/${file}`, text]));
  const given = { files: { 'a.yaml': policy, 'keys.json': KEYS, ...live } };
  const { code, out, err } = await meshgate(['prove', '--target', target, ...args, 'a.yaml', 'live'], given);
  return { code, says: out + err };
}

const KEYS = '{"keys":[{"kty":"EC","crv":"P-256","x":"x","y":"y","kid":"a"}]}';

function replaced(text: string, from: string | RegExp, to: string): string {
  const changed = text.replace(from, to);
  expect(changed).not.toBe(text);
  return changed;
}

/** Names that every object of JavaScript has. */
const JAVASCRIPT = ['constructor', 'toString', 'valueOf'];

const notProven = (says: string) => ({
  code: 3,
  says: expect.stringMatching(new RegExp(`^not proven: [\\s\\S]*${says}`)),
});

describe('Linkerd', () => {
  const SERVER = 'meshgate-confluence.8090.025c3bef9474f983';
  const side = golden('linkerd', 'confluence');
  const rendered = side.files['linkerd.yaml'] ?? '';
  const beside = (text: string) => prove('linkerd', side, { 'linkerd.yaml': `${rendered}---\n${text}` });
  const change = (from: string | RegExp, to: string) =>
    prove('linkerd', side, { 'linkerd.yaml': replaced(rendered, from, to) });
  const head = (kind: string, space = 'wiki', version = 'v1beta3') =>
    `apiVersion: policy.linkerd.io/${version}\nkind: ${kind}\nmetadata: {name: more${space && `, namespace: ${space}`}}\n`;
  const authorization = (kind: string, name: string, space?: string) =>
    `${head('AuthorizationPolicy', space, 'v1alpha1')}spec:\n  targetRef: {group: policy.linkerd.io, kind: ${kind}, name: ${name}}\n  requiredAuthenticationRefs: []\n`;
  const route = (kind: string) =>
    `${head('HTTPRoute')}spec:\n  parentRefs: [{group: policy.linkerd.io, kind: ${kind}, name: ${SERVER}}]\n  rules: [{matches: [{path: {type: PathPrefix, value: /}}]}]\n`;

  test('rendered objects are the same, with their kustomization', async () => {
    expect(await prove('linkerd', side, side.files)).toEqual({
      code: 0,
      says: 'yes: a.yaml and live allow the same requests\n',
    });
  });

  test.each([
    ['a server in lower case', authorization('server', SERVER), 'it allows more than routes'],
    ['a namespace in lower case', authorization('namespace', 'wiki'), 'it allows more than routes'],
    ['a route in lower case', authorization('httproute', 'meshgate-confluence.refuse'), 'it allows more than routes'],
    ['a route by a name in upper case', authorization('HTTPRoute', 'MESHGATE-CONFLUENCE.REFUSE'), 'it allows more'],
    ['an unknown kind', authorization('Pods', 'x'), 'it allows more than routes'],
    ['nothing that is understood', `${head('AuthorizationPolicy')}spec: {targetRef: all}\n`, 'it allows more'],
    ['a server, from no namespace', authorization('Server', SERVER, ''), 'it allows more than routes'],
  ])('a foreign policy for %s may allow more', async (_, text, says) => {
    expect(await beside(text)).toEqual(notProven(says));
  });

  test.each(['server', 'SERVER', 'Waypoint'])(
    'a foreign route whose parent is a %s receives requests',
    async (kind) => {
      expect(await beside(route(kind))).toEqual(notProven('it takes requests from the routes of'));
    },
  );

  test('a policy that claims to be rendered and names a route in upper case allows more', async () => {
    const own = /kind: "AuthorizationPolicy"\n[\s\S]*?(?=---)/.exec(rendered)?.[0] ?? '';
    const [, name = ''] = /kind: "HTTPRoute"\n {4}name: "([^"]+)"/.exec(own) ?? [];
    const text = `apiVersion: "policy.linkerd.io/v1alpha1"\n${own}`
      .replace(/ {2}name: "[^"]+"/, '  name: "more"')
      .replace(`name: "${name}"`, 'name: "MESHGATE-CONFLUENCE.REFUSE"');
    expect(await beside(text)).toEqual(notProven('it applies to an HTTPRoute that does not exist'));
  });

  test('an object of a kind that is not read counts, whatever its label says', async () => {
    const labels = ', labels: {app.kubernetes.io/managed-by: meshgate}}';
    const text = `${replaced(head('ServerAuthorization'), '}', labels)}spec: {server: {name: ${SERVER}}, client: {unauthenticated: true}}\n`;
    expect(await beside(text)).toEqual(notProven('meshgate does not render it; delete what is left over'));
  });

  test.each(JAVASCRIPT)('a foreign server for the label %s may count in place of the rendered one', async (label) => {
    const text = `${head('Server')}spec: {podSelector: {matchLabels: {${label}: x}}, port: web}\n`;
    expect(await beside(text)).toEqual(notProven(`it may apply instead of Server wiki/${SERVER}`));
  });

  test.each(JAVASCRIPT)('no object has the kind %s, and none has a member of that name', async (name) => {
    expect(await beside(`${head(name)}spec: {}\n`)).toEqual(notProven('prove does not know objects of this kind'));
    const text = replaced(rendered, /(kind: "Server"\nmetadata:\n)/, `$1  ${name}: x\n`);
    expect(await prove('linkerd', side, { 'linkerd.yaml': text })).toEqual(
      notProven(`metadata\\.${name} is "x", which meshgate does not render`),
    );
  });

  test('a rule without matches allows every path', async () => {
    const allow = /(name: "meshgate-confluence\.allow[\s\S]*?rules:\n)/;
    expect(await change(allow, '$1    - matches: []\n')).toEqual(
      notProven('a rule without matches matches every path'),
    );
    expect(await change(allow, '$1    - {}\n')).toEqual(notProven('a rule without matches matches every path'));
  });

  test.each(['/rest/..;/admin/x', '/rest//x', '/rest/./x', '/rest/%2e/x', '/rest/a;b', '/rest/a\\\\b'])(
    'the path %s, which is not canonical, would win over the pattern that refuses it',
    async (path) => {
      for (const type of ['Exact', 'PathPrefix']) {
        const match = `    - matches:\n        - path: {type: ${type}, value: "${path}"}\n          method: GET\n`;
        expect(await change(/(name: "meshgate-confluence\.allow\.ingress[\s\S]*?rules:\n)/, `$1${match}`)).toEqual(
          notProven('a policy cannot have the path'),
        );
      }
    },
  );

  test('an unlabelled authentication of the same name replaces the rendered one', async () => {
    const [own = ''] =
      /apiVersion: "policy.linkerd.io\/v1alpha1"\nkind: "MeshTLSAuthentication"[\s\S]*?(?=---)/.exec(rendered) ?? [];
    const open = replaced(replaced(own, / {2}labels:\n(?: {4}.*\n)+/, ''), /identities:[\s\S]*/, 'identities: ["*"]\n');
    expect(await beside(open)).toEqual(notProven('it exists twice'));
  });

  test('two routes with one name are not treated as one', async () => {
    const [own = ''] =
      /apiVersion: "policy.linkerd.io\/v1beta3"\nkind: "HTTPRoute"\nmetadata:\n {2}name: "meshgate-confluence\.refuse"[\s\S]*?(?=---)/.exec(
        rendered,
      ) ?? [];
    expect(own).not.toBe('');
    expect(await beside(own)).toEqual(notProven('it exists twice'));
  });

  test.each([
    ['no path', 'nope', 'a path does not begin with /'],
    ['too many rules', '/status', 'a route must have from 1 to 16 rules'],
  ])('a refusing route with %s does not count', async (_, value, says) => {
    const rule = `    - matches:\n        - path:\n            type: "Exact"\n            value: "${value}"\n`;
    const more = value === 'nope' ? rule : rule.repeat(16);
    expect(await change(/(name: "meshgate-confluence\.refuse"[\s\S]*?rules:\n)/, `$1${more}`)).toEqual(notProven(says));
  });

  test.each([
    ['another controller', 'controllerName: evil.test/x', ''],
    ['another namespace', 'controllerName: linkerd.io/policy-controller', ', namespace: elsewhere'],
  ])('a route that %s has accepted does not count', async (_, controller, space) => {
    const status = `status: {parents: [{${controller}, parentRef: {kind: Server, name: ${SERVER}${space}}, conditions: [{type: Accepted, status: "True"}]}]}\n`;
    expect(await change('kind: "HTTPRoute"\n', `kind: "HTTPRoute"\n${status}`)).toEqual(
      notProven('Linkerd has not accepted it'),
    );
  });

  test('a route whose conditions contradict each other does not count', async () => {
    const says = (status: string) => `{type: Accepted, status: "${status}"}`;
    const parent = `controllerName: linkerd.io/policy-controller, parentRef: {kind: Server, name: ${SERVER}}`;
    const status = `status: {parents: [{${parent}, conditions: [${says('True')}, ${says('False')}]}]}\n`;
    expect(await change('kind: "HTTPRoute"\n', `kind: "HTTPRoute"\n${status}`)).toEqual(
      notProven('Linkerd has not accepted it'),
    );
  });

  test('without its server the default policy of Linkerd decides, and nothing is reported as refused', async () => {
    const two = golden('linkerd', 'confluence');
    const documents = rendered
      .split('---\n')
      .filter((it) => !it.includes('"meshgate-confluence') || it.includes('kind: "MeshTLS'));
    expect(documents.some((it) => it.includes('kind: "Server"'))).toBe(true);
    const { code, says } = await prove('linkerd', two, { 'linkerd.yaml': documents.join('---\n') });
    expect(code).toBe(3);
    expect(says).toContain(`Server wiki/${SERVER}: it is missing: without it the default inbound policy decides`);
    expect(says).not.toContain('refused');
  });

  describe('an exact path beside a prefix', () => {
    const tied = golden('linkerd', 'identities');
    const text = tied.files['linkerd.yaml'] ?? '';
    const changed = (rename: (document: string) => string) =>
      prove('linkerd', tied, { 'linkerd.yaml': text.split('---\n').map(rename).join('---\n') });

    test('a prefix under the full host name allows the paths that a wildcard refuses', async () => {
      const outcome = await changed((it) => {
        if (
          /kind: "(HTTPRoute|AuthorizationPolicy)"\nmeta[\s\S]*name: "meshgate-wiki\.allow\.default"\n {2}name/.test(it)
        ) {
          return it
            .replaceAll('meshgate-wiki.allow.default"', 'zz-allow.default"')
            .replace('*.apps.svc', 'wiki.apps.svc');
        }
        if (/HTTPRoute"\nmetadata:\n {2}name: "meshgate-wiki\.exact\.allow\.writer"/.test(it)) {
          return `${it.trimEnd()}\n        - path:\n            type: "Exact"\n            value: "/a/b/c"\n`;
        }
        return it;
      });
      expect(outcome).toEqual(notProven('the route that refuses paths that are not canonical is missing, or a route'));
    });

    test('another path below the wildcard is another answer for all other hosts', async () => {
      const outcome = await changed((it) =>
        /HTTPRoute"\nmetadata:\n {2}name: "meshgate-wiki\.allow\.default"/.test(it)
          ? `${it.trimEnd()}\n        - path:\n            type: "Exact"\n            value: "/"\n`
          : it,
      );
      expect(outcome.code).toBe(1);
      expect(outcome.says).toContain(
        '/ at the workload of apps/meshgate-wiki.8080.3f7e5ed2482e77a0 for any other host in apps.svc.cluster.local\n',
      );
    });
  });
});

describe('Istio', () => {
  const side = golden('istio', 'confluence');
  const beside = (text: string, file = 'more.yaml') => prove('istio', side, { ...side.files, [file]: text });
  const ingress = side.files['ingress.yaml'] ?? '';
  const [, name = '', space = ''] =
    /kind: "Gateway"\nmetadata:\n {2}name: "([^"]+)"\n {2}namespace: "([^"]+)"/.exec(ingress) ?? [];
  const object = (api: string, kind: string, spec: string, at = `, namespace: ${space}`) =>
    `apiVersion: ${api}\nkind: ${kind}\nmetadata: {name: more${at}}\nspec: ${spec}\n`;
  const route = (gateway: string, at?: string) =>
    object('networking.istio.io/v1', 'VirtualService', `{hosts: ["*"], gateways: [${gateway}], http: []}`, at);
  const policy = (spec: string, at?: string) => object('security.istio.io/v1', 'AuthorizationPolicy', spec, at);

  test('rendered objects are the same, with their kustomization, and the answer names its assumptions', async () => {
    expect(await prove('istio', side, side.files)).toEqual({
      code: 0,
      says: "yes: a.yaml and live allow the same requests, if the mesh's root namespace is istio-system\n",
    });
  });

  test.each([
    ['NAME', `${name}`, `, namespace: ${space}`],
    ['NAME, from no namespace', `${name}`, ''],
    ['./NAME', `./${name}`, `, namespace: ${space}`],
    ['NS/NAME', `${space}/${name}`, ', namespace: elsewhere'],
    ['NAME.NS', `${name}.${space}`, ', namespace: elsewhere'],
    ['NAME.NS.svc.cluster.local', `${name}.${space}.svc.cluster.local`, ', namespace: elsewhere'],
    ['NAME.NS.svc.example', `${name}.${space}.svc.example`, ', namespace: elsewhere'],
    ['no text', '{}', ', namespace: elsewhere'],
  ])('a VirtualService that names the rendered Gateway as %s leads its requests elsewhere', async (_, gateway, at) => {
    expect(await beside(route(gateway, at))).toEqual(notProven('it leads requests of Gateway'));
  });

  test.each(['mesh', `other.${space}`, `elsewhere/${name}`])('a VirtualService for %s is ignored', async (gateway) => {
    expect((await beside(route(gateway, ', namespace: elsewhere'))).code).toBe(0);
  });

  test.each([
    ['in no namespace', policy('{rules: [{}]}', ''), 'it allows more than AuthorizationPolicy'],
    ...JAVASCRIPT.map((label): [string, string, string] => [
      `for the label ${label}`,
      policy(`{selector: {matchLabels: {${label}: x}}, rules: [{}]}`),
      'it allows more than AuthorizationPolicy',
    ]),
    [
      'with a target',
      policy(
        '{selector: {matchLabels: {istio: other, app: other}}, targetRefs: [{kind: Service, name: x}], rules: [{}]}',
      ),
      'it allows more than AuthorizationPolicy',
    ],
  ])('a policy %s may allow more', async (_, text, says) => {
    expect(await beside(text)).toEqual(notProven(says));
  });

  test.each([
    ['of the Gateway API', object('gateway.networking.k8s.io/v1', 'Gateway', '{}')],
    ['of Kubernetes', object('v1', 'ConfigMap', '{}')],
  ])('an object %s is not ignored', async (_, text) => {
    expect(await beside(text)).toEqual(notProven('prove does not know'));
  });

  test.each([
    ['methods', 'to', 'methods: []'],
    ['notPaths', 'to', 'notPaths: []'],
    ['values', 'when', '{key: "request.auth.claims[roles]", values: []}'],
    ['notValues', 'when', '{key: "request.auth.claims[agent]", notValues: []}'],
    ['values of a header', 'when', '{key: "request.headers[mcp-name]", values: []}'],
    ['when', 'when', ''],
  ])('an empty list of %s is not a condition for Istio', async (_, where, text) => {
    const conditions = ['iss', 'aud', 'as'].map((it) => `{key: "request.auth.claims[${it}]", values: [x]}`);
    const when = where === 'when' ? `[${text && [...conditions, text].join(', ')}]` : `[${conditions.join(', ')}]`;
    const operation = `{paths: ["/*"]${where === 'to' ? `, ${text}` : ''}}`;
    const rule = `{from: [{source: {principals: ["example.org/ns/evil/sa/evil"]}}], to: [{operation: ${operation}}], when: ${when}}`;
    const [file = ''] = Object.keys(side.files).filter((it) => it.startsWith('workloads/'));
    const open = replaced(side.files[file] ?? '', /(action: "ALLOW"\n {2}rules:\n)/, `$1    - ${rule}\n`);
    expect(await prove('istio', side, { ...side.files, [file]: open })).toEqual(
      notProven('a list is empty, and Istio reads it as no condition'),
    );
  });

  test('without its policy Istio allows every caller, and nothing is reported as refused', async () => {
    const [file = ''] = Object.keys(side.files).filter((it) => it.startsWith('workloads/'));
    const others = (side.files[file] ?? '').split('---\n').filter((it) => !it.includes('kind: "AuthorizationPolicy"'));
    const { code, says } = await prove('istio', side, { ...side.files, [file]: others.join('---\n') });
    expect(code).toBe(3);
    expect(says).toMatch(/AuthorizationPolicy \S+: it is missing: without it Istio allows every request\n/);
    expect(says).not.toContain('refused');
  });
});

describe('Consul', () => {
  const side = { ...golden('consul', 'confluence'), args: ['--assertion-jwks', 'keys.json'] };
  const own = 'service-intentions.confluence.json';
  const beside = (text: string) => prove('consul', side, { ...side.files, 'more.json': text });
  const intentions = (more: object, name = '*') => JSON.stringify({ Kind: 'service-intentions', Name: name, ...more });
  const allow = { Name: 'evil', Action: 'allow' };

  test('rendered objects are the same', async () => {
    expect(await prove('consul', side, side.files)).toMatchObject({ code: 0 });
  });

  test('intentions that refuse every service are ignored', async () => {
    expect((await beside(intentions({ Sources: [{ Name: '*', Action: 'deny', Precedence: 5 }] }))).code).toBe(0);
  });

  test.each([
    ['service-intentions', intentions({ Sources: [allow] }, 'Confluence')],
    ['service-defaults', JSON.stringify({ Kind: 'service-defaults', Name: 'CONFLUENCE', Protocol: 'tcp' })],
  ])('%s with the same name in another case are the same entry', async (_, text) => {
    expect(await beside(text)).toEqual(notProven('it exists twice'));
  });

  test('a kind in another case is unknown', async () => {
    const text = JSON.stringify({ Kind: 'Service-Intentions', Name: 'x', Sources: [allow] });
    expect(await beside(text)).toEqual(notProven('prove does not know entries of this kind'));
  });

  test.each([
    ['sources in lower case', intentions({ sources: [allow] })],
    ['sources that are no list', intentions({ Sources: allow })],
    ['an empty source', intentions({ Sources: [null] })],
    ['an action in lower case', intentions({ Sources: [{ Name: 'evil', action: 'allow' }] })],
    ['permissions', intentions({ Sources: [{ Name: 'evil', Action: 'deny', Permissions: [{ Action: 'allow' }] }] })],
  ])('intentions for every service with %s are not understood', async (_, text) => {
    expect(await beside(text)).toEqual(notProven('service-intentions \\*: it '));
  });

  test.each([
    ['its sources', '"Sources": [', '"Sources": [{"Name": "evil", "Action": "allow"}], "Sources": ['],
    ['its sources, in another case', '"Sources": [', '"sources": [{"Name": "evil", "Action": "allow"}], "Sources": ['],
    ['an action', '"Action": "deny"', '"Action": "allow", "Action": "deny"'],
    ['an action, in another case', '"Action": "deny"', '"action": "allow", "Action": "deny"'],
  ])('an entry with two %s is not understood', async (_, from, to) => {
    const files = { ...side.files, [own]: replaced(side.files[own] ?? '', from, to) };
    expect(await prove('consul', side, files)).toEqual(notProven('twice, and Consul'));
  });

  test('without its intentions the mesh decides, and nothing is reported as refused', async () => {
    const { [own]: _, ...files } = side.files;
    const { code, says } = await prove('consul', side, files);
    expect(code).toBe(3);
    expect(says).toContain('service-intentions confluence: it is missing: without it other intentions');
    expect(says).not.toContain('refused');
  });
});

describe('YAML that other parsers read otherwise', () => {
  const side = golden('linkerd', 'confluence');
  const rendered = side.files['linkerd.yaml'] ?? '';
  const own = (from: string | RegExp, to: string) =>
    prove('linkerd', side, { 'linkerd.yaml': replaced(rendered, from, to) });

  test.each([
    [
      'a merge key',
      'accessPolicy: "deny"',
      'accessPolicy: "deny"\n  <<: {accessPolicy: all-unauthenticated}',
      'a merge key',
    ],
    ['an octal number', /port: (\d+)/, 'port: 0$1', '0\\d+ without quotes'],
    ['a number with an underscore', /port: (\d)/, 'port: $1_', '\\d_\\d+ without quotes'],
    ['a hexadecimal number', /port: (\d+)/, 'port: 0x1f9a', '0x1f9a without quotes'],
    ['a word for a boolean', 'metadata:\n', 'metadata:\n  annotations: {x: on}\n', 'on without quotes'],
    ['such a word as a key', 'metadata:\n', 'metadata:\n  annotations: {y: x}\n', 'y without quotes'],
    ['a tag', /port: (\d+)/, 'port: !!int "0$1"', 'a tag'],
    ['text behind a separator', '---\n', '--- {kind: X}\n---\n', 'this break'],
    ['a document that ends', '---\n', '...\n', 'this break'],
    ['a directive', /^/, '%YAML 1.1\n---\n', 'this break'],
    ['a line separator in a comment', /^#/, '# \u2028#', 'this break'],
    ['a carriage return alone', '---\n', '---\r---\n', 'this break'],
  ])('%s', async (_, from, to, what) => {
    expect(await own(from, to)).toEqual(notProven(`linkerd\\.yaml, line \\d+: ${what}`));
  });

  test('a list is recognised by its kind: kubectl treats each object with items as one', async () => {
    const text = `${rendered}---\napiVersion: policy.linkerd.io/v1alpha1\nkind: NetworkAuthentication\nmetadata: {name: x, namespace: wiki}\nitems: []\n`;
    expect(await prove('linkerd', side, { 'linkerd.yaml': text })).toEqual(
      notProven('items need a kind that ends in List, and must be a list'),
    );
  });

  test('a name that is not text is not a name', async () => {
    expect(await own('namespace: "wiki"', 'namespace: ["wiki"]')).toEqual(
      notProven('metadata.namespace must be strings'),
    );
  });

  test('quoted values as kubectl prints them, and plain numbers, times and words, are read', async () => {
    const text =
      'metadata:\n  creationTimestamp: 2026-11-25T10:00:00Z\n  uid: 0b9ce1f2-7a3e-4c53-9f0e-000000000010\n  generation: 3\n';
    const server = /(kind: "Server"\n)metadata:\n/;
    expect(await own(server, `$1${text}`)).toMatchObject({ code: 0 });
  });
});

describe('text of a mesh', () => {
  const YES = 'yes: a.yaml and live allow the same requests';
  const lies = JSON.stringify(`x\n${YES}`);
  const object = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${lies}}\n`;

  test.each(['istio', 'linkerd'])('from %s begins no line in a message of wrong use', async (target) => {
    const { code, says } = await prove(target, golden(target, 'confluence'), { 'more.yaml': object });
    expect([code, says.split('\n').length]).toEqual([2, 2]);
    expect(says).toContain(`ConfigMap /x\\u000a${YES}`);
  });

  test('from a file name begins no line', async () => {
    const { code, says } = await prove('istio', golden('istio', 'confluence'), { [`x\n${YES}.yaml`]: '' });
    expect([code, says]).toEqual([2, `meshgate: live/x\\u000a${YES}.yaml: the file is empty\n`]);
  });

  test('from the id or the client of a rule begins no line', async () => {
    const side = golden('istio', 'confluence');
    const [file = ''] = Object.keys(side.files).filter((it) => it.startsWith('workloads/'));
    const rule = `{from: [{source: {principals: [${lies}]}}], to: [{operation: {paths: ["/*"]}}]}`;
    const open = replaced(side.files[file] ?? '', /(action: "ALLOW"\n {2}rules:\n)/, `$1    - ${rule}\n`);
    const named = replaced(open, /(kind: "AuthorizationPolicy"\nmetadata:\n {2}name: )"[^"]+"/, `$1${lies}`);
    const { says } = await prove('istio', side, { ...side.files, [file]: named });
    expect(says.split('\n').filter((line) => line.startsWith('yes'))).toEqual([]);
    expect(says).toContain('x\\u000ayes');
  });
});

describe('files without content', () => {
  const sides = ['linkerd', 'istio', 'consul'].map((target) => ({ target, ...golden(target, 'confluence') }));
  const envoy = { target: 'envoy', ...golden('envoy', 'agents') };
  const args = (target: string) => (target === 'consul' ? ['--assertion-jwks', 'keys.json'] : []);

  test.each([...sides, envoy])('an empty file for $target is an error', async ({ target, policy, files }) => {
    for (const empty of ['', ' \n']) {
      const side = { policy, files, args: args(target) };
      expect(await prove(target, side, { ...files, 'more.json': empty })).toEqual({
        code: 2,
        says: 'meshgate: live/more.json: the file is empty\n',
      });
    }
  });

  test.each([...sides, envoy])('for $target a file that is not read is an error', async ({ target, policy, files }) => {
    const side = { policy, files, args: args(target) };
    const { code, says } = await prove(target, side, { ...files, 'more.YAML': 'x', '.git/HEAD': 'x' });
    expect([code, says]).toEqual([2, expect.stringContaining('live/more.YAML: prove reads only .yaml')]);
  });

  test('a file that is not UTF-8 is an error', async () => {
    const { policy, files } = envoy;
    const bytes = new Uint8Array([0xff, 0xfe, 0x00]);
    const given = { files: { 'a.yaml': policy, 'live/envoy.yaml': files['envoy.yaml'] ?? '', 'live/z.yaml': bytes } };
    expect(await meshgate(['prove', '--target', 'envoy', 'a.yaml', 'live'], given)).toMatchObject({ code: 2 });
  });

  test('a document before Envoy’s is the one that Envoy reads', async () => {
    const text = envoy.files['envoy.yaml'] ?? '';
    for (const first of ['---\n---\n', '---\n~\n---\n']) {
      expect((await prove('envoy', envoy, { 'envoy.yaml': first + text })).code).toBe(2);
    }
    expect(await prove('envoy', envoy, { 'envoy.yaml': text, 'more.yaml': '~\n' })).toEqual(
      notProven('there is more than one document'),
    );
  });
});

describe.each(['linkerd', 'istio'])('a kustomization of %s', (target) => {
  const side = golden(target, 'confluence');
  const rendered = side.files['kustomization.yaml'] ?? '';

  test.each([
    [
      'with patches',
      `${rendered}patches:\n  - patch: |-\n      - { op: replace, path: /spec/rules, value: [{}] }\n`,
      'patches is',
    ],
    ['with another resource', `${rendered}  - "more.yaml"\n`, 'resources'],
    ['without its kind', rendered.replace(/kind: .*\n/, ''), 'kind is nothing'],
  ])('%s changes what is applied', async (_, text, says) => {
    expect(await prove(target, side, { ...side.files, 'kustomization.yaml': text })).toEqual(
      notProven(`kustomization\\.yaml: ${says}`),
    );
  });
});
