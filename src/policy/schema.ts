import * as z from 'zod';
import { HOST_NAME } from './addresses.ts';
import { agent, fact } from './agent.ts';
import { gateway } from './gateway.ts';
import { headers } from './headers.ts';
import { hints } from './hints.ts';
import { host } from './host.ts';
import { key, optional, record, strict, usually } from './mapping.ts';
import { mesh, meshes } from './mesh.ts';
import { test } from './policy-test.ts';
import { profileUse } from './profile-use.ts';
import { provider } from './provider.ts';
import { NAME, ROLE_NAME } from './scalars.ts';
import { service } from './service.ts';
import { teams } from './team.ts';

export { times } from './mapping.ts';

const definitions = <T extends z.ZodType>(value: T, keys: RegExp, write: string, description: string) =>
  record(value, keys, { what: 'a mapping of names', write }, description);

const PROVIDER = '{ okta: { issuer: https://login.example.com, audiences: [api://wiki] } }';
const ROLE = '{ staff: { group: staff } }';
const AGENT = '{ wiki-pages: { match: { service: wiki }, acts_for: [staff] } }';
const SERVICE = '{ wiki: { url: https://wiki.internal:8443 } }';
const HOST = '{ wiki.example.com: { /*: { service: wiki, allow: [staff] } } }';

/** The form of a policy file. The files check*.ts check names, effects, and everything that depends on two places. */
export const policySchema = strict({
  version: key(
    'nothing',
    z
      .literal(1)
      .register(hints, { what: 'a version of the policy language', write: '1' })
      .describe('Version of the policy language.'),
  ),
  gateway: key('request', gateway.prefault({})),
  providers: key(
    'request',
    definitions(provider, NAME, PROVIDER, 'The providers that issue tokens for callers, by name.'),
  ),
  roles: key(
    'request',
    definitions(fact, ROLE_NAME, ROLE, 'Roles by name, each with the fact that gives the role.').prefault({}),
  ),
  agents: key(
    'request',
    definitions(agent, NAME, AGENT, 'Software that acts for people, or alone, by name.').prefault({}),
  ),
  mesh: key('destination', mesh.optional()),
  meshes: key('destination', meshes.optional()),
  services: key('request', definitions(service, NAME, SERVICE, 'The destinations of requests, by name.')),
  headers: key('destination', headers.optional()),
  teams: key('nothing', teams),
  hosts: key('request', definitions(host, HOST_NAME, HOST, 'Hosts by name, each with its routes by path.')),
  profiles: optional(
    'nothing',
    z.array(profileUse).register(hints, { what: 'a list of profiles', write: 'a list below it' }),
    'Ready-made parts for applications; "meshgate render --target policy" shows what they expand to.',
  ),
  tests: usually(
    'nothing',
    z.array(test).register(hints, { what: 'a list of tests', write: 'a list below it' }),
    [],
    'Requests that the gateway must allow or deny; "meshgate validate" runs them.',
  ),
});

export type Written = z.input<typeof policySchema>;

/** A policy file in the form that the code uses, before its parts get their places and its names are looked up. */
export type Said = z.output<typeof policySchema>;
