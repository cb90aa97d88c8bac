/** `make dist`: the npm package, the archive, the bill of materials and the checksums. */
import { createHash } from 'node:crypto';
import { appendFileSync, globSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  copyOf,
  emptyFolder,
  install,
  NAME,
  PROJECT,
  type Ran,
  release,
  remove,
  run,
  SECONDS,
  type Unpacked,
  unpack,
} from './build.ts';

const folder = emptyFolder();
const [one, two] = [join(folder, 'one'), join(folder, 'deeper/two')];
const [first, second] = [join(folder, 'first'), join(folder, 'second')];
const FILES = [`${NAME}.cdx.json`, `${NAME}.tar.gz`, `${NAME}.tgz`, 'SHA256SUMS'];

let builds: readonly Ran[] = [];
let pack: readonly Unpacked[] = [];
let tarball: readonly Unpacked[] = [];
// biome-ignore lint/suspicious/noExplicitAny: the members of a JSON document
let bom: any;

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');
const namesOf = (members: readonly Unpacked[]) => members.map(({ name }) => name);

/** The libraries that the sources of the bundles import: all of them are bundled, and nothing else is. */
const imported = new Set(
  globSync('src/**/*.ts', { exclude: ['src/release/**'] }).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^(?:import|export|\}) .*?from '([^.][^']*)';$/gm)]
      .filter(([line]) => !line.includes('import type'))
      .map(([, name = '']) => /^(@[^/]+\/)?[^/]+/.exec(name)![0])
      .filter((name) => !['fs', 'crypto', 'process'].includes(name) && !name.startsWith('node:')),
  ),
);
const libraries = [...imported]
  .toSorted()
  .map((name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')));

beforeAll(async () => {
  copyOf(one, '022', '2024-02-29 12:00:00Z');
  copyOf(two, '077', '2031-07-01 00:00:01Z');
  builds = await Promise.all([
    release(one, first, { TZ: 'UTC', LC_ALL: 'C' }),
    release(two, second, { TZ: 'Asia/Tokyo', LC_ALL: 'C.UTF-8' }),
  ]);
  if (builds.some(({ code }) => code !== 0)) return;
  [pack, tarball] = await Promise.all([unpack(join(first, `${NAME}.tgz`)), unpack(join(first, `${NAME}.tar.gz`))]);
  bom = JSON.parse(readFileSync(join(first, `${NAME}.cdx.json`), 'utf8'));
});
afterAll(() => remove(folder));

test('writes four files and says which', () => {
  expect(builds).toMatchObject([
    { code: 0, stderr: '' },
    { code: 0, stderr: '' },
  ]);
  expect(readdirSync(first).toSorted()).toEqual(FILES.toSorted());
  for (const file of FILES) expect(builds[0]?.stdout).toContain(`${join(first, file)}\n`);
});

test.each(FILES)(
  'two builds of one commit, in two folders, with other permissions and times, give the same bytes: %s',
  (file) => {
    expect(sha256(readFileSync(join(second, file)))).toBe(sha256(readFileSync(join(first, file))));
  },
);

test('the checksums are those of the files', async () => {
  expect(await run(first, {}, 'sha256sum', '--strict', '--check', 'SHA256SUMS')).toMatchObject({ code: 0 });
  expect(readFileSync(join(first, 'SHA256SUMS'), 'utf8').trim().split('\n')).toHaveLength(3);
});

test('all members belong to root, have the time of the release, and are sorted', () => {
  for (const members of [pack, tarball]) {
    expect(new Set(members.map(({ time, owner }) => `${time} ${owner}`))).toEqual(
      new Set([`${SECONDS} 0 0 root root`]),
    );
    expect(namesOf(members)).toEqual(namesOf(members).toSorted());
  }
  const executable = (members: readonly Unpacked[]) => namesOf(members.filter(({ mode }) => mode === 0o755));
  expect(executable(pack).filter((name) => !/^nginx\/.*\.(sh|pl)$/.test(name))).toEqual(['dist/cli.js']);
  expect(executable(tarball)).toEqual(['bin/meshgate', ...executable(pack)]);
  expect(new Set([...pack, ...tarball].map(({ mode }) => mode))).toEqual(new Set([0o644, 0o755]));
});

describe('the package', () => {
  test('has the bundles, the configuration, the documents, the types and the licences', () => {
    expect(namesOf(pack)).toEqual(
      expect.arrayContaining([
        ...['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json', 'conf.d/meshgate.conf'],
        ...['cli', 'client', 'cookies', 'health', 'hop', 'meshgate', 'migrate', 'signin', 'status'].map(
          (name) => `dist/${name}.js`,
        ),
        ...[
          'dist/policy.d.ts',
          'dist/THIRD-PARTY-LICENSES.txt',
          'dist/profiles/confluence.yaml',
          'docs/policy.schema.json',
          'docs/index.md',
        ],
        ...['nginx/Dockerfile', 'nginx/meshgate.sh', 'nginx/nginx.conf'],
      ]),
    );
  });

  test('has no test, no source of the bundles and no file of the development', () => {
    const strange = namesOf(pack).filter(
      (name) =>
        !/^(CHANGELOG\.md|LICENSE|README\.md|SECURITY\.md|package\.json|(dist|conf\.d|nginx|docs)\/.+)$/.test(name),
    );
    expect(strange).toEqual([]);
    expect(
      namesOf(pack).filter((name) => /\.test\.|(?<!\.d)\.ts$|\.map$|(^|\/)\.(?!helmignore$)|node_modules/.test(name)),
    ).toEqual([]);
  });

  test('names no folder of the machine that built it', () => {
    const folders = [folder, process.cwd(), 'node_modules/'];
    for (const { name, content } of tarball.filter((it) => /\.(js|ts|json|sh|conf|txt)$/.test(it.name))) {
      for (const path of folders) expect(content.includes(path), `${path} in ${name}`).toBe(false);
    }
  });

  test('has no dependency, and runs nothing when it is installed', () => {
    const own = JSON.parse(String(pack.find(({ name }) => name === 'package.json')?.content));
    for (const key of [
      'dependencies',
      'peerDependencies',
      'optionalDependencies',
      'bundleDependencies',
      'repository',
    ]) {
      expect(own[key], key).toBeUndefined();
    }
    for (const script of ['preinstall', 'install', 'postinstall', 'prepare'])
      expect(own.scripts[script]).toBeUndefined();
  });

  test('is what "npm pack" gives in a checkout', async () => {
    expect(await run(one, {}, 'npm', 'pack', '--silent', '--pack-destination', folder)).toMatchObject({ code: 0 });
    const byHand = await unpack(join(folder, `${NAME}.tgz`));
    const all = (members: readonly Unpacked[]) =>
      members.map(({ name, content }) => `${name} ${sha256(content)}`).toSorted();
    expect(all(byHand)).toEqual(all(pack));
  });
});

describe('an installed package', () => {
  const user = join(folder, 'user');

  beforeAll(async () => {
    install(join(first, `${NAME}.tgz`), join(folder, 'empty'));
    const { code, stderr } = await run(folder, {}, 'mkdir', '-p', 'user/inner');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    writeFileSync(join(user, 'package.json'), '{"type":"module"}');
    const installed = await run(
      user,
      { npm_config_audit: 'false' },
      'npm',
      'install',
      '--offline',
      '--no-fund',
      join(first, `${NAME}.tgz`),
    );
    expect(installed, installed.stderr).toMatchObject({ code: 0 });
  });

  test('installs nothing else', () => {
    expect(readdirSync(join(user, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['meshgate']);
  });

  test('runs by npx from any folder', async () => {
    const inner = join(user, 'inner');
    expect(await run(inner, {}, 'npx', '--offline', 'meshgate', '--version')).toMatchObject({
      code: 0,
      stdout: `${PROJECT.version}\n`,
    });
  });

  test('migrates with the bundle that it brings', async () => {
    writeFileSync(join(user, 'oauth2-proxy.cfg'), 'provider = "google"\nemail_domains = ["example.com"]\n');
    const migrated = await run(user, {}, 'npx', '--offline', 'meshgate', 'migrate', 'oauth2-proxy', 'oauth2-proxy.cfg');
    expect(migrated, migrated.stderr).toMatchObject({ code: 0 });
    expect(migrated.stdout).toContain('issuer: https://accounts.google.com,');
  });

  test('renders the bundles that it brings', async () => {
    const policy =
      '{"version":1,"providers":{"p":{"issuer":"https://idp.example.com","audiences":["a"]}},"roles":{"staff":{"group":"staff"}},"services":{"s":{"url":"https://s.example.com"}},"hosts":{"h.example.com":{"/*":{"service":"s","allow":["staff"]}}}}';
    writeFileSync(join(user, 'policy.json'), policy);
    const rendered = await run(
      user,
      {},
      'npx',
      '--offline',
      'meshgate',
      'render',
      '--target',
      'nginx',
      '--out',
      'out',
      'policy.json',
    );
    expect(rendered, rendered.stderr).toMatchObject({ code: 0 });
    expect(readFileSync(join(user, 'out/meshgate.js')).equals(readFileSync('dist/meshgate.js'))).toBe(true);
  });

  /** Compiles programs that import the package: what the compiler says about each. One start of it takes a second. */
  const compile = async (sources: readonly string[]) => {
    sources.forEach((source, index) => {
      writeFileSync(join(user, `program-${index}.ts`), source);
    });
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--resolveJsonModule', '--types', ''];
    const files = sources.map((_, index) => `program-${index}.ts`);
    const { stdout } = await run(user, {}, join(process.cwd(), 'node_modules/.bin/tsc'), ...options, ...files);
    return files.map((file) => stdout.split(/\n(?! )/).filter((message) => message.startsWith(`${file}(`)));
  };

  test('has types that accept a policy with every key, an overlay, and a file of a team', async () => {
    const json = (file: string) => JSON.stringify(parse(readFileSync(file, 'utf8')));
    const teams = 'docs/examples/teams';
    const source = `
      import type { Overlay, Policy, Route, TeamFile } from 'meshgate';
      import type { Policy as Same } from 'meshgate/policy';
      import schema from 'meshgate/policy.schema.json' with { type: 'json' };
      const policy: Policy = ${json('test/unit/policy/fixtures/full.yaml')};
      const teams: Policy = ${json(`${teams}/meshgate.yaml`)};
      const team: TeamFile = ${json(`${teams}/teams/pay.yaml`)};
      const same: Same = policy;
      const overlay: Overlay = { gateway: { hsts: null }, hosts: { 'h.example.com': { '/*': { owner: 'me' } } } };
      const route: Route = { service: 'wiki', allow: ['staff'] };
      export const all: unknown[] = [same, overlay, route, teams, team, schema.title];`;
    expect(await compile([source])).toEqual([[]]);
  });

  test('has types with which the program of docs/package.md writes a policy that is valid', async () => {
    const [, program = ''] = /^```ts\n([\s\S]*?)^```$/m.exec(readFileSync('docs/package.md', 'utf8')) ?? [];
    // Node's own types are not installed here.
    expect(
      await compile([program.replace(/^import .* 'node:fs';$/m, 'declare const writeFileSync: Function;')]),
    ).toEqual([[]]);
    writeFileSync(join(user, 'write.ts'), program);
    expect(await run(user, {}, process.execPath, 'write.ts')).toMatchObject({ code: 0 });
    expect(await run(user, {}, 'npx', '--offline', 'meshgate', 'validate', 'meshgate.json')).toMatchObject({ code: 0 });
  });

  test('has types that reject unknown keys, missing keys and wrong values', async () => {
    const wrong = [
      ['{ ...policy, provider: {} }', 'provider'],
      ['{ version: 1, providers: {}, services: {} }', 'hosts'],
      ['{ ...policy, services: { wiki: { url: 1 } } }', 'string'],
      ["{ ...policy, providers: { p: { issuer: 'x', kind: 'octa' } } }", 'octa'],
      ["{ ...policy, hosts: { h: { x: { service: 'wiki', allow: [] } } } }", "'x'"],
      ["{ ...policy, roles: { r: { any: [{ grop: 'x' }] } } }", 'grop'],
    ] as const;
    const sources = wrong.map(
      ([policy]) => `
        import type { Policy } from 'meshgate';
        const policy = { version: 1, providers: {}, services: {}, hosts: {} } as const;
        export const all: Policy = ${policy};`,
    );
    const reported = await compile(sources);
    expect(reported).toEqual(wrong.map(([, says]) => [expect.stringContaining(says)]));
  });
});

describe('licences', () => {
  test('the bundles come with the licence of every library that the sources import', () => {
    const text = String(pack.find(({ name }) => name === 'dist/THIRD-PARTY-LICENSES.txt')?.content);
    const parts = text.split(/^=+\n(?=\S+ \d)/m).slice(1);
    expect(libraries.length).toBeGreaterThan(4);
    expect(parts.map((part) => part.split('\n').slice(0, 2))).toEqual(
      libraries.map(({ name, version, license }) => [`${name} ${version}`, license]),
    );
    for (const part of parts) {
      expect(part).toMatch(
        /Permission is hereby granted|Permission to use|Redistribution and use|TERMS AND CONDITIONS FOR USE/,
      );
      expect(part).toMatch(/WITHOUT WARRANT(Y|IES)|THE SOFTWARE IS PROVIDED|DISCLAIMED/);
    }
  });
});

describe('the bill of materials', () => {
  test('is valid CycloneDX 1.6', () => {
    const schemas = 'node_modules/@cyclonedx/cyclonedx-library/res/schema';
    const read = (name: string) => JSON.parse(readFileSync(`${schemas}/${name}.SNAPSHOT.schema.json`, 'utf8'));
    const ajv = new Ajv({
      strict: false,
      validateFormats: true,
      formats: { 'idn-email': true, 'iri-reference': true },
    });
    // The package is CommonJS, and its default export is a member of what Node imports.
    (addFormats as unknown as { default: (it: Ajv) => void }).default(ajv);
    for (const name of ['spdx', 'jsf-0.82']) {
      ajv.addSchema(read(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
    }
    const validate = ajv.compile(read('bom-1.6'));
    expect(validate(bom), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...bom, components: [{ type: 'libary', name: 'x' }] })).toBe(false);
  });

  test('names the version and the time', () => {
    expect(bom.metadata.component).toMatchObject({
      name: 'meshgate',
      version: PROJECT.version,
      licenses: [{ license: { id: 'Apache-2.0' } }],
    });
    expect(Date.parse(bom.metadata.timestamp)).toBe(SECONDS * 1000);
  });

  test('lists the libraries in the bundles with version, licence and hash, and no other package', () => {
    const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;
    const listed = bom.components.filter(({ type }: { type: string }) => type === 'library');
    expect(
      listed
        .map(({ purl, version, licenses, hashes }: Record<string, unknown>) => ({ purl, version, licenses, hashes }))
        .toSorted((a: { purl: string }, b: { purl: string }) => (a.purl < b.purl ? -1 : 1)),
    ).toEqual(
      libraries.map(({ name, version, license }) => ({
        purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
        version,
        licenses: [{ license: { id: license } }],
        hashes: [
          {
            alg: 'SHA-512',
            content: Buffer.from(lock[`node_modules/${name}`].integrity.slice(7), 'base64').toString('hex'),
          },
        ],
      })),
    );
  });

  test('has the hash of each file of dist/, and what it contains', () => {
    const files = bom.components.filter(({ type }: { type: string }) => type === 'file');
    expect(
      Object.fromEntries(
        files.map(({ name, hashes }: { name: string; hashes: { content: string }[] }) => [name, hashes[0]?.content]),
      ),
    ).toEqual(
      Object.fromEntries(
        pack.filter(({ name }) => name.startsWith('dist/')).map(({ name, content }) => [name, sha256(content)]),
      ),
    );
    const contains = (ref: string) => bom.dependencies.find((it: { ref: string }) => it.ref === ref)?.dependsOn ?? [];
    expect(new Set([...contains('dist/cli.js'), ...contains('dist/migrate.js')]).size).toBe(libraries.length);
    // Only the migration reads TOML.
    expect(contains('dist/cli.js').filter((it: string) => it.includes('toml'))).toEqual([]);
    expect(contains('dist/meshgate.js')).toEqual([expect.stringMatching(/^pkg:npm\/jose@/)]);
    expect(contains('dist/cookies.js')).toEqual([]);
  });
});

describe('the archive', () => {
  test('has the files of the package and the command', () => {
    expect(namesOf(tarball)).toEqual([...namesOf(pack), 'bin/meshgate'].toSorted());
  });

  test('the command runs on Node, also by a link', async () => {
    install(join(first, `${NAME}.tar.gz`), join(folder, 'archive'));
    symlinkSync('archive/bin/meshgate', join(folder, 'linked'));
    for (const command of ['archive/bin/meshgate', './linked']) {
      expect(await run(folder, {}, command, '--version')).toMatchObject({ code: 0, stdout: `${PROJECT.version}\n` });
    }
    expect(await run(folder, {}, './linked', 'validate', 'missing.yaml')).toMatchObject({ code: 2 });
  });

  test('the command says what is missing if neither Node nor njs is installed', async () => {
    const tools = join(folder, 'tools');
    await run(folder, {}, 'mkdir', '-p', tools);
    for (const tool of ['readlink', 'sh'])
      symlinkSync((await run(folder, {}, 'which', tool)).stdout.trim(), join(tools, tool));
    const { code, stderr } = await run(folder, { PATH: tools }, './linked', '--version');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^meshgate: neither Node 22 nor njs is installed/),
    });
  });
});

describe('refuses', () => {
  test('a time that is no number', async () => {
    const { code, stderr } = await release(one, join(folder, 'third'), { SOURCE_DATE_EPOCH: 'now' });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'release: SOURCE_DATE_EPOCH is "now": write seconds since 1970\n',
    });
  });

  test('bundles that are not what the sources build', async () => {
    appendFileSync(join(two, 'dist/profiles/confluence.yaml'), '#');
    const { code, stderr } = await release(two, join(folder, 'third'));
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'release: dist/profiles/confluence.yaml is not what src/ builds: run "make build" and commit it\n',
    });
  });
});
