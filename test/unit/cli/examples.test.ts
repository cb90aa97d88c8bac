import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { meshesOf } from '../../../src/policy/checked/ingresses.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { profiles } from '../../harness/profiles.ts';
import { meshgate } from './fake.ts';

/** Every policy in docs/examples is valid, without advice, and renders for nginx and for each of its meshes. */

const FOLDER = 'docs/examples';
const names = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));

test('there are examples', () => {
  expect(names).toContain('three-meshes.yaml');
});

describe.each(names)('%s', (name) => {
  const text = readFileSync(`${FOLDER}/${name}`, 'utf8');
  const files = { [name]: text };
  const { policy } = parsePolicy(text, name, { profiles });

  test('is valid without advice, and its tests pass', async () => {
    const { code, out, err } = await meshgate(['validate', name], { files });
    expect([code, err]).toEqual([0, '']);
    expect(out).not.toMatch(/advice|insecure/);
    const tests = /(\d+) tests pass/.exec(out)?.[1];
    expect(Number(tests)).toBe(policy?.tests.length);
    expect(Number(tests)).toBeGreaterThanOrEqual(12);
  });

  test('renders for nginx', async () => {
    const { code, out } = await meshgate(['render', '--target', 'nginx', name], { files });
    expect(code).toBe(0);
    for (const host of policy?.hosts ?? []) expect(out).toContain(`==> hosts/${host.name}.conf <==`);
  });

  test.each(meshesOf(policy ?? {}).map((mesh) => [mesh.name, mesh.kind] as const))(
    'renders the mesh %s for %s, and the rendered files are proven',
    async (mesh, kind) => {
      const { code, written } = await meshgate(['render', '--target', kind, '--out', '/out', name], { files });
      expect(code).toBe(0);
      const rendered = Object.fromEntries(Object.entries(written).map(([path, file]) => [path.slice(1), file]));
      const given = ['prove', '--target', kind, '--mesh-name', mesh, name, 'out'];
      const proof = await meshgate(given, { files: { ...files, ...rendered } });
      expect([proof.code, proof.err]).toEqual([0, '']);
    },
  );
});
