import * as z from 'zod';
import * as callers from './caller-sections.ts';
import { hints } from './hints.ts';
import { mesh, service } from './mesh-sections.ts';
import { HOST_NAME, NAME, ROLE_NAME } from './scalars.ts';
import * as section from './sections.ts';

const named = <T extends z.ZodType>(value: T, pattern: string, write: string, description: string) =>
  z
    .record(z.string(), value)
    .register(hints, { what: 'a mapping of names', write })
    .meta({ propertyNames: { pattern }, description });

const PROVIDER = '{ okta: { issuer: https://login.example.com, audiences: [api://wiki] } }';
const SERVICE = '{ wiki: { url: https://wiki.internal:8443 } }';
const HOST = '{ wiki.example.com: { /*: { service: wiki, allow: [staff] } } }';

/** The shape of a policy file. The check*.ts files check names, effects and everything that depends on two places. */
export const policySchema = z.strictObject({
  version: z
    .literal(1)
    .register(hints, { what: 'a version of the policy language', write: '1' })
    .describe('Version of the policy language.'),
  gateway: section.gateway.optional(),
  providers: named(section.provider, NAME.source, PROVIDER, 'Who vouches for callers, by name.'),
  roles: named(
    callers.fact,
    ROLE_NAME.source,
    '{ staff: { group: staff } }',
    'Roles, by name, and the fact that gives each.',
  ).optional(),
  agents: named(
    callers.agent,
    NAME.source,
    '{ wiki-pages: { match: { service: wiki }, acts_for: [staff] } }',
    'Software that acts for people, or by itself, by name.',
  ).optional(),
  mesh: mesh.optional(),
  services: named(service, NAME.source, SERVICE, 'What is asked, by name.'),
  headers: section.headers.optional(),
  hosts: named(section.host, HOST_NAME.source, HOST, 'Hosts by name, each with its routes by path.'),
  tests: z
    .array(section.test)
    .register(hints, { what: 'a list of tests', write: 'a list below it' })
    .describe('What must and must not be allowed; "meshgate validate" runs them.')
    .optional(),
});

/** A policy file with a valid shape. */
export type Raw = z.output<typeof policySchema>;
