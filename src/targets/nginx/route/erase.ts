import { namesWith } from '../../../policy/trusted/composed.ts';
import { TRUSTED, type Trusted } from '../../../policy/trusted/index.ts';
import type { Context } from '../render-context.ts';
import { line, literal, row } from '../text/directive.ts';
import type { ConfFile } from '../text/files.ts';
import { internalNames } from '../text/names.ts';
import { ownNames } from './common-headers.ts';
import type { Module } from './module.ts';
import { passesAny } from './service-credential.ts';

/* The headers that nginx erases from requests of clients. Every proxied location sets these names to an empty value,
 * unless it sends the header itself; nginx does not send empty headers. nginx compares whole names and no prefixes, so
 * all names of a family are listed. */

/** The file name of the list. Each proxying module of nginx has its own. */
export const eraseName = (module: Module) => (module === 'proxy' ? 'erase.conf' : 'erase-grpc.conf');

/** All spellings of a name in which one or more dashes are replaced by `_`. */
export function underscoreSpellings(name: string): readonly string[] {
  const [first = '', ...rest] = name.split('-');
  // A name with very many words has too many spellings. Only the spelling that frameworks use is listed.
  if (rest.length > 5) return [name.replaceAll('-', '_')];
  const all = rest.reduce((heads, word) => heads.flatMap((head) => [`${head}-${word}`, `${head}_${word}`]), [first]);
  return all.filter((spelling) => spelling !== name);
}

const underscored = (names: readonly string[]) => names.flatMap((name) => [name, name.replaceAll('-', '_')]);

/** The names of a row, in lines that people can read. Composed names have one line for each head and no spelling with `_`:
 * nginx drops such lines by itself (`underscores_in_headers off`). */
const linesOf = ({ by, names, composed }: Trusted) =>
  composed === undefined
    ? [{ by, names: underscored(names) }]
    : composed.heads.map((head) => ({ by, names: namesWith(head, composed) }));

/** The headers that are erased unless the gateway sets them, and what trusts them. Case does not distinguish names. */
function rows(named: readonly string[], credential?: string, lines = linesOf) {
  const seen = new Set<string>();
  const all: readonly { readonly by: string; readonly names: readonly string[] }[] = [
    { by: 'the policy', names: named.flatMap((name) => [name, ...underscoreSpellings(name)]) },
    ...(credential === undefined
      ? []
      : [{ by: 'the gateway, for its token', names: [credential, ...underscoreSpellings(credential)] }]),
    ...[...TRUSTED.identity, ...TRUSTED.certificates].flatMap(lines),
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

const documented = (it: Trusted) => (it.composed === undefined ? linesOf(it) : []);

/** The names of all erased headers that are in the policy or in a documentation. Objects of ingress controllers have no
 * room for the composed ones. */
export const erasedNames = (named: readonly string[]): readonly string[] =>
  rows(named, undefined, documented).flatMap(({ names }) => names);

/** The file with the headers that no service receives from a client. It is the same for all hosts of a policy. */
export function eraseFile(context: Context, module: Module): ConfFile {
  const taken = new Set(ownNames(context).map((name) => name.toLowerCase()));
  // Then each host erases this header, or passes it on.
  if (passesAny(context)) taken.add('authorization');
  const lines = rows(context.headerNames, context.policy.gateway.credentialHeader).flatMap(({ by, names }) => {
    const left = names.filter((name) => !taken.has(name.toLowerCase()));
    return row(
      left.map((name) => line(`${module}_set_header`, literal(name), literal(''))),
      by,
    );
  });
  return [eraseName(module), lines, 'Headers that nginx erases from requests: each line names what trusts them.'];
}
