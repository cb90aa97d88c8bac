/** Compares Consul's documented rules on the rendered entries with the policy's rules as far as Consul sees them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Policy } from '../../../src/policy/checked/types.ts';
import { cells } from '../../../src/rules/compare/cells.ts';
import { compile } from '../../../src/rules/compile.ts';
import type { McpHeaders } from '../../../src/rules/tools.ts';
import type { MeshRule } from '../../../src/rules/types.ts';
import { consulProjection, serviceHost } from '../../../src/targets/consul/project.ts';
import { holds } from '../../harness/property.ts';
import { type Bearer, renderedEntries, storeWith, tokenOf } from '../../mesh/consul/ask.ts';
import { type Setup, type Token, verdictOf } from '../../mesh/consul/evaluate.ts';
import { isFor } from '../../mesh/consul/is-for.ts';
import { AGENTS, IDENTITIES, ROLES, SERVICES } from '../rules/arbitrary.ts';
import { consulPolicy, DOMAIN, spiffe } from '../targets/consul/samples.ts';
import { MESSAGES, withTools } from '../targets/tools.ts';

const NOW = 1_800_000_000;
const REFUSING: Setup = { trustDomain: DOMAIN, byDefault: 'deny', mutualTls: 'strict' };
const ALLOWING: Setup = { ...REFUSING, byDefault: 'allow' };

const BEARERS: readonly (Bearer | null)[] = [
  null,
  ...[[], ['reader'], ['editor', 'admin'], ROLES].flatMap((roles) =>
    SERVICES.flatMap((service) => IDENTITIES.map((as) => ({ roles, service, as }))),
  ),
  ...AGENTS.filter(({ actsFor }) => actsFor.length > 0).map(({ agent, actsFor }) => ({
    ...{ roles: actsFor, agent, service: 'wiki', as: 'default' },
  })),
  ...AGENTS.filter(({ alone }) => alone).map(({ agent }) => ({
    ...{ roles: [], agent, alone: true as const, service: 'wiki', as: 'default' },
  })),
];

/** A message as its headers arrive. */
function headersOf({ version, method, name }: McpHeaders): Readonly<Record<string, string>> {
  const all = { 'mcp-protocol-version': version, 'mcp-method': method, 'mcp-name': name };
  return Object.fromEntries(Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}

/** Requests that Consul decides differently from the rules, as far as it sees them. */
function disagreements(policy: Policy, messages: readonly McpHeaders[] = [{}]): readonly string[] {
  const rules = compile(policy);
  const store = storeWith(renderedEntries(policy, rules));
  const clients = ['ingress', ...IDENTITIES, 'stranger'];
  const tokens = new Map(BEARERS.map((it) => [it, it === null ? undefined : tokenOf(policy, it, NOW)]));
  return [...cells<MeshRule>(consulProjection(policy, rules), [])].flatMap(({ host, path, method, left }) => {
    const service = SERVICES.find((name) => serviceHost(name) === host.host) ?? '';
    const requested = { service, method: method.method, path: `${path.path}?q=/x`, now: NOW };
    return messages.flatMap((message) => {
      const headers = headersOf(message);
      const ask = (client: string, token: Token | undefined, setup: Setup) =>
        verdictOf(store, { ...requested, headers, client: spiffe(client), ...(token && { token }) }, setup).kind;
      return clients.flatMap((client) =>
        BEARERS.flatMap((bearer) => {
          const token = tokens.get(bearer);
          const right = left.some((rule) => rule.as === client && isFor(rule, bearer, message));
          const reported = ask(client, token, REFUSING);
          const open = reported === 'refused' && ask(client, token, ALLOWING) === 'allowed';
          if ((reported === 'allowed') === right && !open) return [];
          const who = `${client} ${JSON.stringify(bearer)} ${JSON.stringify(message)}`;
          return [`${who} ${method.method} ${service}${path.path}: ${reported}`];
        }),
      );
    });
  });
}

test('on any policy', () => {
  const property = fc.property(consulPolicy, (policy) => {
    expect(disagreements(policy)).toEqual([]);
  });
  holds(property, 50);
});

test('on any policy with tools, with messages of all kinds', () => {
  const property = fc.property(withTools(consulPolicy), (policy) => {
    expect(disagreements(policy, MESSAGES)).toEqual([]);
  });
  holds(property, 3);
});
