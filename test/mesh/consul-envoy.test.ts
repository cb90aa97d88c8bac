/** A real Envoy with Consul's configuration for the proxies of workloads, from the rendered entries. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStage, type Stage, saveLogs, until } from '../harness/index.ts';
import { ConsulEnvoySide, type Otherwise } from './consul/envoy.ts';
import { consulSubjects } from './consul/subjects.ts';
import { HUNG_MS } from './lab/hung.ts';
import { agree } from './matrix/agree.ts';
import { Assertions } from './matrix/assertions.ts';
import { cellsOf } from './matrix/cells.ts';
import { withMessages } from './matrix/messages.ts';
import type { Subject } from './matrix/policies.ts';
import { lines } from './matrix/report.ts';
import { startServices } from './matrix/services.ts';
import type { Cell, Part } from './matrix/types.ts';

const assertions = await Assertions.create();
const all = await consulSubjects();
const subjects = all.filter(({ name }) => name.startsWith('confluence'));
const [tooled] = all.filter(({ name }) => name.startsWith('tools')) as [Subject];

const CALLING = { version: '2026-07-28', method: 'tools/call', name: 'read_page' };

/** Cells with a wrong caller, or with nothing wrong: all others are tried with other policies. */
const WHO: readonly (Part | undefined)[] = [undefined, 'role', 'agent'];

/** Services, and the proxies of them. */
async function start(subject: Subject, otherwise: Otherwise) {
  const stage = await openStage(`consul ${subject.name}`);
  await startServices(stage, subject.policy);
  const side = await ConsulEnvoySide.start(stage, subject, assertions, otherwise);
  const [first] = cellsOf(subject.policy, subject.rules) as [Cell];
  // State: the listener of a proxy is open; ask opens a connection of its own after each refusal.
  await until(async () => (await side.ask(first)) !== 'refused: connection', {
    what: 'the proxies',
    timeoutMs: HUNG_MS,
    help: () => saveLogs(stage, 'start'),
  });
  return { stage, side };
}

const [behind, apart] = subjects as [Subject, Subject];

describe.each<[string, Subject, Otherwise]>([
  [behind.name, behind, {}],
  [`${apart.name}, as before Consul 1.20.1`, apart, { old: true }],
])('%s', (_, subject, otherwise) => {
  let stage: Stage;
  let side: ConsulEnvoySide;
  beforeAll(async () => {
    ({ stage, side } = await start(subject, otherwise));
  });
  afterAll(() => {
    side?.close();
    return stage?.close();
  });

  test('Envoy decides as the policy says', async () => {
    const { requested, disagreements } = await agree(side, cellsOf(subject.policy, subject.rules));
    expect(lines(disagreements)).toEqual([]);
    expect(requested).toBeGreaterThan(100);
  });
});

describe('tools', () => {
  let stage: Stage;
  let side: ConsulEnvoySide;
  beforeAll(async () => {
    ({ stage, side } = await start(tooled, {}));
  });
  afterAll(() => {
    side?.close();
    return stage?.close();
  });

  test('Envoy decides about MCP messages as the policy says', async () => {
    const cells = withMessages(tooled, ({ policy, rules }) =>
      cellsOf(policy, rules).filter(({ part, path }) => WHO.includes(part) && !path.includes('?')),
    );
    const { requested, disagreements } = await agree(side, cells);
    expect(lines(disagreements)).toEqual([]);
    expect(requested).toBeGreaterThan(500);
  });

  test('Envoy accepts either value of a header that is sent twice, which is why a gap is printed', async () => {
    const [cell] = withMessages(tooled, ({ policy, rules }) => cellsOf(policy, rules)).filter(
      ({ part, mcp }) => part === undefined && JSON.stringify(mcp) === JSON.stringify(CALLING),
    ) as [Cell];
    expect(await side.ask(cell)).toBe('allowed');
    const named = (name: unknown) => side.ask({ ...cell, mcp: { ...cell.mcp, name: name as string } });
    expect(await named(['delete_page'])).toBe('refused: rules');
    expect(await named('read_page,delete_page')).toBe('refused: rules');
    expect(await named(['read_page', 'delete_page'])).toBe('allowed');
  });
});

test('without a JWT in the permissions about tasks, Envoy lets a message without an assertion pass', async () => {
  const open = (key: string, value: unknown) => {
    const { JWT: _, ...rest } = (value ?? {}) as { readonly JWT?: unknown };
    return key !== '' && JSON.stringify(rest).includes('tasks/get') && 'HTTP' in rest ? rest : value;
  };
  const [cell] = withMessages(tooled, ({ policy, rules }) => cellsOf(policy, rules)).filter(
    ({ part, mcp }) => part === 'credential' && JSON.stringify(mcp) === JSON.stringify(CALLING),
  ) as [Cell];
  const task = { ...cell, mcp: { ...CALLING, method: 'tasks/get', name: '1' } };
  for (const [change, expected] of [
    [undefined, /^refused/],
    [(entries: readonly unknown[]) => JSON.parse(JSON.stringify(entries, open)) as readonly unknown[], /^allowed$/],
  ] as const) {
    const { stage, side } = await start(tooled, change ? { change } : {});
    expect(await side.ask(cell)).toMatch(/^refused/);
    expect(await side.ask(task)).toMatch(expected);
    side.close();
    await stage.close();
  }
});

test('Envoy as Consul configures it does not match a list of roles, which is why the assertion has by_role', async () => {
  const asList = (text: string) => text.replace(/\["by_role","(\w+)"\],"Value":"person"/g, '["roles"],"Value":"$1"');
  const { stage, side } = await start(behind, { change: (entries) => JSON.parse(asList(JSON.stringify(entries))) });
  const cells = cellsOf(behind.policy, behind.rules).filter((cell) => cell.part === undefined);
  const by = async (rule: string) => side.ask(cells.find((cell) => cell.rule === rule) as Cell);
  expect(await by('wiki.example.com/status#1')).toBe('allowed');
  expect(await by('wiki.example.com/rest/token-auth/api/*#1')).toBe('allowed');
  expect(await by('wiki.example.com/*#1')).toBe('refused: rules');
  side.close();
  await stage.close();
});
