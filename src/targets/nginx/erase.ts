import { TRUSTED } from '../../policy/trusted/index.ts';
import { line, literal, row } from './directive.ts';
import type { ConfFile } from './files.ts';
import { ownNames } from './headers.ts';
import type { Module } from './module.ts';
import { internalNames } from './names.ts';
import type { Scene } from './scene.ts';

/* Headers that nginx erases from requests of clients. Every proxied location sets these names to an empty value, which
 * nginx does not send, unless it sets them itself. nginx matches exact names and no prefixes, so families are listed in
 * full. */

/** The file name of the list, for each proxying module of nginx. */
export const eraseName = (module: Module) => (module === 'proxy' ? 'erase.conf' : 'erase-grpc.conf');

/** Every way to write a name with `_` for some or all of its dashes, without the name itself. */
export function underscoreSpellings(name: string): readonly string[] {
  const [first = '', ...rest] = name.split('-');
  // A name of very many words gets the one spelling that frameworks know.
  if (rest.length > 5) return [name.replaceAll('-', '_')];
  const all = rest.reduce((heads, word) => heads.flatMap((head) => [`${head}-${word}`, `${head}_${word}`]), [first]);
  return all.filter((spelling) => spelling !== name);
}

/** Headers to erase for one reason. */
interface Erased {
  /** The software that trusts them. */
  readonly by: string;
  readonly names: readonly string[];
}

const underscored = (names: readonly string[]): readonly string[] =>
  names.flatMap((name) => [name, name.replaceAll('-', '_')]);

/** The headers to erase if nothing sets them, each name once in any case.
 *
 * @param named identity headers of the policy; erased in every spelling
 */
function rows(named: readonly string[]): readonly Erased[] {
  const seen = new Set<string>();
  const all: readonly Erased[] = [
    { by: 'the policy', names: named.flatMap((name) => [name, ...underscoreSpellings(name)]) },
    ...[...TRUSTED.identity, ...TRUSTED.certificates].map(({ by, names }) => ({ by, names: underscored(names) })),
    { by: 'the gateway', names: underscored(internalNames(named.length)) },
    ...TRUSTED.requests,
  ];
  return all.map(({ by, names }) => ({
    by,
    names: names.filter((name) => {
      const key = name.toLowerCase();
      return !seen.has(key) && seen.add(key);
    }),
  }));
}

/** The names of them all. */
export const erasedNames = (named: readonly string[]): readonly string[] => rows(named).flatMap(({ names }) => names);

/** The file with the headers that no service receives from a client, the same for all hosts of a policy. */
export function eraseFile(scene: Scene, module: Module): ConfFile {
  const taken = new Set(ownNames(scene).map((name) => name.toLowerCase()));
  const lines = rows(scene.headerNames).flatMap(({ by, names }) => {
    const left = names.filter((name) => !taken.has(name.toLowerCase()));
    return row(
      left.map((name) => line(`${module}_set_header`, literal(name), literal(''))),
      by,
    );
  });
  return [eraseName(module), lines, 'Headers that nginx erases from requests: each line names what trusts them.'];
}
