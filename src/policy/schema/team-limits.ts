import { quote } from '../forms/path.ts';
import { addressesOf, coversAddress, coversFile, coversHost, coversName } from '../forms/team-names.ts';
import { hostPort } from '../forms/units.ts';
import type { Grant, Permission } from './team.ts';

/** A team and what the policy grants to it. */
export interface Granted {
  readonly name: string;
  readonly grant: Grant;
}

/** Says what to write instead of something that the grant does not cover. */
export const beyond = (
  { name }: Granted,
  what: string,
  key: keyof Grant,
  covered: readonly string[],
  add: string = what,
): string => {
  const own = covered.length === 0 ? '' : `write one that the grant covers (${covered.slice(0, 8).join(', ')}), or `;
  return `${what} is not granted to team ${name}; ${own}ask the owners of the policy to add ${add} to teams.${name}.${key}`;
};

export const address =
  (port: number, of: (text: string) => string = (text) => text) =>
  (text: string, given: Granted): string | undefined => {
    const { host, port: own } = hostPort(of(text).toLowerCase(), port);
    const covered = addressesOf(given.grant);
    if (covered.some((it) => coversAddress(it, `${host}:${own}`))) return undefined;
    return beyond(given, `the address ${quote(text)}`, 'addresses', covered, `${host}:${own}`);
  };

export const listed =
  (key: 'namespaces' | 'audiences', what: string) =>
  (text: string, given: Granted): string | undefined =>
    given.grant[key].includes(text)
      ? undefined
      : beyond(given, `the ${what} ${quote(text)}`, key, given.grant[key], quote(text));

/** A file that the grant covers. */
export const grantedFile = {
  text: (text: string, given: Granted): string | undefined =>
    given.grant.files.some((it) => coversFile(it, text))
      ? undefined
      : beyond(given, `the file ${quote(text)}`, 'files', given.grant.files, 'it or its folder'),
};

export const insecure = {
  never: 'an option that begins with insecure_ weakens the gateway, so no team may write it; remove it',
};

/** The name of a service, as the grant covers it. */
export const serviceName = (text: string, given: Granted): string | undefined =>
  given.grant.services.some((it) => coversName(it, text))
    ? undefined
    : beyond(given, `the service ${quote(text)}`, 'services', given.grant.services, text);

/** The name of a host, as the grant covers it. */
export const hostName = (text: string, given: Granted): string | undefined =>
  given.grant.hosts.some((it) => coversHost(it, text))
    ? undefined
    : beyond(given, `the host ${quote(text)}`, 'hosts', given.grant.hosts, text);

const urlHost = (url: string): string => hostPort(/^https?:\/\/([^/?#]*)/.exec(url)?.[1] ?? url, 443).host;

export const anyone = (text: string, given: Granted): string | undefined =>
  text === 'anyone' && !given.grant.may.includes('anyone')
    ? forbidden(given, 'anyone', 'a rule for anyone')
    : undefined;

/** Says which permission is missing. */
export const forbidden = ({ name }: Granted, permission: Permission, what: string): string =>
  `team ${name} may not write ${what}; remove it, or ask the owners of the policy to add ${permission} to teams.${name}.may`;

/** The host in the URL of a test. */
export const testHost = (url: string, given: Granted): string | undefined => hostName(urlHost(url), given);
