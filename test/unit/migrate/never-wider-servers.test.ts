/** Ingresses that share hosts, compared with a model of ingress-nginx's servers: no request passes that ingress-nginx
 * refuses with some age of the Ingresses, unless the report marks it with WIDER. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runTests } from '../../../src/cli/decide/policy-tests.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { holds } from '../../harness/property.ts';
import { lists, migrate, type Reported } from './case.ts';
import type { Controller } from './ingress-nginx/model.ts';
import { type Ingress, type Path, reaches } from './ingress-nginx/servers.ts';

const HOST = 'app.example.com';
const PREFIX = 'nginx.ingress.kubernetes.io/';

function manifest({ annotations, rules }: Ingress, at: number): string {
  const backend = (service?: string) =>
    service === undefined
      ? { resource: { apiGroup: 'k8s.example.com', kind: 'Bucket', name: 'b' } }
      : { service: { name: service, port: { number: 80 } } };
  const spec = {
    ingressClassName: 'nginx',
    rules: rules.map(({ host, paths }) => ({
      host,
      ...(paths && {
        http: { paths: paths.map(({ path, type, service }) => ({ path, pathType: type, backend: backend(service) })) },
      }),
    })),
  };
  const named = Object.fromEntries(Object.entries(annotations).map(([name, value]) => [PREFIX + name, value]));
  const metadata = { name: `i${at}`, namespace: 'apps', annotations: named };
  return `---\n${JSON.stringify({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata, spec })}\n`;
}

const migrated = (ingresses: readonly Ingress[], { strict, level }: Controller): Promise<Reported> => {
  const data = {
    ...(strict !== undefined && { 'strict-validate-path-type': strict }),
    ...(level !== undefined && { 'annotations-risk-level': level }),
  };
  const map = { kind: 'ConfigMap', metadata: { name: 'ingress-nginx-controller' }, data };
  const text = `${ingresses.map(manifest).join('')}---\n${JSON.stringify(map)}\n`;
  return migrate({ command: 'ingress-nginx', files: { 'i.yaml': text } });
};

const at = (host: string, annotations: Ingress['annotations'], ...paths: readonly Path[]): Ingress => ({
  annotations,
  rules: [paths.length > 0 ? { host, paths } : { host }],
});

const HOSTS = [HOST, 'b.example.com', 'c.example.com', 'd.example.com', 'x.c.example.com'];
const WORDS = ['/', '/files', '/files/x', '/filesx', '/filesx/y', '/FILES', '/Files/x', '/file', '/f', '/static'];
const MORE = ['/static/x', '/x', '/x/y', '/public', '/publicx', '/public/files', '/PUBLIC/files', '/staticfiles'];
const requests = HOSTS.flatMap((host) =>
  [...WORDS, ...MORE].flatMap((path) => ['192.0.2.9', '198.51.100.9'].map((network) => ({ host, path, network }))),
);

/** Returns the requests that the policy allows, decided by the code of the gateway. */
function allowedBy({ policy: text }: Reported) {
  const known = requests.filter(({ host }) => text.includes(`${host}:`) || /^ {2}"?\*\./m.test(text));
  const tests = known.map(({ host, path, network }) =>
    JSON.stringify({ as: { network }, GET: `https://${host}${path}`, expect: 'allowed' }),
  );
  const { policy } = parsePolicy(`${text}tests: [${tests.join(', ')}]\n`, 'p.yaml');
  const alone = policy ?? parsePolicy(text, 'p.yaml').policy;
  if (alone === undefined) throw new Error(JSON.stringify(parsePolicy(text, 'p.yaml').errors));
  // A test of a host that the policy does not have is an error: such a host is asked for without it.
  if (policy === undefined) return known.filter((it) => allowedAlone(text, it));
  const ran = runTests({ policy, rules: compile(policy) }, 1_800_000_000);
  return known.filter((_, index) => ran[index]?.got === 'allowed');
}

function allowedAlone(text: string, { host, path, network }: (typeof requests)[number]): boolean {
  const one = JSON.stringify({ as: { network }, GET: `https://${host}${path}`, expect: 'allowed' });
  const { policy } = parsePolicy(`${text}tests: [${one}]\n`, 'p.yaml');
  return policy !== undefined && runTests({ policy, rules: compile(policy) }, 1_800_000_000)[0]?.got === 'allowed';
}

const orders = <Of>(all: readonly Of[]): readonly (readonly Of[])[] =>
  all.length < 2 ? [all] : all.flatMap((it, index) => orders(all.toSpliced(index, 1)).map((more) => [it, ...more]));

/** Whether a text of the report names a request: its host, and the beginning of its path where the line says so. The
 * lines of a wildcard name no host that the policy has. */
function names(text: string, { host, path }: (typeof requests)[number], policy: string): boolean {
  if (text.includes('stands for one label')) return /^[^.]+\.[^.]+\.example\.com$/.test(host);
  const [, of = '', begins = ''] = /^(\S*\.example\.com)(\/\S*)/.exec(text) ?? [];
  const isOfWildcard = of.startsWith('*.') && host.endsWith(of.slice(1)) && !policy.includes(` ${host}:`);
  if (of !== host && !isOfWildcard) return false;
  if (/differ in case only/.test(text)) return path.startsWith(begins);
  if (/without a slash at its end/.test(text)) return path === begins;
  const [, all = ''] = /its callers also pass at all of (.*)$/.exec(text) ?? [];
  if (all !== '') return all.split(', ').some((it) => `${path}/`.startsWith(it.slice(of.length).replace(/\*$/, '')));
  const cased = /any case of letters/.test(text) && path !== path.toLowerCase();
  if (cased) return true;
  const words = [...text.matchAll(/such as \S+\.example\.com(\/\S*?)s(?=:|,| )/g)].map(([, it = '']) => it);
  return /continue the last word/.test(text) && words.some((it) => path.toLowerCase().startsWith(it.toLowerCase()));
}

/** Expects that no request passes that ingress-nginx refuses, whatever the age of the Ingresses is. */
async function neverWider(ingresses: readonly Ingress[], controller: Controller = {}): Promise<Reported> {
  const report = await migrated(ingresses, controller);
  const reported = [...report.differs, ...report.notCarried].flatMap(({ wider, text }) => (wider ? [text] : []));
  for (const request of allowedBy(report)) {
    if (orders(ingresses).every((it) => reaches(it, request, controller))) continue;
    const isNamed = reported.some((it) => names(it, request, report.policy));
    expect(isNamed, `${request.network} ${request.host}${request.path}: ${reported.join('; ')}`).toBe(true);
  }
  return report;
}

const inside = { 'whitelist-source-range': '192.0.2.0/24' };
const regex = { 'use-regex': 'true' };
const root: Path = { path: '/', type: 'Prefix', service: 'app' };
const files: Path = { path: '/files', type: 'Exact', service: 'files' };
const expression: Path = { path: '/(public|files)', type: 'ImplementationSpecific', service: 'public' };
const wildcard = at('*.example.com', {}, { ...root, service: 'any' });

describe('no request passes that ingress-nginx refuses', () => {
  test.each<readonly [string, readonly Ingress[], RegExp, Controller]>(
    (
      [
        [
          'if a canary has use-regex beside an exact path',
          [
            at(HOST, inside, root),
            at(HOST, {}, files),
            at(HOST, { canary: 'true', ...regex }, { ...root, service: 'new' }),
          ],
          /chooses a service by the caller/,
        ],
        [
          'if a canary names the Service of another Ingress',
          [at(HOST, inside, root), at(HOST, {}, files), at(HOST, { canary: 'true', ...regex }, files)],
          /a canary and another Ingress name the same Service/,
        ],
        [
          'if an Ingress without paths has server-snippet',
          [at(HOST, {}, root), at(HOST, { 'server-snippet': 'deny all;' })],
          /its lines may decide who passes/,
        ],
        [
          'if an Ingress without paths has use-regex',
          [at(HOST, inside, files), at(HOST, regex)],
          /depends on the age of its Ingresses/,
        ],
        [
          'if an Ingress without paths has an alias that a wildcard matches',
          [at('b.example.com', { 'server-alias': 'd.example.com' }), wildcard],
          /without it, requests would get the rules of a wildcard/,
        ],
        ['if a host without paths is beside a wildcard', [at(HOST, {}), wildcard], /the host is closed/],
        [
          'if two hosts have an alias that a wildcard matches',
          [
            at('b.example.com', { 'server-alias': 'd.example.com', ...inside }, root),
            at('c.example.com', { 'server-alias': 'd.example.com' }, { ...root, service: 'c' }),
            wildcard,
          ],
          /d\.example\.com is left out/,
        ],
        ['to a name with two labels below a wildcard', [wildcard], /stands for one label/],
        [
          'to a path whose backend is a resource',
          [at(HOST, inside, root), at(HOST, {}, { path: '/static', type: 'Prefix' })],
          /its backend is no Service/,
        ],
        [
          'to a path that differs from another one in case only',
          [
            at(HOST, {}, root),
            at(HOST, inside, { path: '/files', type: 'Prefix', service: 'f' }),
            at(HOST, inside, { path: '/FILES', type: 'Prefix', service: 'F' }),
          ],
          /differ in case only/,
        ],
        [
          'to a path of which an open one differs in case only',
          [
            at(HOST, inside, { path: '/FILES', type: 'Prefix', service: 'F' }),
            at(HOST, {}, { path: '/files', type: 'Exact', service: 'f' }),
          ],
          /differ in case only/,
        ],
        [
          'to the paths below an open path of which another one differs in case only',
          [
            at(HOST, {}, { path: '/FILES', type: 'Exact', service: 'F' }),
            at(HOST, {}, { path: '/files', type: 'Prefix', service: 'f' }),
          ],
          /differ in case only/,
        ],
        [
          'to an open path that begins as a shorter one of a longer expression',
          [
            at(HOST, { ...inside, ...regex }, { path: '/(file)', type: 'ImplementationSpecific', service: 'f' }),
            at(HOST, {}, { ...files, type: 'Prefix' }),
          ],
          /continue the last word/,
        ],
        [
          'if strict-validate-path-type keeps the Ingress out',
          [at(HOST, inside, root), at(HOST, regex, { ...expression, type: 'Prefix' })],
          /strict-validate-path-type/,
        ],
        [
          'to an Exact path / on a host with expressions',
          [at(HOST, regex, { ...root, type: 'Exact' })],
          /has a location for all paths before it/,
        ],
        [
          'to an Exact path / beside a canary of all paths',
          [at(HOST, regex, { ...root, type: 'Exact' }), at(HOST, { canary: 'true' }, { ...root, service: 'new' })],
          /has a location for all paths before it/,
        ],
        [
          'to an Exact path / beside one of all paths',
          [at(HOST, { ...regex, ...inside }, root), at(HOST, regex, { ...root, type: 'Exact', service: 'b' })],
          /the one of all paths matches first/,
        ],
        [
          'to the path of a folder without its slash, on a host with expressions',
          [at(HOST, regex, { path: '/x/', type: 'Prefix', service: 'x' })],
          /without a slash at its end has no location/,
        ],
        [
          'to an expression that two Ingresses have',
          [
            at(HOST, regex, { path: '/x/?$', type: 'ImplementationSpecific', service: 'x' }),
            at(HOST, { ...regex, ...inside }, { path: '/x/?$', type: 'ImplementationSpecific', service: 'x' }),
          ],
          /is there twice|no path of a policy/,
        ],
        [
          'to an alias of an Ingress that strict-validate-path-type keeps out',
          [at(HOST, {}, root), at(HOST, { 'server-alias': 'd.example.com' }, { ...expression, type: 'Prefix' })],
          /d\.example\.com is left out/,
        ],
        [
          'to an alias of an Ingress that annotations-risk-level keeps out',
          [at(HOST, {}, root), at(HOST, { 'server-alias': 'd.example.com' }, files)],
          /d\.example\.com is left out/,
          { level: 'Medium' },
        ],
        [
          'to an alias that another Ingress has, too',
          [
            at(HOST, { 'server-alias': 'd.example.com' }, root),
            at(HOST, { 'server-alias': 'd.example.com' }, { ...expression, type: 'Prefix' }),
          ],
          /strict-validate-path-type/,
        ],
        [
          'from inside, if no Secret has the passwords',
          [at(HOST, { ...inside, 'auth-type': 'basic', satisfy: 'any' }, root)],
          /no passwords/,
        ],
        [
          'if strict-validate-path-type is true',
          [at(HOST, regex, { ...expression, type: 'Exact' })],
          /strict-validate-path-type/,
          { strict: 'true' },
        ],
      ] as readonly (readonly [string, readonly Ingress[], RegExp, Controller?])[]
    ).map(([a, b, c, d = {}]) => [a, b, c, d] as const),
  )('%s', async (_, ingresses, text, controller) => {
    expect(lists(await neverWider(ingresses, controller), '', text)).toBe(true);
  });

  test('and an expression of the type Prefix stays open if strict-validate-path-type is false', async () => {
    const report = await neverWider([at(HOST, regex, { ...expression, type: 'Prefix' })], { strict: 'false' });
    expect(allowedBy(report).length).toBeGreaterThan(0);
  });
});

const PATHS = ['/', '/', '/files', '/files/x', '/x', '/x/', '/static', '/FILES', '/public', '/file', ''];
const EXPRESSIONS = [
  '/(public|files)',
  '/files(/|$)(.*)',
  '/(file)',
  '/f.*',
  '/x/?$',
  '/.*x',
  '/public/.+',
  '/[sf].*s',
];
const some = <Of>(...all: readonly Of[]) => fc.constantFrom(...all);
const pathOf = fc
  .tuple(
    fc.oneof({ weight: 3, arbitrary: some(...PATHS) }, { weight: 2, arbitrary: some(...EXPRESSIONS) }),
    some<Path['type']>('Prefix', 'Exact', 'ImplementationSpecific', 'ImplementationSpecific'),
    some('a', 'b', 'c', 'd', 'e', 'f', undefined),
  )
  .map(([path, type, service]): Path => ({ path, type, ...(service !== undefined && { service }) }));
const ruleOf = fc
  .tuple(
    some(HOST, HOST, HOST, 'b.example.com', '*.example.com'),
    fc.oneof({ weight: 8, arbitrary: fc.array(pathOf, { minLength: 1, maxLength: 3 }) }, fc.constant([])),
  )
  .map(([host, paths]): Ingress['rules'][number] => (paths.length > 0 ? { host, paths } : { host }));
/** Most Ingresses have few annotations. */
const seldom = (...all: readonly string[]) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: some(...all) });
const ingressOf = fc
  .tuple(
    fc.record({
      'whitelist-source-range': fc.oneof(
        some(undefined, '192.0.2.0/24'),
        seldom('0.0.0.0/0,::/0', '192.0.2.0/24,', 'x', ''),
      ),
      'denylist-source-range': seldom('198.51.100.0/24', 'x', ''),
      'use-regex': seldom('true', 'true', 'true', 'false', 'TRUE', 'yes', ' true'),
      'rewrite-target': seldom('/', '/$1', '/$2', '/x', '/files', '/a"', ''),
      canary: seldom('true', 'true', 'false', 'on', '1'),
      'server-alias': seldom('d.example.com', 'b.example.com', 'd.example.com, c.example.com', ''),
      'server-snippet': seldom('deny all;', 'gzip on;', 'add_header X-A b;', 'gzip on;'),
      'auth-type': seldom('basic', 'digest', 'Basic', ' basic', ''),
      'auth-secret': fc.oneof(some('users', undefined), seldom('apps/users', 'other/users', 'a/b/c', ' ', '')),
      'auth-secret-type': seldom('auth-file', 'auth-map', 'file', ''),
      satisfy: seldom('any', 'any', 'all', 'Any', ' any'),
    }),
    fc.array(ruleOf, { minLength: 1, maxLength: 2 }),
  )
  .map(([all, rules]): Ingress => {
    const annotations = Object.entries(all).flatMap(([name, it]) => (it === undefined ? [] : [[name, it] as const]));
    return { annotations: Object.fromEntries(annotations), rules };
  });

test('of random Ingresses that share hosts, no request passes that ingress-nginx refuses', async () => {
  const manifests = fc.array(ingressOf, { minLength: 1, maxLength: 4 });
  const property = fc.asyncProperty(
    manifests,
    some('false', 'false', 'true', undefined),
    async (ingresses, strict) => void (await neverWider(ingresses, strict === undefined ? {} : { strict })),
  );
  await holds(property, 60);
});
