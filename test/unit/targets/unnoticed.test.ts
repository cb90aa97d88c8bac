/**
 * Changes, drops and empties every field of every rendered file, for policies with tools, networks and several meshes:
 * `prove` does not say yes, unless the field is listed with a reason. docs/prove.md has the same list.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { MeshKind, Policy } from '../../../src/policy/checked/types.ts';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { atMesh } from '../../../src/rules/decide/at-ingress.ts';
import type { Rule } from '../../../src/rules/types.ts';
import { meshTarget } from '../../../src/targets/index.ts';
import { mutantsOf } from '../../mesh/matrix/mutants.ts';
import { prover } from './members.ts';
import { JWKS, policyText } from './members-policy.ts';
import { UNNOTICED } from './unnoticed.ts';

const KINDS: readonly MeshKind[] = ['istio', 'envoy', 'linkerd', 'consul'];

function parsed(text: string): Policy {
  const { policy, errors } = parsePolicy(text, 'meshgate.yaml');
  if (policy === undefined) throw new Error(errors.map((it) => formatError(it)).join('\n'));
  return policy;
}

/** Agents with tools, and roles that depend on a network. */
function withTools(kind: MeshKind): Policy {
  const office = '{ network: [10.0.0.0/8] }';
  const roles = `reader: { group: readers }, editor: { group: editors }, office: ${office}, inside: { all: [{ group: readers }, ${office}] }`;
  const hosts = `
  w.test:
    /*: { service: wiki, allow: [{ role: reader, methods: [GET] }, editor, { agent: bot, methods: [POST], tools: [read.page, "search_*", "se*"] }, { agent: all, methods: [POST], tools: ["*"] }] }
    /in/*: { service: wiki, allow: [inside, { role: office, methods: [GET] }, { agent: bot, methods: [POST], tools: [a] }, { agent: bot, methods: [PUT] }, editor] }
    /b: { service: wiki, allow: [{ role: editor, methods: [DELETE] }] }
  p.test: { /*: { service: pages, allow: [anyone] } }`;
  const agent = (name: string) => `${name}: { match: { client_id: ${name} }, acts_for: [editor], bound: none }`;
  return parsed(policyText(kind, roles, hosts, ['pages'], `agents: { ${agent('bot')}, ${agent('all')} }`));
}

/** A policy with two meshes of a kind, as the first one sees it. */
function ofSeveral(kind: MeshKind): { policy: Policy; rules: readonly Rule[] } {
  const text = policyText(kind, 'staff: { group: staff }, beta: { group: beta }', HOSTS_OF_TWO, ['pages']);
  const lines = text.split('\n');
  const from = lines.indexOf('mesh:');
  const own = lines.slice(from + 1, from + 5).map((it) => `  ${it}`);
  // The second mesh has a trust domain of its own, and files of its own.
  const other = own.map((it) => it.replace('/run/gateway', '/run/south').replace(/example\.org|1{8}-/g, 'south-$&'));
  const both = ['meshes:', '  north:', ...own, '  south:', ...other];
  const entire = [...lines.slice(0, from), ...both, ...lines.slice(from + 5)].join('\n');
  const policy = parsed(
    entire
      .replace('wiki: { authority', 'wiki: { mesh: north, authority')
      .replace('pages: { authority', 'pages: { mesh: south, authority'),
  );
  return atMesh({ policy, rules: compile(policy) }, 'north');
}

const HOSTS_OF_TWO = `
  w.test:
    /*: { service: wiki, allow: [{ role: beta, service: pages }, staff] }
    /pages/*: { service: pages, allow: [beta] }
    /edit/*: { service: wiki, allow: [{ role: staff, methods: [POST] }] }`;

/** The changes of rendered files for which `prove` says yes. */
function provedChanges(kind: MeshKind, policy: Policy, rules: readonly Rule[]) {
  const target = meshTarget(kind);
  const options = target.takesJwks ? { assertionJwks: JWKS } : {};
  const { files } = target.emit(policy, rules, options);
  const objects = Object.entries(files)
    .filter(([file]) => file !== 'kustomization.yaml')
    .flatMap(([file, text]) =>
      parseAllDocuments(text).map((it, index) => ({ name: `${file}#${index}`, value: it.toJS() as object })),
    );
  const isProved = prover(kind, policy, options, rules);
  expect(isProved(objects.map(({ value }) => value))).toBe(true);
  const all = mutantsOf(objects).mutants;
  return { count: all.length, proved: all.filter((it) => isProved(it.version.map(({ value }) => value))) };
}

describe.each(KINDS)('%s', (kind) => {
  const used = new Set<string>();

  test.each([
    ['tools and networks', () => ({ policy: withTools(kind), rules: compile(withTools(kind)) })],
    ['several meshes', () => ofSeveral(kind)],
  ])('no field changes unnoticed for a policy with %s, unless it is listed', (_, make) => {
    const { policy, rules } = make();
    const { count, proved } = provedChanges(kind, policy, rules);
    expect(count).toBeGreaterThan(100);
    for (const { object, path, change, was } of proved) {
      const field = `${object}/${path}`;
      const listed = UNNOTICED[kind].find((it) => it.at.test(field) && (it.was?.test(JSON.stringify(was)) ?? true));
      expect([field, change, was, listed?.field]).toEqual([field, change, was, expect.any(String)]);
      used.add(listed?.field ?? '');
    }
  });

  test('every listed field can change unnoticed, and docs/prove.md names it with the reason', () => {
    const docs = readFileSync(new URL('../../../docs/prove.md', import.meta.url), 'utf8');
    expect([...used].sort()).toEqual(UNNOTICED[kind].map(({ field }) => field).sort());
    for (const { field, why } of UNNOTICED[kind]) expect(docs).toContain(`| \`${field}\` | ${why} |`);
  });
});
