import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { meshgate } from './fake.ts';
import { played } from './played.ts';

/** Runs every example of docs/teams.md with its files. `UPDATE_DOCS=1` writes the output again. */

const FILE = 'docs/teams.md';
const FOLDER = 'docs/examples/teams';
const text = readFileSync(FILE, 'utf8');
const names = readdirSync(FOLDER, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.yaml'));
const own = Object.fromEntries(names.map((name) => [name, readFileSync(`${FOLDER}/${name}`, 'utf8')]));
const policy = own['meshgate.yaml'] as string;
const block = (info: string) => new RegExp(`^\`\`\`${info}\n([\\s\\S]*?)^\`\`\``, 'm').exec(text)?.[1] ?? '';

const files = {
  ...own,
  './meshgate.yaml': policy,
  './teams/pay.yaml': own['teams/pay.yaml'] as string,
  ...Object.fromEntries(names.map((name) => [`./${name}`, own[name] as string])),
  'attempt.yaml': policy.replace('file: teams/pay.yaml', 'file: attempts/pay.yaml'),
  'attempts/pay.yaml': block('yaml attempts/pay.yaml'),
  'next.yaml': policy
    .replace('file: teams/pay.yaml', 'file: next/pay.yaml')
    .replace('may: [networks]', 'may: [networks, proxy]'),
  'next/pay.yaml': own['teams/pay.yaml']
    ?.replace('[pay.clerk, { role: staff, methods: [GET] }]', '[pay.clerk]')
    .replace(
      'as: { roles: [staff] }, GET: https://pay.example.com/, expect: allowed',
      'as: { roles: [staff] }, GET: https://pay.example.com/, expect: role_missing',
    ) as string,
};

test('every example prints what the document shows', async () => {
  const { fresh, blocks } = await played(text, (args) => meshgate(args, { files }));
  expect(blocks).toBe(5);
  const shown = fresh.replace(
    /^```yaml teams\/pay\.yaml\n[\s\S]*?^```/m,
    () => `\`\`\`yaml teams/pay.yaml\n${own['teams/pay.yaml']}\`\`\``,
  );
  if (process.env.UPDATE_DOCS === '1') writeFileSync(FILE, shown);
  else expect(shown).toBe(text);
});

test('the example has 40 hosts and 12 teams, and the document shows its grant for team pay', async () => {
  const { code, out } = await meshgate(['validate'], { files });
  expect(code).toBe(0);
  expect(out).toMatch(/^meshgate\.yaml: valid: 40 hosts, .* 12 teams; \d+ tests pass$/m);
  const grant = /^ {2}pay: .*\n((?: {4}.*\n)+)/m.exec(policy)?.[1];
  expect(text).toContain(`  pay:\n${grant}`);
});

test.each(['nginx', 'istio'])('the example renders for %s, with the hosts of all teams', async (target) => {
  const { code, out, err } = await meshgate(['render', '--target', target], {
    files: { ...files, '/etc/resolv.conf': 'nameserver 10.0.0.10\n' },
  });
  expect(code).toBe(0);
  expect(err).not.toMatch(/services\.|teams\//);
  const hosts = [...policy.matchAll(/^ {4}hosts: \[(.*)\]$/gm)].flatMap(([, list = '']) => list.split(', '));
  expect(hosts).toHaveLength(38);
  const services = names.flatMap((name) =>
    [...(own[name] as string).matchAll(/authority: ([\w.-]+)/g)].map(([, it = '']) => it),
  );
  expect(services).toHaveLength(40);
  for (const name of target === 'nginx' ? hosts : services) expect(out).toContain(name);
});

test.each(names.filter((name) => name.startsWith('teams/')))(
  '%s is valid without the files of other teams',
  async (name) => {
    const team = name.replace(/^teams\/|\.yaml$/g, '');
    const alone = { './meshgate.yaml': policy, [`./${name}`]: own[name] as string };
    const { code, out } = await meshgate(['validate', '--team', team], { files: alone });
    expect(out).toMatch(new RegExp(`^meshgate\\.yaml for team ${team}: valid: `, 'm'));
    expect(code).toBe(0);
  },
);
