import * as z from 'zod';
import { HOST_NAME } from '../forms/addresses.ts';
import { hints } from '../forms/hints.ts';
import { key, optional, strict } from '../forms/mapping.ts';
import { NAME, text } from '../forms/scalars.ts';

/** The path of a profile, relative to the folder of the policy. */
export const PROFILE_PATH = /^(?:\.{0,2}\/)[\w@+=.,/-]{1,190}\.ya?ml$/;

const use = text(new RegExp(`${NAME.source}|${PROFILE_PATH.source}`), {
  what: 'the name of a profile, or a path',
  write: 'confluence, or ./my-profile.yaml for a copy of your own',
  fix: (value) => (typeof value === 'string' && PROFILE_PATH.test(`./${value}`) ? `./${value}` : undefined),
});

/** The facts and values are checked in the parts of the policy that they become. */
const fact = z.union([z.string(), z.record(z.string(), z.unknown()), z.array(z.unknown())]).register(hints, {
  what: 'a fact or a list of facts',
  write: 'the name of a role, { group: staff }, or a list of these',
});

/** One profile that a policy uses. */
export const profileUse = strict({
  use: key('nothing', use.describe('The name of a profile that meshgate brings, or the path of your own copy.')),
  host: key(
    'nothing',
    text(HOST_NAME, {
      what: 'the name of a host',
      write: 'a DNS name in lower case, as in wiki.example.com',
    }).describe('The host whose routes the profile writes.'),
  ),
  service: key(
    'nothing',
    text(NAME, { what: 'the name of a service', write: 'a name that services defines' }).describe(
      'The service that receives the requests.',
    ),
  ),
  roles: optional(
    'nothing',
    z.record(z.string(), fact).register(hints, { what: 'a mapping of facts', write: '{ user: { group: staff } }' }),
    'The facts that give the roles of the profile, by role; several facts in a list: one of them is enough.',
  ),
  options: optional(
    'nothing',
    z.record(z.string(), z.unknown()).register(hints, { what: 'a mapping of options', write: '{ tokens: true }' }),
    'The options of the profile.',
  ),
})
  .register(hints, { what: 'a profile', write: '{ use: confluence, host: wiki.example.com, service: wiki }' })
  .describe('Everything that an application needs on one host.');
