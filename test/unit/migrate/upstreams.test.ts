/** The service of each path after `migrate oauth2-proxy`, compared with a model of how oauth2-proxy 7.15 finds an
 * upstream (pkg/upstream/proxy.go). */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';
import { match } from '../../../src/rules/decide/match.ts';
import { holds } from '../../harness/property.ts';
import { migrate, type Reported } from './case.ts';

const HOST = 'app.example.com';

interface Upstream {
  readonly id: string;
  readonly path: string;
  readonly uri?: string;
  readonly static?: true;
  readonly rewriteTarget?: string;
}

const NAMES = ['', 'a', 'A', 'ab', 'a;b', 'b'];
const segment = fc.constantFrom(...NAMES.slice(1));
const path = fc
  .tuple(fc.array(segment, { maxLength: 2 }), fc.boolean())
  .map(([parts, isFolder]) => (parts.length === 0 ? '/' : `/${parts.join('/')}${isFolder ? '/' : ''}`));
const kind = fc.constantFrom('http', 'http', 'static', 'file', 'unix', 'rewrite');

const upstreamsOf = (those: readonly (readonly [string, string])[]): readonly Upstream[] =>
  those.map(([path, kind], at) => {
    const id = `s${at}`;
    if (kind === 'static') return { id, path, static: true };
    if (kind === 'rewrite') return { id, path: `^${path}(.*)$`, rewriteTarget: '/$1', uri: `http://${id}:80/` };
    return { id, path, uri: kind === 'http' ? `http://${id}:80/` : `${kind}:///var/${id}` };
  });

/** The upstream of a path: those that rewrite come first, then the longest path. A path with a slash at its end has all
 * below it. */
function upstreamOf(upstreams: readonly Upstream[], path: string): Upstream | undefined {
  const sorted = [...upstreams].sort(
    (a, b) =>
      Number(b.rewriteTarget !== undefined) - Number(a.rewriteTarget !== undefined) || b.path.length - a.path.length,
  );
  return sorted.find((it) =>
    it.rewriteTarget !== undefined
      ? new RegExp(it.path).test(path)
      : it.path.endsWith('/')
        ? path.startsWith(it.path)
        : path === it.path,
  );
}

const yamlFor = (upstreams: readonly Upstream[]) =>
  JSON.stringify({
    upstreamConfig: { upstreams },
    providers: [
      {
        id: 'a',
        provider: 'oidc',
        clientID: 'a',
        clientSecret: 'b',
        oidcConfig: { issuerURL: 'https://login.example.com' },
      },
    ],
  });

const CONFIG = `cookie_secret = "0123456789abcdef"\nemail_domains = ["example.com"]\nredirect_url = "https://${HOST}/oauth2/callback"\n`;

/** Returns the upstream whose service receives a path; undefined if no service does. */
function serviceOf({ policy: text }: Reported, path: string): string | undefined {
  const { policy, errors } = parsePolicy(text, 'p.yaml');
  expect(errors).toEqual([]);
  const found = match(policy!.hosts, HOST, path);
  if (!('route' in found)) return undefined;
  return /"(s\d)"/.exec(JSON.stringify(found.route))?.[1];
}

const requests = fc.array(fc.constantFrom(...NAMES, 'x'), { maxLength: 3 }).map((parts) => `/${parts.join('/')}`);

test('a service receives no path of another upstream, unless the report says that it does', {
  timeout: 120_000,
}, async () => {
  await holds(
    fc.asyncProperty(
      fc.uniqueArray(fc.tuple(path, kind), { minLength: 1, maxLength: 5, selector: ([path]) => path }),
      fc.array(requests, { minLength: 20, maxLength: 20 }),
      async (those, paths) => {
        const upstreams = upstreamsOf(those);
        const report = await migrate({
          command: 'oauth2-proxy',
          files: { 'a.cfg': CONFIG, 'alpha.yaml': yamlFor(upstreams) },
          args: ['--host', HOST],
        });
        const isSaid = [...report.differs, ...report.notCarried].some((it) => it.wider);
        for (const path of paths) {
          const now = serviceOf(report, path);
          const before = upstreamOf(upstreams, path)?.id;
          // A prefix of a policy has the path itself, too.
          const isOwnFolder = upstreams.some((it) => it.id === now && it.path === `${path}/`);
          if (now !== undefined && now !== before && !isOwnFolder && !isSaid)
            throw new Error(`${path}: ${before} before, ${now} now\n${report.policy}`);
        }
      },
    ),
    60,
  );
});
