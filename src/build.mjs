// Builds dist/ (or the folder named as the argument): meshgate.js for njs, cli.js for Node and for `njs -n QuickJS`.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const out = process.argv[2] ?? 'dist';

const common = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'inline',
  logLevel: 'warning',
};

const bundles = [
  // ./policy.js is rendered beside the bundle; the others are njs's own modules.
  { entryPoints: ['src/meshgate.ts'], external: ['./policy.js', 'crypto'], inject: ['src/njs/repairs.ts'], outfile: join(out, 'meshgate.js') },
  { entryPoints: ['src/cli.ts'], external: ['fs'], inject: ['src/njs/repairs.ts'], banner: { js: '#!/usr/bin/env node' }, outfile: join(out, 'cli.js') },
];

for (const bundle of bundles) {
  if (!existsSync(bundle.entryPoints[0])) continue;
  await build({ ...common, ...bundle });
  console.log(`${bundle.outfile} ${(statSync(bundle.outfile).size / 1024).toFixed(1)} KB`);
}
