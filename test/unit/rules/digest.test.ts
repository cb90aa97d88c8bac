import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isMap, parseDocument, visit } from 'yaml';
import { parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { policyDigest, policyText } from '../../../src/rules/digest.ts';
import { nginxOptions } from '../../../src/targets/nginx/options.ts';
import { renderNginx } from '../../../src/targets/nginx/render.ts';

const full = readFileSync(new URL('../policy/fixtures/full.yaml', import.meta.url), 'utf8');

interface Compiled {
  readonly digest: string;
  /** All rendered files, without the digest in them. */
  readonly rendered: string;
}

/** The digest of a policy and what is rendered from it; undefined if the policy is not valid. */
function compiled(text: string, file = 'meshgate.yaml'): Compiled | undefined {
  const { policy } = parsePolicy(text, file);
  if (policy === undefined) return undefined;
  const rules = compile(policy);
  const digest = policyDigest(policy, rules);
  const { files } = renderNginx(policy, rules, nginxOptions({ dir: '/etc/nginx/meshgate', resolver: ['192.0.2.53'] }));
  return { digest, rendered: JSON.stringify(files).replaceAll(digest, '') };
}

const before = compiled(full)!;

test('is 32 hexadecimal digits', () => {
  expect(before.digest).toMatch(/^[0-9a-f]{32}$/);
});

test('is in the access log, and in what readyz reads', () => {
  const { policy } = parsePolicy(full, 'meshgate.yaml');
  const { files } = renderNginx(policy!, compile(policy!), nginxOptions({ dir: '/etc/nginx/meshgate' }));
  expect(files['log.conf']).toContain(`"meshgate.policy":"${before.digest}"`);
  expect(files['watched.js']).toContain(`"policy": "${before.digest}"`);
});

test('is the beginning of the SHA-256 of the compiled policy, which is a file for the sealer', () => {
  const { policy } = parsePolicy(full, 'meshgate.yaml');
  const { files } = renderNginx(policy!, compile(policy!), nginxOptions({ dir: '/etc/nginx/meshgate' }));
  const text = files[`audit/policy-${before.digest}.json`] ?? '';
  expect(createHash('sha256').update(text).digest('hex').slice(0, 32)).toBe(before.digest);
  expect(JSON.parse(text).gateway.name).toBe('edge');
  expect(text).not.toContain('meshgate.yaml');
});

test('the compiled policy has the rules of a route in the order that decides', () => {
  const { policy } = parsePolicy(full, 'meshgate.yaml');
  const [rule] = compile(policy!);
  const rules = Array.from({ length: 12 }, (_, i) => ({ ...rule!, id: `${rule!.route}#${i + 1}` }));
  const ids = JSON.parse(policyText(policy!, rules)).rules.map(({ id }: { id: string }) => id.split('#')[1]);
  expect(ids).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12']);
});

describe('does not change with', () => {
  test('the name of the instance, so that replicas have one digest', () => {
    const other = compiled(full.replace('instance: edge-0', 'instance: edge-1'))!;
    expect(other.rendered).not.toBe(before.rendered);
    expect(other.digest).toBe(before.digest);
  });

  test('comments, blank lines and the name of the file', () => {
    expect(compiled(`# first\n\n${full.replaceAll('\n', ' # x\n\n')}`, 'elsewhere/other.yaml')).toEqual(before);
  });

  test('the order of hosts, routes, services and identities', () => {
    const document = parseDocument(full);
    const turn = (...path: string[]) => {
      const map = document.getIn(path);
      if (!isMap(map) || map.items.length < 2) throw new Error(`${path} has no order`);
      map.items.reverse();
    };
    for (const path of [['hosts'], ['services'], ['mesh', 'identities']]) turn(...path);
    for (const { key, value } of (document.get('hosts') as { items: { key: unknown; value: unknown }[] }).items) {
      if (isMap(value) && value.items.length > 1) turn('hosts', String((key as { value: unknown }).value));
    }
    expect(compiled(document.toString())?.digest).toBe(before.digest);
  });

  test('the tests of the policy', () => {
    const document = parseDocument(full);
    expect(document.delete('tests')).toBe(true);
    expect(compiled(document.toString())?.digest).toBe(before.digest);
  });
});

/** Policies with one changed value: each ninth of the fixture. Rendering all of them takes too long. */
function changes(): readonly string[] {
  const texts: string[] = [];
  let count = 0;
  visit(parseDocument(full), { Scalar: () => void count++ });
  for (let n = 0; n < count; n += 9) {
    for (const change of [
      (value: unknown) => (typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : `${value}x`),
      (value: unknown) => (typeof value === 'string' ? value.replace(/\d+/, (it) => String(Number(it) + 1)) : value),
    ]) {
      const document = parseDocument(full);
      let i = 0;
      visit(document, {
        Scalar(_, node) {
          if (i++ === n) node.value = change(node.value);
        },
      });
      texts.push(document.toString());
    }
  }
  return [...new Set(texts)];
}

test('changes with each value that changes what is rendered', () => {
  const others = changes().flatMap((text) => compiled(text) ?? []);
  // Replicas differ in the name of the instance, and share the digest.
  const ofAllReplicas = (rendered: string) => rendered.replace(/\/meshgate\/edge-\w+/g, '');
  const different = others.filter(({ rendered }) => ofAllReplicas(rendered) !== ofAllReplicas(before.rendered));
  expect(different.length).toBeGreaterThan(8);
  expect(different.filter(({ digest }) => digest === before.digest)).toEqual([]);
});

test.each([
  ['providers', 'the sign-in page lists them in this order'],
  ['roles', 'headers list them in this order'],
  ['agents', 'the first that matches acts'],
])('changes with the order of %s, because %s', (section) => {
  const two = full
    .replace(
      /^agents:$/m,
      'agents:\n  first: { match: { client_id: first, provider: okta }, acts_for: [staff], bound: none }',
    )
    .replace('[0oa1, 0oa2]', '[0oa1, first]')
    .replace('- { agent: wiki-pages, methods: [GET] }', '$&\n        - { agent: first, methods: [GET] }');
  const document = parseDocument(two);
  const map = document.get(section);
  if (!isMap(map) || map.items.length < 2) throw new Error(`${section} has no order`);
  map.items.reverse();
  const digests = [two, document.toString()].map((text) => compiled(text)!.digest);
  expect(digests[0]).not.toBe(digests[1]);
});
