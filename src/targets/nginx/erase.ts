import { IDENTITY_HEADERS, REQUEST_HEADERS } from '../../policy/trusted/index.ts';
import type { Module } from './grpc.ts';
import { internalNames } from './names.ts';

/*
 * What no client's copy passes of. Every proxied location sends these names empty, which for nginx means not at all,
 * unless it sets them itself. nginx erases by exact name and knows no prefixes, so families are written out.
 */

/** The rendered file of them, for each module of nginx that carries requests. */
export const eraseFile = (module: Module): string => (module === 'proxy' ? 'erase.conf' : `erase-${module}.conf`);

/** Every way to write a name with `_` for some or all of its dashes, the name itself left out. */
export function underscoreSpellings(name: string): readonly string[] {
  const [first = '', ...rest] = name.split('-');
  // A name of very many words gets the one spelling that frameworks know.
  if (rest.length > 5) return [name.replaceAll('-', '_')];
  const all = rest.reduce((heads, word) => heads.flatMap((head) => [`${head}-${word}`, `${head}_${word}`]), [first]);
  return all.filter((spelling) => spelling !== name);
}

/**
 * Names to erase where nothing sets them, each once whatever its case.
 *
 * @param named identity headers of the policy; erased in every spelling
 */
export function erasedNames(named: readonly string[]): readonly string[] {
  const names = new Map<string, string>();
  const add = (name: string) => {
    if (!names.has(name.toLowerCase())) names.set(name.toLowerCase(), name);
  };
  for (const name of named) [name, ...underscoreSpellings(name)].forEach(add);
  for (const name of IDENTITY_HEADERS) [name, name.replaceAll('-', '_')].forEach(add);
  for (const name of internalNames(named.length)) [name, name.replaceAll('-', '_')].forEach(add);
  REQUEST_HEADERS.forEach(add);
  return [...names.values()];
}
