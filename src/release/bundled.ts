/** The libraries whose code is in the bundles of dist/, as esbuild reports it. */
import { readFileSync, realpathSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Metafile } from 'esbuild';

/** A library in the bundles. */
export interface Bundled {
  readonly name: string;
  readonly version: string;
  /** Its licence, as SPDX names it. */
  readonly licence: string;
  readonly folder: string;
  /** The bundles that have code of it. */
  readonly bundles: readonly string[];
}

/** The folder of the package that a file belongs to; undefined for a file of the project. */
const folderOf = (path: string) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];

/**
 * The libraries of these builds, by name.
 *
 * @param root the folder that the paths of the builds begin at
 */
export function bundledIn(root: string, metafiles: readonly Metafile[]): readonly Bundled[] {
  const bundlesOf = new Map<string, Set<string>>();
  for (const [bundle, { inputs }] of metafiles.flatMap(({ outputs }) => Object.entries(outputs))) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const folder = folderOf(resolve(realpathSync(root), path));
      if (folder === undefined || bytesInOutput === 0) continue;
      bundlesOf.set(folder, (bundlesOf.get(folder) ?? new Set()).add(basename(bundle)));
    }
  }
  return [...bundlesOf]
    .map(([folder, bundles]) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      if (typeof license !== 'string') throw new Error(`${name} does not say its licence in package.json`);
      return { name, version, licence: license, folder, bundles: [...bundles].toSorted() };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
