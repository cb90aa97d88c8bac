/** `meshgate audit redecide`: lines on which the gateway decided otherwise than its policy. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { policyDigest, policyText } from '../../../src/rules/digest.ts';
import { lineText, refused } from '../audit/logged.ts';
import { sealLab } from '../audit/seal-lab.ts';
import { meshgate, POLICY } from './fake.ts';

const NEW = POLICY.replace('role: reader, methods: [GET]', 'role: reader, methods: [GET, POST]');
const digestOf = (text: string) => {
  const policy = parsePolicy(text, 'x').policy!;
  return policyDigest(policy, compile(policy));
};
const [old, fresh] = [digestOf(POLICY), digestOf(NEW)];
const text = (changed: Readonly<Record<string, unknown>> = {}) => lineText({ 'meshgate.policy': old, ...changed });
const post = { 'http.request.method': 'POST' };
const denied = { ...refused('role_missing', 'reader', 'wiki.example.com/*#1'), ...post };
const files = {
  'old.yaml': POLICY,
  'new.yaml': NEW,
  'not.json': '{"rules":[]}',
  'right.log': `${text()}\n${text(denied)}\n${text(refused('token_expired', '', ''))}\n`,
  'both.log': `${text(denied)}\n${text({ ...post, 'meshgate.policy': fresh })}\n`,
  'forged.log': `${text({ ...denied, 'meshgate.reason': '' })}\n${text()}\n`,
  'text.log': `${text()}\nstarted\n`,
};
/** When the request of each line was decided: its time without its duration. */
const at = '2026-03-04T10:15:01Z';
const run = (...args: readonly string[]) => meshgate(['audit', 'redecide', ...args], { files });

test.each([
  ['a refused credential', refused('token_expired', '', ''), '192.0.2.80:8443'],
  ['a missing role', denied, '192.0.2.80:8443'],
  ['a used-up budget', refused('limit_exceeded', 'reader', 'wiki.example.com/*#1'), '192.0.2.80:8443'],
  ['a path without a route', { ...refused('path_not_canonical', '', ''), 'http.route': '-' }, '192.0.2.80:8443'],
  ['nothing', { ...refused('', '', ''), 'http.route': '-' }, 'unix:/run/meshgate/check.sock : 192.0.2.80:8443'],
])('names a line that was refused because of %s, and reached a service', async (_, fields, upstream) => {
  const log = `${text({ ...fields, 'meshgate.upstream': upstream })}\n`;
  const ran = await meshgate(['audit', 'redecide', '--policy', 'old.yaml', 'a.log'], {
    files: { ...files, 'a.log': log },
  });
  expect(ran.code, ran.out).toBe(1);
  expect(ran.out).toContain(`the gateway: sent the request to ${upstream}`);
  const alone = `${text(fields)}\n`;
  const local = { ...files, 'a.log': alone };
  expect((await meshgate(['audit', 'redecide', '--policy', 'old.yaml', 'a.log'], { files: local })).code).toBe(0);
});

test('keeps a limited number of policies that are not known, and counts the lines of others', async () => {
  const lines = Array.from({ length: 1005 }, (_, at) => text({ 'meshgate.policy': `invented-${at}` }));
  const given = { ...files, 'a.log': `${lines.join('\n')}\n` };
  const args = ['audit', 'redecide', '--policy', 'old.yaml', 'a.log'];
  const { code, out } = await meshgate(args, { files: given });
  expect(code).toBe(3);
  expect(out).toContain('   and 5 more lines of other policies that are not known\n');
  const { unknownPolicies, moreUnknownLines } = JSON.parse(
    (await meshgate([...args, '--format', 'json'], { files: given })).out,
  );
  expect([unknownPolicies.length, moreUnknownLines]).toEqual([1000, 5]);
});

test('a line whose time is beyond all dates is printed', async () => {
  const log = `${text({ duration: 1e300 })}\n`;
  const ran = await meshgate(['audit', 'redecide', '--policy', 'old.yaml', 'a.log'], {
    files: { ...files, 'a.log': log },
  });
  expect(ran).toMatchObject({ code: 0, out: expect.stringContaining('decided beyond all dates') });
});

