/** The licences of the libraries in dist/, which must go wherever the bundles go. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bundled } from './bundled.ts';

/** The name of the file in dist/. */
export const LICENCES = 'THIRD-PARTY-LICENSES.txt';

const HEAD = `The files of this folder contain code of these libraries. Each one has the licence below its name.
meshgate itself has the licence Apache-2.0.
`;

const LINE = '='.repeat(80);

/** The text of the file. Throws if the licence of a library is not known. */
export function licenceTexts(libraries: readonly Bundled[]): string {
  const parts = libraries.map((library) => {
    const { name, version, licence, bundles } = library;
    return `${LINE}\n${name} ${version}\n${licence}\nin ${bundles.join(', ')}\n${LINE}\n\n${textOf(library)}\n`;
  });
  return `${HEAD}\n${parts.join('\n')}`;
}

/** The licence and the notices that a library comes with. */
function textOf({ name, licence, folder }: Bundled): string {
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const texts = files.toSorted().map((file) => readFileSync(join(folder, file), 'utf8').replace(/\s+$/, ''));
  if (files.some((file) => !/^notice/i.test(file))) return texts.join('\n\n');
  // A library without the text: the licence requires a copy of it, and the project's own licence is the same text.
  if (licence !== 'Apache-2.0') throw new Error(`${name} has no file with the text of its licence ${licence}`);
  return [...texts, readFileSync(new URL('../../LICENSE', import.meta.url), 'utf8').trim()].join('\n\n');
}
