import { type McpHeaders, refusedTool } from '../../../src/rules/tools.ts';
import type { Rule } from '../../../src/rules/types.ts';
import type { Subject } from './policies.ts';
import type { Cell } from './types.ts';

const [version, method] = ['2026-07-28', 'tools/call'];
const call = (name: string): McpHeaders => ({ version, method, name });

const NAMES = ['search_pages', 'read_page', 'read_file', '=?base64?w6Q=?='];

/** Messages that the policy with tools distinguishes, and broken ones. */
export const MESSAGES: readonly McpHeaders[] = [
  {},
  { version, method: 'tools/list' },
  { version, method: 'notifications/cancelled' },
  { version, method: 'tasks/get', name: '786512e2-9e0d' },
  { version: '2025-11-25', method: 'tools/list' },
  { method: 'tools/list' },
  { version, method },
  ...NAMES.flatMap((name) => [
    { version: '2025-11-25', method, name },
    { version, method: 'prompts/get', name },
  ]),
  { version, method: 'tools/list, tools/call', name: 'delete_page' },
  ...['search_pages', 'search_', 'read_page', 'read_pages', 'read_file', 'search_a b', 'search_pages, delete_page'].map(
    call,
  ),
  ...['delete_page', '=?base64?w6Q=?=', '=?base64?w6Q?='].map(call),
];

/** A message as the headers of a request. */
export function mcpHeaders({ version, method, name }: McpHeaders = {}): Readonly<Record<string, string>> {
  const all = { 'mcp-protocol-version': version, 'mcp-method': method, 'mcp-name': name };
  return Object.fromEntries(Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}

const looks = ({ who }: Rule): boolean => who.kind === 'agent' && who.tools !== undefined;

function withoutTools(rule: Rule): Rule {
  if (rule.who.kind !== 'agent') return rule;
  const { tools: _, ...who } = rule.who;
  return { ...rule, who };
}

/** Cells of a policy; if its rules read messages, each with each message. */
export function withMessages(subject: Subject, cellsOf: (subject: Subject) => readonly Cell[]): readonly Cell[] {
  if (!subject.rules.some(looks)) return cellsOf(subject);
  const cells = cellsOf({ ...subject, rules: subject.rules.map(withoutTools) });
  return cells.flatMap((cell) =>
    MESSAGES.map((mcp) => ({ ...cell, name: `${cell.name}, with ${JSON.stringify(mcp)}`, mcp })),
  );
}

/** Whether a rule of a mesh covers the message of a cell. */
export const takesMessage = ({ tools }: { readonly tools?: readonly string[] }, { mcp = {} }: Cell): boolean =>
  tools === undefined || refusedTool(tools, mcp) === undefined;