test('counts the lines that the gateway decided as its policy does', async () => {
  const { code, out } = await run('--policy', 'old.yaml', 'right.log');
  expect(code).toBe(0);
  expect(out).toBe(`3 lines: 2 decided as the gateway did, 0 otherwise
1 not decided by rules: the credential was refused before any rule, and no line contains a credential
policy ${old}: 3 lines, right.log:1 to right.log:3, decided ${at} to ${at}
`);
});

test('decides each line by the policy of its digest', async () => {
  const { code, out } = await run('--policy', 'old.yaml', '--policy', 'new.yaml', 'both.log');
  expect(code).toBe(0);
  expect(out).toBe(`2 lines: 2 decided as the gateway did, 0 otherwise
policy ${old}: 1 line, both.log:1, decided ${at}
policy ${fresh}: 1 line, both.log:2, decided ${at}
`);
});

test('names a line whose reason was removed', async () => {
  const { code, out } = await run('--policy', 'old.yaml', 'forged.log');
  expect(code).toBe(1);
  expect(out).toBe(`no forged.log:1: 9795ce5ecb841cd57231e9be6a3e3b4b POST https://wiki.example.com/rest/page (reader)
   the gateway: allowed by wiki.example.com/*#1, to wiki
   the policy:  refused: role_missing, nearest rule wiki.example.com/*#1
2 lines: 1 decided as the gateway did, 1 otherwise
policy ${old}: 2 lines, forged.log:1 to forged.log:2, decided ${at} to ${at}
`);
});

test('names the digest of a policy that is not given, and exits with 3', async () => {
  const { code, out } = await run('--policy', 'old.yaml', 'both.log');
  expect(code).toBe(3);
  expect(out).toContain(`no both.log:2: no policy has the digest ${fresh} (1 line): give it with --policy\n`);
});

test('names a line that cannot be read, and exits with 3', async () => {
  const { code, out } = await run('--policy', 'old.yaml', 'text.log');
  expect(code).toBe(3);
  expect(out).toContain('no text.log:2: not a JSON object\n');
});

type Compiled = { readonly rules: readonly object[] };

describe('a compiled policy that is not valid', () => {
  const compiled = policyText(parsePolicy(POLICY, 'x').policy!, compile(parsePolicy(POLICY, 'x').policy!));
  test.each([
    ['a rule without an audience', (it: Compiled) => ({ ...it, rules: [{ ...it.rules[0], who: null }] })],
    ['a host without routes', (it: Compiled) => ({ ...it, hosts: [{ name: 'wiki.example.com' }] })],
    ['a host without a name', (it: Compiled) => ({ ...it, hosts: [{ routes: [] }] })],
  ])('%s: the line is named, and the exit code is 3', async (_name, change) => {
    const policy = JSON.stringify(change(JSON.parse(compiled)));
    const digest = createHash('sha256').update(policy).digest('hex').slice(0, 32);
    const { code, out, err } = await meshgate(['audit', 'redecide', '--policy', 'p.json', 'a.log'], {
      files: { 'p.json': policy, 'a.log': `${lineText({ 'meshgate.policy': digest })}\n` },
    });
    expect([code, err]).toEqual([3, '']);
    expect(out).toContain(`no a.log:1: the policy ${digest} is not valid: `);
  });

  test.each(['{"rules":[null],"hosts":[],"providers":[],"roles":[],"agents":[]}', '{"rules":[],"hosts":[null]}'])(
    '%s is refused as a file',
    async (policy) => {
      const { code, err } = await meshgate(['audit', 'redecide', '--policy', 'p.json', 'a.log'], {
        files: { 'p.json': policy, 'a.log': '' },
      });
      expect([code, err]).toEqual([2, expect.stringContaining('p.json: not a compiled policy')]);
    },
  );
});

test('keeps only the first of many findings, and counts the others', async () => {
  const forged = `${text({ ...denied, 'meshgate.reason': '' })}\n`.repeat(10_001);
  const many = { 'old.yaml': POLICY, 'a.log': `${'\n'.repeat(10_002)}${forged}` };
  const args = ['audit', 'redecide', '--policy', 'old.yaml', 'a.log'];
  const { code, out } = await meshgate(args, { files: many });
  expect(code).toBe(1);
  expect(out).toContain('\n   and 1 more line decided otherwise\n');
  expect(out).toContain('\n   and 9982 more lines that cannot be read\n');
  expect(out).toContain('10001 lines: 0 decided as the gateway did, 10001 otherwise\n');
  const json = JSON.parse((await meshgate([...args, '--json'], { files: many })).out);
  expect(json).toMatchObject({ moreDifferences: 1, moreInvalid: 2 });
  expect([json.differences.length, json.invalid.length]).toEqual([10_000, 10_000]);
});

