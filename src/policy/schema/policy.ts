import * as z from 'zod';
import { HOST_NAME } from '../forms/addresses.ts';
import { hints } from '../forms/hints.ts';
import { key, optional, record, teamStrict, usually } from '../forms/mapping.ts';
import { NAME, ROLE_NAME } from '../forms/scalars.ts';
import { agent, fact } from './agent.ts';
import { gateway } from './gateway.ts';
import { headers } from './headers.ts';
import { host } from './host.ts';
import { mesh, meshes } from './mesh.ts';
import { test } from './policy-test.ts';
import { profileUse } from './profile-use.ts';
import { provider } from './provider.ts';
import { service } from './service.ts';
import { teams } from './team.ts';

export { times } from '../forms/mapping.ts';

const definitions = <T extends z.ZodType>(value: T, keys: RegExp, write: string, description: string) =>
  record(value, keys, { what: 'a mapping of names', write }, description);

const PROVIDER = '{ okta: { issuer: https://login.example.com, audiences: [api://wiki] } }';
const ROLE = '{ staff: { group: staff } }';
const AGENT = '{ wiki-pages: { match: { service: wiki }, acts_for: [staff] } }';
const SERVICE = '{ wiki: { url: https://wiki.internal:8443 } }';
const HOST = '{ wiki.example.com: { /*: { service: wiki, allow: [staff] } } }';

/** The form of a policy file. The files of check/ check names, effects, and everything that depends on two places. */
export const policySchema = teamStrict({
  version: key(
    { decides: 'nothing', team: 'free' },
    z
      .literal(1)
      .register(hints, { what: 'a version of the policy language', write: '1' })
      .describe('Version of the policy language.'),
  ),
  gateway: key(
    { decides: 'request', team: { never: 'settings of the gateway apply to every host' } },
    gateway.prefault({}),
  ),
  providers: key(
    { decides: 'request', team: { never: 'providers vouch for callers of every host' } },
    definitions(provider, NAME, PROVIDER, 'The providers that issue tokens for callers, by name.'),
  ),
  roles: key(
    { decides: 'request', team: 'inside' },
    definitions(fact, ROLE_NAME, ROLE, 'Roles by name, each with the fact that gives the role.').prefault({}),
  ),
  agents: key(
    { decides: 'request', team: { never: 'the match of an agent applies to tokens at every host' } },
    definitions(agent, NAME, AGENT, 'Software that acts for people, or alone, by name.').prefault({}),
  ),
  mesh: key({ decides: 'destination', team: { never: 'all teams share the mesh' } }, mesh.optional()),
  meshes: key(
    { decides: 'destination', team: { never: 'all teams share the meshes' }, excludes: { mesh: true } },
    meshes.optional(),
  ),
  services: key(
    { decides: 'request', team: 'inside' },
    definitions(service, NAME, SERVICE, 'The destinations of requests, by name.'),
  ),
  headers: key(
    { decides: 'destination', team: { never: 'these headers apply to every host; write headers in your hosts' } },
    headers.optional(),
  ),
  teams: key({ decides: 'nothing', team: { never: 'a team has no teams of its own' } }, teams),
  hosts: key(
    { decides: 'request', team: 'inside' },
    definitions(host, HOST_NAME, HOST, 'Hosts by name, each with its routes by path.'),
  ),
  profiles: optional(
    { decides: 'nothing', team: 'free' },
    z.array(profileUse).register(hints, { what: 'a list of profiles', write: 'a list below it' }),
    'Ready-made parts for applications; "meshgate render --target policy" shows what they expand to.',
  ),
  tests: usually(
    { decides: 'nothing', team: 'inside' },
    z.array(test).register(hints, { what: 'a list of tests', write: 'a list below it' }),
    [],
    'Requests that the gateway must allow or deny; "meshgate validate" runs them.',
  ),
});

export type Written = z.input<typeof policySchema>;

/** A policy file in the form that the code uses, before its parts get their places and its names are looked up. */
export type Declared = z.output<typeof policySchema>;
