import type { Path } from '../../rules/types.ts';

/** A path, or all paths below a prefix that ends with a slash. Consul's proxies compare nothing else as plain text. */
export type ConsulPath = { readonly kind: 'exact' | 'prefix'; readonly value: string };

/** How many places one expression names at most, so that an engine can always hold it. */
export const PLACES_IN_ONE = 1000;

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

const BELOW = '/.*';
const AT_AND_BELOW = '(/.*)?';

/** A regular expression that matches these places and nothing else, if it must match a whole path. */
export function regexOf(places: readonly ConsulPath[]): string {
  const exact = new Set(places.flatMap(({ kind, value }) => (kind === 'exact' ? value : [])));
  const below = new Set(places.flatMap(({ kind, value }) => (kind === 'prefix' ? value.slice(0, -1) : [])));
  const parts = [...new Set([...exact, ...below])].map((base) => {
    const end = !below.has(base) ? '' : exact.has(base) ? AT_AND_BELOW : BELOW;
    return `${escaped(base)}${end}`;
  });
  return parts.join('|');
}

/** The places that an expression of {@link regexOf} matches; undefined if it is another expression. */
export function placesIn(regex: string): readonly ConsulPath[] | undefined {
  const places = regex.split(/(?<!\\)\|/).flatMap((part): readonly ConsulPath[] => {
    const end = [AT_AND_BELOW, BELOW].find((it) => part.endsWith(it) && !part.endsWith(`\\${it}`)) ?? '';
    const base = part.slice(0, part.length - end.length).replace(/\\([^A-Za-z0-9])/g, '$1');
    return [
      ...(end === BELOW ? [] : [{ kind: 'exact' as const, value: base }]),
      ...(end === '' ? [] : [{ kind: 'prefix' as const, value: `${base}/` }]),
    ];
  });
  return places.every(({ value }) => value.startsWith('/')) && regexOf(places) === regex ? places : undefined;
}

/** A place in the form of rules. The slash at the end of a prefix makes it match whole segments. */
export const rulePath = ({ kind, value }: ConsulPath): Path =>
  kind === 'exact' ? { exact: value } : { prefix: value.slice(0, -1), except: [] };