test('the result as JSON', async () => {
  const { code, out } = await run('--json', '--policy', 'new.yaml', '--policy', 'old.yaml', 'forged.log');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    lines: 2,
    same: 1,
    differences: [
      { at: 'forged.log:1', digest: old, policy: 'refused: role_missing, nearest rule wiki.example.com/*#1' },
    ],
    unknownPolicies: [],
    invalid: [],
  });
});

describe('with a sealed log', () => {
  /** Seals lines and policies with the real sealer, and returns the files of the log. */
  const sealed = (lines: readonly string[], policies: readonly string[]) => sealedInTurn([lines, policies]);

  /** Seals lines with their policies, one pair after the other. */
  async function sealedInTurn(
    ...turns: readonly (readonly [lines: readonly string[], policies: readonly string[]])[]
  ): Promise<Record<string, Uint8Array>> {
    const lab = sealLab();
    for (const [lines, policies] of turns) {
      for (const policy of policies) {
        const parsed = parsePolicy(policy, 'x').policy!;
        const compiled = policyText(parsed, compile(parsed));
        writeFileSync(join(lab.settings.policies, `policy-${digestOf(policy)}.json`), compiled);
      }
      lab.write(lines);
      await (await lab.open()).end();
    }
    const { folder } = lab.settings;
    const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((it) => it.isFile());
    const paths = names.map((it) => join(it.parentPath, it.name));
    return Object.fromEntries(paths.map((path) => [`/audit${path.slice(folder.length)}`, readFileSync(path)]));
  }
  const redecided = (more: Record<string, Uint8Array>, ...args: readonly string[]) =>
    meshgate(['audit', 'redecide', '--log-folder', '/audit', ...args], { files: { ...files, ...more } });
  const many = [...Array.from({ length: 700 }, () => text()), text({ ...post, 'meshgate.policy': fresh })];

  test('decides its lines by its own policies', async () => {
    const { code, out } = await redecided(await sealed(many, [POLICY, NEW]));
    expect(code).toBe(0);
    expect(out).toMatch(/^701 lines: 701 decided as the gateway did, 0 otherwise\n/);
    expect(out).toContain(`policy ${old}: 700 lines, /audit:3 to /audit:702, decided ${at} to ${at}\n`);
  });

  test('does not decide a line by a policy that was sealed after it', async () => {
    const later = text({ ...post, 'meshgate.policy': fresh });
    const log = await sealedInTurn([[text(), later], [POLICY]], [[later], [NEW]]);
    const { code, out } = await redecided(log);
    expect(code).toBe(3);
    expect(out).toMatch(
      new RegExp(
        `^no /audit:3: the policy ${fresh} was not sealed before this line, or --policy does not name it \\(1 line\\)$`,
        'm',
      ),
    );
    expect(out).toContain('3 lines: 2 decided as the gateway did, 0 otherwise\n');
  });

  test('with --policy, decides by these policies of the log alone', async () => {
    const log = await sealed(many, [POLICY, NEW]);
    const { code, out } = await redecided(log, '--policy', 'old.yaml');
    expect(code).toBe(3);
    expect(out).toContain(`the policy ${fresh} was not sealed before this line, or --policy does not name it (1 line)`);
    expect((await redecided(log, '--policy', 'old.yaml', '--policy', 'new.yaml')).code).toBe(0);
    const unsealed = await redecided(await sealed(many, [POLICY]), '--policy', 'old.yaml', '--policy', 'new.yaml');
    expect(unsealed.out).toContain(`no policy with the digest ${fresh} is in the log (1 line)`);
  });

  test('says that two policies alternate, and not that one followed the other at a reload', async () => {
    const by = (digest: string, second: number) =>
      text({ 'meshgate.policy': digest, time: `2026-03-04T10:15:${String(second).padStart(2, '0')}+00:00` });
    const follow = [by(old, 0), by(old, 20), by(fresh, 19), by(fresh, 50)];
    const followed = await redecided(await sealed(follow, [POLICY, NEW]));
    expect(followed.out).not.toContain('alternates');
    const alternating = await redecided(await sealed([...follow, by(old, 31)], [POLICY, NEW]));
    expect(alternating.code).toBe(0);
    expect(alternating.out).toContain(`it alternates with ${fresh}, which also decided in this time`);
    expect(alternating.out).toContain(`it alternates with ${old}, which also decided in this time`);
  });

  test('decides the lines of files by the policies of the log', async () => {
    const log = await sealed(many, [POLICY, NEW]);
    expect((await redecided(log, 'both.log')).code).toBe(0);
    expect((await redecided(log, 'forged.log')).code).toBe(1);
  });

  test('names a line by the index of its entry, and a line that nginx did not write', async () => {
    const { code, out } = await redecided(
      await sealed([text(), text({ ...denied, 'meshgate.reason': '' }), '{"meshgate.leaf":"key"}'], [POLICY]),
    );
    expect(code).toBe(1);
    expect(out).toMatch(/^no \/audit:\d+: 9795ce5ecb841cd57231e9be6a3e3b4b POST /);
    expect(out).toMatch(/^no \/audit:\d+: nginx did not write this line: .* \(foreign\)$/m);
  });

  test('decides no line that is longer than nginx writes lines, neither its entry nor the line of the file', async () => {
    const padded = text({ ...denied, 'meshgate.reason': '' }).replace('{', `{${' '.repeat(65_535)}`);
    const log = await sealed([text(), padded], [POLICY]);
    const folder = await redecided(log);
    expect(folder.code).toBe(3);
    expect(folder.out).toMatch(
      /^no \/audit:3: nginx did not write this line of \d{5} bytes, .* \(long\): [0-9a-f]{64}$/m,
    );
    const given = { ...files, 'padded.log': `${text()}\n${padded}\n` };
    const file = await meshgate(['audit', 'redecide', '--policy', 'old.yaml', 'padded.log'], { files: given });
    expect(file.code).toBe(3);
    expect(file.out).toContain('no padded.log:2: it has more than 65535 bytes, and nginx writes no such line\n');
  });

  test('reads the entries that verify has verified, and no others beside them', async () => {
    const log = await sealed([text()], [POLICY]);
    const [name, bundle] = Object.entries(log).find(([path]) => path.includes('tile/entries'))!;
    const size = Number(/\/(\d+)$/.exec(name)![1]);
    const forged = Buffer.from(text({ ...denied, 'meshgate.reason': '' }));
    const more = Buffer.concat([
      bundle,
      ...Array(256 - size).fill(Buffer.concat([Buffer.from([forged.length >> 8, forged.length & 255]), forged])),
    ]);
    for (const beside of [name.replace(/\.p\/\d+$/, ''), name.replace(/\d+$/, '255')]) {
      const { code, out } = await redecided({ ...log, [beside]: more });
      expect(code).toBe(0);
      expect(out).toMatch(/^1 line: 1 decided as the gateway did, 0 otherwise\n/);
    }
  });

  test('does not take a policy that lacks its digest', async () => {
    const log = await sealed([text()], [POLICY]);
    const [name, bundle] = Object.entries(log).find(([path]) => path.includes('tile/entries'))!;
    const changed = Buffer.from(Buffer.from(bundle).toString('latin1').replace('readers', 'writers'), 'latin1');
    const { code, out } = await redecided({ ...log, [name]: changed });
    expect(code).toBe(3);
    expect(out).toContain(`the policy ${old} in the log does not have this digest`);
    expect(out).toContain(`no policy with the digest ${old} is in the log (1 line)`);
  });

  test('says that a folder has no valid log', async () => {
    const log = await sealed([text()], [POLICY]);
    const [name, bundle] = Object.entries(log).find(([path]) => path.includes('tile/entries'))!;
    const { code, err } = await redecided({ ...log, [name]: bundle.slice(0, 100) });
    expect(code).toBe(2);
    expect(err).toContain('/audit is no valid transparency log: ');
    const none = await redecided({});
    expect(none.code).toBe(2);
    expect(none.err).toBe(
      'meshgate: /audit has no file checkpoint: name the folder of the transparency log with --log-folder\n',
    );
  });

  test('needs files of the log or a folder', async () => {
    expect((await run('--policy', 'old.yaml')).code).toBe(2);
  });
});

test('a file that is no compiled policy is an error', async () => {
  const { code, err } = await run('--policy', 'not.json', 'right.log');
  expect(code).toBe(2);
  expect(err).toContain('not.json: not a compiled policy');
});
