import fc from 'fast-check';
import type { Allow, Policy } from '../../../src/policy/checked/types.ts';
import { LISTING, type McpHeaders } from '../../../src/rules/tools.ts';

const LISTS: readonly (readonly string[])[] = [
  ['search_*', 'read_page'],
  ['search_pages'],
  ['search_*', 'search_pages', 'a.b'],
  ['*'],
  ['sea*', 'read_page', '*'],
];

/** The same policies, some of whose agents' rules have tools. */
export function withTools(policies: fc.Arbitrary<Policy>): fc.Arbitrary<Policy> {
  return fc
    .tuple(policies, fc.array(fc.nat(2 * LISTS.length), { minLength: 1, maxLength: 20 }))
    .map(([policy, picks]) => {
      let next = 0;
      const tooled = (allow: Allow): Allow => {
        const { who, methods: _, ...rest } = allow;
        const tools = who.kind === 'agent' ? LISTS[picks[next++ % picks.length] as number] : undefined;
        return who.kind === 'agent' && tools ? { ...rest, who: { ...who, tools }, methods: ['POST'] } : allow;
      };
      const hosts = policy.hosts.map((host) => ({
        ...host,
        routes: host.routes.map((route) => ({ ...route, allow: route.allow.map(tooled) })),
      }));
      return { ...policy, hosts };
    });
}

const [version, method] = ['2026-07-28', 'tools/call'];
const call = (name: string): McpHeaders => ({ version, method, name });

/** Messages of all kinds, including broken ones and ones with repeated headers. */
export const MESSAGES: readonly McpHeaders[] = [
  {},
  { version },
  { version, method },
  { method, name: 'search_pages' },
  { version: '2025-11-25', method, name: 'search_pages' },
  { version: `${version},${version}`, method, name: 'search_pages' },
  { version, method: `${method},${method}`, name: 'search_pages' },
  { version, method: 'tools/list,tools/call', name: 'delete' },
  { version, method: 'prompts/get', name: 'search_pages' },
  { version, method: 'tools/calls', name: 'search_pages' },
  ...[...LISTING.slice(0, 4), 'notifications/', 'notifications/initialized'].map((method) => ({ version, method })),
  ...['tasks/get', 'tasks/update', 'tasks/cancel', 'tasks/list', 'tasks/gets', 'initialize', 'ping'].flatMap(
    (method) => [
      { version, method },
      { version, method, name: 'search_pages' },
    ],
  ),
  ...['786512e2-9e0d', '=?base64?w6Q=?=', '=?base64?w6Q?=', '', 'é'].map((name) => ({
    version,
    method: 'tasks/get',
    name,
  })),
  { version: '2025-11-25', method: 'tasks/get', name: '786512e2-9e0d' },
  { version, method: 'notifications/a b' },
  { version, method: 'xnotifications/a' },
  { version, method: 'tools/list', name: 'delete' },
  ...['search_pages', 'search_page', 'search_pagesx', 'search_', 'search', 'sea', 'se', 'xsearch_pages'].map(call),
  ...['read_page', 'read_pages', 'Read_page', 'a.b', 'axb', 'delete', '', '-', 'x'.repeat(200)].map(call),
  ...['search_a b', 'search_é', 'search_a,search_b', 'search_pages,delete', ' x', 'a b', 'é', '=x', '='].map(call),
  ...[
    '=?base64?w6Q=?=',
    '=?base64?w6Q?=',
    '=?base64?=',
    '=?base64??=',
    '=?base64?w6Rh?=',
    '=?base64?x',
    '=?base64?w6Q=?=,x',
  ].map(call),
];
