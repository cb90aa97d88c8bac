// Builds dist/: `node src/build.mjs [OUT [LIST]]`. The same sources give the same bytes. LIST is a file for the libraries
// in the bundles.
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';
import { policyJsonSchema } from './policy/schema/json-schema.ts';
import { bundledIn } from './release/bundled.ts';
import { LICENCES, licenceTexts } from './release/licences.ts';
import { policyTypes } from './release/types.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = process.argv[2] ?? join(root, 'dist');

/**
 * Bundles two tables without the parts that only docs and tests use. Of src/base/internal-headers.ts only the names are kept.
 * They become an enum, because esbuild replaces its members by literals: a literal costs a request less than a look-up.
 * Of src/policy/trusted/ the links to documentation are left out.
 *
 * @type {import('esbuild').Plugin}
 */
const tables = {
  name: 'tables',
  setup({ onLoad }) {
    onLoad({ filter: /internal-headers\.ts$/ }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, 'utf8'), { loader: 'ts', format: 'esm' });
      const { DIRECTIONS, ...names } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
      const lines = Object.entries(names).map(([name, value]) => {
        if (Array.isArray(value)) return `export const ${name} = /* @__PURE__ */ '${value.join(' ')}'.split(' ');`;
        const members = Object.entries(value).map(([key, text]) => `${key} = ${JSON.stringify(text)}`);
        return `export enum ${name} { ${members.join(', ')} }`;
      });
      return { contents: lines.join('\n'), loader: 'ts' };
    });
    onLoad({ filter: /policy\/trusted\/\w+\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      return { contents: text.replace(/'https:\/\/[^']+'/g, "''"), loader: 'ts' };
    });
  },
};

/** Options for both engines. njs's QuickJS supports ES2022 and none of Node's globals. */
const common = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  target: 'es2022',
  minifyWhitespace: true,
  minifySyntax: true,
  charset: 'ascii',
  legalComments: 'eof',
  metafile: true,
  logLevel: 'warning',
  inject: ['src/njs/repairs.ts'],
  plugins: [tables],
};

/** The bundles of dist/, by name.
 *
 * @type {Record<string, import('esbuild').BuildOptions>}
 */
const bundles = {
  'meshgate.js': {
    entryPoints: ['src/entries/meshgate.ts'],
    // The rendered policy lies beside the bundle; fs and crypto are the engine's own.
    external: ['./policy.js', 'fs', 'crypto'],
  },
  'hop.js': {
    entryPoints: ['src/entries/hop.ts'],
    external: ['./policy.js', 'fs', 'crypto'],
  },
  'signin.js': {
    entryPoints: ['src/entries/signin.ts'],
    external: ['./policy.js', './signin-policy.js', 'fs', 'crypto'],
  },
  'client.js': {
    entryPoints: ['src/entries/client.ts'],
    external: ['./client-policy.js', 'fs', 'crypto'],
  },
  'health.js': {
    entryPoints: ['src/entries/health.ts'],
    external: ['./watched.js', 'fs', 'crypto'],
  },
  'cookies.js': {
    entryPoints: ['src/entries/cookies.ts'],
    external: ['crypto'],
  },
  'counts.js': {
    entryPoints: ['src/entries/counts.ts'],
  },
  // A process of its own, on the command njs.
  'seal.js': {
    entryPoints: ['src/entries/seal.ts'],
    external: ['fs', 'crypto'],
  },
  // A file for NGINX Ingress Controller, which does not belong to the gateway itself.
  'apikey_auth.js': {
    entryPoints: ['src/entries/apikey_auth.ts'],
    external: ['crypto'],
    inject: [],
    target: 'es2015',
  },
  // The command's part that the probe of rendered manifests runs on Node.
  'status.js': {
    entryPoints: ['src/entries/status.ts'],
    external: ['fs', 'crypto'],
  },
  'cli.js': {
    entryPoints: ['src/entries/cli.ts'],
    external: ['fs', 'crypto'],
    banner: { js: '#!/usr/bin/env node' },
  },
  // The command loads it for `meshgate migrate` only.
  'migrate.js': {
    entryPoints: ['src/migrate/index.ts'],
    external: ['fs', 'crypto'],
  },
};

mkdirSync(out, { recursive: true });
// The command reads profiles as files, so that people can copy them.
rmSync(join(out, 'profiles'), { recursive: true, force: true });
cpSync(join(root, 'src/policy/profiles'), join(out, 'profiles'), { recursive: true });

/** @param {string} name @param {string} text */
function write(name, text) {
  writeFileSync(join(out, name), text);
  chmodSync(join(out, name), 0o644);
}

/** @type {import('esbuild').Metafile[]} */
const metafiles = [];
for (const [name, options] of Object.entries(bundles)) {
  const outfile = join(out, name);
  const { metafile } = await build({ ...common, ...options, outfile });
  metafiles.push(metafile);
  chmodSync(outfile, name === 'cli.js' ? 0o755 : 0o644);
  console.log(`${name} ${(statSync(outfile).size / 1024).toFixed(1)} KB`);
}
write('policy.d.ts', policyTypes(policyJsonSchema()));
const libraries = bundledIn(root, metafiles);
write(LICENCES, licenceTexts(libraries));
if (process.argv[3] !== undefined) writeFileSync(process.argv[3], JSON.stringify(libraries));
