import * as z from 'zod';
import * as a from '../forms/addresses.ts';
import type { At, Defined } from '../forms/at.ts';
import { key, mapping, orNone, record, usually } from '../forms/mapping.ts';
import * as s from '../forms/scalars.ts';
import { ADDRESS_PATTERN, NAME_PATTERN, ROLE_PATTERN } from '../forms/team-names.ts';
import { namespace } from '../forms/workload-names.ts';

/** What a grant can permit besides names: options that other teams could feel, or that open a host wider. */
export const PERMISSIONS = {
  anyone: 'rules for anyone, without a credential',
  networks: 'roles by network',
  certificates: 'roles by client certificate',
  claims: 'roles by claim, and headers with claims or groups',
  limits: 'limits of hosts and routes',
  proxy: 'proxy settings of hosts and routes',
  service_credentials: 'service_credential of routes',
} as const;

export type Permission = keyof typeof PERMISSIONS;

/** The path of a team's file: relative, below the folder of the policy. The image watches files of this form. */
const teamFile = s.text(/^(?=.{1,200}$)(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/){0,3}[A-Za-z0-9_-][A-Za-z0-9._-]*\.ya?ml$/, {
  what: 'the path of a file below the folder of this policy',
  write: 'a relative path without .., as in teams/pay.yaml, at most three folders deep',
  fix: (value) => (typeof value === 'string' && /^\.\/[\w-][\w./-]*\.ya?ml$/.test(value) ? value.slice(2) : undefined),
});

const hostName = s.text(a.HOST_NAME, {
  what: 'the name of a host',
  write: 'a DNS name in lower case, as in pay.example.com, or *.pay.example.com for all names below it',
});

const serviceName = s.text(NAME_PATTERN, {
  what: 'the name of a service',
  write: 'a name, or the beginning of names with a dash and a star, as in pay-*',
});

const roleName = s.text(ROLE_PATTERN, {
  what: 'the name of a role',
  write: 'a name, or the beginning of names with a dash and a star, as in confluence-*',
});

const address = s.text(ADDRESS_PATTERN, {
  what: 'the address of a service',
  write: 'a name in lower case, perhaps with a port, as in pay.internal:8443, or *.pay.internal for all names below it',
});

const variable = s.text(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, {
  what: 'the name of a variable',
  write: 'letters, digits and _, as in STAGE',
});

const permission = z.enum(Object.keys(PERMISSIONS) as [Permission, ...Permission[]]);

export const team = mapping({
  file: key('nothing', teamFile.describe('The team’s file, relative to the folder of this policy.')),
  hosts: key(
    'nothing',
    s.list(hostName, '[pay.example.com]').describe('The hosts that the team may define; *.x covers all names below x.'),
  ),
  services: orNone(
    'nothing',
    s.list(serviceName, '[pay-*]'),
    'The services that the team may define, or name if this policy defines them; pay-* covers all names that begin so. Default: none.',
  ),
  roles: orNone(
    'nothing',
    s.list(roleName, '[confluence-users]'),
    'Names of roles that the team may define besides those that begin with its own name and a dot; x-* covers all names that begin with x-. Default: none.',
  ),
  namespaces: orNone(
    'nothing',
    s.list(namespace, '[pay]'),
    'The Kubernetes namespaces of the team’s services. Default: none.',
  ),
  addresses: orNone(
    'nothing',
    s.list(address, '["*.pay.internal"]'),
    'Further names, with or without a port, that authority, endpoint and url of the team’s services may have. Default: only names in its namespaces.',
  ),
  providers: orNone(
    'nothing',
    s.list(s.reference('provider'), '[okta]'),
    'The providers that the team may name. Default: the only provider of this policy.',
  ),
  identities: usually(
    'nothing',
    s.list(s.reference('identity'), '[default]'),
    ['default'],
    'The identities that the team’s rules may name in "as".',
  ),
  meshes: usually(
    'nothing',
    s.list(s.reference('mesh'), '[default]'),
    ['default'],
    'The meshes that the team’s services may name.',
  ),
  audiences: orNone(
    'nothing',
    s.list(s.plainText, '[https://mcp.pay.example.com]'),
    'The audiences that the team’s routes may name. Default: none.',
  ),
  files: orNone(
    'nothing',
    s.list(s.filePath, '[/run/teams/pay]'),
    'Files, and folders of files, that the team’s hosts and services may name. Default: none.',
  ),
  headers: orNone(
    'nothing',
    s.list(s.headerName, '[X-Pay-User]'),
    'Identity headers that the team may send besides those of this policy and those of known applications. nginx erases them from requests to every host. Default: none.',
  ),
  variables: orNone(
    'nothing',
    s.list(variable, '[STAGE]'),
    'The variables of --env that the team’s file may contain. Default: none.',
  ),
  may: orNone(
    'nothing',
    s.list(permission, '[anyone]'),
    `What else the team may write: ${Object.entries(PERMISSIONS)
      .map(([key, what]) => `${key} (${what})`)
      .join(', ')}. Default: nothing.`,
  ),
}).describe('A team: its file, and what this file may define.');

export const teams = record(
  team,
  s.NAME,
  {
    what: 'a mapping of teams',
    write: '{ pay: { file: teams/pay.yaml, hosts: [pay.example.com], services: [pay-*] } }',
  },
  'Teams by name. Each team has a file with roles, services, hosts and tests of its own.',
).optional();

export type Grant = z.output<typeof team>;

/** A team. Its hosts, roles and services name it. */
export interface Team extends Defined, Grant {}

export const buildTeam = (name: string, grant: Grant, at: At): Team => ({ name, ...grant, at });
