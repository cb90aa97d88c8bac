import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { meshgate } from './fake.ts';
import { played } from './played.ts';

/** Runs every example of docs/profiles.md with its files. `UPDATE_DOCS=1` writes the output again. */

const FILE = 'docs/profiles.md';
const text = readFileSync(FILE, 'utf8');
const policy = readFileSync('docs/examples/confluence.yaml', 'utf8');

async function filesOf() {
  const expanded = await meshgate(['render', '--target', 'policy', 'p.yaml'], { files: { 'p.yaml': policy } });
  expect([expanded.code, expanded.err]).toEqual([0, '']);
  return { 'confluence.yaml': policy, 'expanded.yaml': expanded.out };
}

test('every example prints what the document shows', async () => {
  const files = await filesOf();
  const { fresh, blocks } = await played(text, (args) => meshgate(args, { files }));
  expect(blocks).toBe(2);
  if (process.env.UPDATE_DOCS === '1') writeFileSync(FILE, fresh);
  else expect(fresh).toBe(text);
});

const BASE = `version: 1
gateway: { insecure_http: true }
providers:
  okta: { issuer: https://example.okta.com/oauth2/default, audiences: [api://p] }
roles:
  staff: { group: staff }
services:
  pastes: { url: https://pastes.internal:8443 }
`;

test('the profile of the document is used by its path, which is relative to the folder of the policy', async () => {
  const use = /^```yaml\n(profiles:\n {2}- \{ use: \.\/pastes[\s\S]*?)^```/m.exec(text)?.[1] ?? '';
  const profile = /^```yaml pastes\.yaml\n([\s\S]*?)^```/m.exec(text)?.[1] ?? '';
  const files = { 'policies/p.yaml': BASE + use, 'policies/pastes.yaml': profile };
  const rendered = await meshgate(['render', '--target', 'policy', 'policies/p.yaml'], { files });
  expect([rendered.code, rendered.err]).toEqual([0, '']);
  expect(rendered.out).toContain('/*: { service: pastes, allow: [pastes-users, { who: anyone, methods: [GET] }] }');
  const misplaced = await meshgate(['validate', 'policies/p.yaml'], {
    files: { 'policies/p.yaml': BASE + use, 'pastes.yaml': profile },
  });
  expect(misplaced.out).toContain('cannot read the profile policies/pastes.yaml: there is no such file');
});
