import * as z from 'zod';
import { hints } from './hints.ts';
import { NAME, ROLE_NAME } from './scalars.ts';
import * as section from './sections.ts';

const named = <T extends z.ZodType>(value: T, pattern: RegExp, description: string) =>
  z.record(z.string(), value).meta({ propertyNames: { pattern: pattern.source }, description });

/** The shape of a policy file. Names, effects and everything that needs two places at once are checked in check*.ts. */
export const policySchema = z.strictObject({
  version: z
    .literal(1)
    .register(hints, { what: 'the version of the policy language', write: '1' })
    .describe('Version of the policy language.'),
  gateway: section.gateway.optional(),
  providers: named(section.provider, NAME, 'Who vouches for callers, by name.'),
  roles: named(section.fact, ROLE_NAME, 'Roles, by name, and the fact that gives each.').optional(),
  mesh: section.mesh.optional(),
  services: named(section.service, NAME, 'What is asked, by name.'),
  headers: section.headers.optional(),
  hosts: z.record(z.string(), section.host).describe('Hosts by name, each with its routes.'),
  tests: z
    .array(section.test)
    .register(hints, { what: 'a list of tests', write: 'a list below it' })
    .describe('What must and must not be allowed; "meshgate validate" runs them.')
    .optional(),
});

/** A policy file whose shape is right. */
export type Raw = z.output<typeof policySchema>;
