import { type Option, sections } from './options.ts';

/** The name of an option in a configuration file: that of a list is the plural. */
export function keyOf({ name, list }: Option): string {
  const key = name.replaceAll('-', '_');
  return list && !/(?:s|regex)$/.test(key) ? `${key}s` : key;
}

const all = Object.values(sections).flat();

/** Flags of which no variable and no key of a configuration file is a form. */
const FLAGS_ONLY = ['config', 'alpha-config', 'config-test'];

/** The options by the names of their flags. */
export const optionsByFlag: ReadonlyMap<string, Option> = new Map(all.map((it) => [it.name, it]));

/** The options by their keys in a configuration file, which are also the names of their variables. */
export const optionsByKey: ReadonlyMap<string, Option> = new Map([
  ...all.filter(({ name }) => !FLAGS_ONLY.includes(name)).map((it) => [keyOf(it), it] as const),
  ['google_group', optionsByFlag.get('google-group') as Option],
]);

const PART_OF_ALPHA =
  /^(?:allowed|keycloak|gitlab|google|azure|entra|github|bitbucket|tls|metrics)-|^https?-address$|^(?:scope|prompt|approval-prompt|acr-values|backend-logout-url|(?:force-)?code-challenge-method)$/;

/** The options that oauth2-proxy does not read if it has an alpha configuration. */
export const replacedByAlpha: ReadonlySet<string> = new Set(
  Object.entries(sections)
    .flatMap(([section, options]) =>
      ['The provider', 'Headers for services', 'The services'].includes(section)
        ? options
        : options.filter(({ name }) => PART_OF_ALPHA.test(name)),
    )
    .map(({ name }) => name)
    .filter((it) => it !== 'ssl-insecure-skip-verify' && it !== 'signature-key'),
);
