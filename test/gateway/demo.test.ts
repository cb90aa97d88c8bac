/** `make up` and docs/demo.md, followed to the letter, on ports and in a folder of their own. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { docker } from '../harness/docker.ts';
import { until } from '../harness/until.ts';

const offset = 21000;
const folder = mkdtempSync(join(tmpdir(), 'meshgate-demo-'));
const env = { ...process.env, MESHGATE_DEMO_OFFSET: String(offset), MESHGATE_DEMO_DIR: folder };
const guide = readFileSync('docs/demo.md', 'utf8');

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, ...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(command, args, { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

const demo = (name: 'up' | 'down') => run(process.execPath, `test/demo/${name}.ts`);
/** Runs a line as it is typed, with the demo's variables. */
const typed = (line: string) => run('bash', '-c', `. ${folder}/.demo.env; ${line}`);
const left = () => docker('ps', '-aq', '--filter', `label=meshgate-demo-${offset}`);

const withCommand = (line: string) => line.replace(/^npx meshgate/, `${process.execPath} dist/cli.js`);
/** A line of the guide, for this demo. */
const here = (line: string) => withCommand(line.replaceAll('meshgate-demo-', `meshgate-demo-${offset}-`));
/** The lines of the guide that rewrite the log: they copy it, verify the copy, forge the log, verify the forged log. */
const rewriting = guide
  .slice(guide.indexOf('\n## Rewrite the log'), guide.indexOf('\n## Change it'))
  .split('```')
  .filter((_, i) => i % 2 === 1)
  .map((block) => block.trim().split('\n').map(here));

/** What make up has printed. */
let report = '';

beforeAll(() => demo('down'));
afterAll(async () => {
  await demo('down');
  for (const path of ['/tmp/older', '/tmp/older.log', '/tmp/forged']) rmSync(path, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
});

test('names a port that is in use in one line, and the program that uses it if that is known', async () => {
  const other = createServer().listen(9443 + offset, '127.0.0.1');
  // State: the port is in use.
  await once(other, 'listening');
  const { code, stderr } = await demo('up');
  other.close();
  expect(code).toBe(1);
  expect(stderr.trim().split('\n').at(-1)).toMatch(/^demo: port 30443, which the OpenID provider needs, is taken by /);
});

test('rejects an offset that is not a number in one line', async () => {
  const { code, stderr } = await run('env', 'MESHGATE_DEMO_OFFSET=abc', process.execPath, 'test/demo/up.ts');
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'demo: MESHGATE_DEMO_OFFSET is "abc": a number from 0 to 55000 is wanted\n',
  });
});

test('the eight commands print what the guide shows, also when they run again', async () => {
  for (const note of [/started/, /runs already/]) {
    const { code, stdout, stderr } = await demo('up');
    expect(code, stderr).toBe(0);
    report = stdout;
    expect(stderr.match(new RegExp(note, 'g'))?.length, stderr).toBe(7);
    const printed = [...stdout.matchAll(/^# .*; the answer is (\d{3}) with (\S+): .*\n(curl .*)$/gm)];
    expect(stdout).toContain(
      `open https://wiki.localhost:${8443 + offset}/ and sign in as ada (editor) or ben (reader)`,
    );
    expect(printed.length).toBe(8);
    if (note.source === 'started') for (const line of rewriting[0]!) expect((await typed(line)).code, line).toBe(0);
    expect(new Set(printed.map(([, status, holds]) => `${status} ${holds}`)).size, 'different answers').toBe(8);
    for (const [, status, holds, line] of printed) {
      const answer = await typed(line!);
      expect(answer.stdout.trim().split('\n').at(-1), line).toBe(status);
      expect(answer.stdout, line).toContain(holds);
      expect(guide, 'the guide has the same lines').toContain(line);
    }
  }
}, 600_000);

test('the commands about the sealed log print what the guide shows', async () => {
  const printed = [...report.matchAll(/^# .*\n((?:docker exec|npx meshgate) .*)$/gm)].map(([, line]) => line!);
  const inGuide = (line: string) => line.replaceAll(`meshgate-demo-${offset}`, 'meshgate-demo');
  expect(printed.map(inGuide)).toEqual(
    guide.split('\n## Rewrite the log')[0]!.match(/^(?:docker exec|npx meshgate) .*(?:audit|<\().*$/gm),
  );
  // State: the requests of the test before are sealed.
  const sealed = async () => !(await typed(printed[0]!)).stdout.includes('not sealed yet');
  await until(sealed, { what: 'the seal of the last request' });
  const answers: string[] = [];
  for (const line of printed) {
    const answer = await typed(withCommand(line));
    answers.push(`${answer.code} ${answer.stdout}`);
  }
  expect(answers).toEqual([
    expect.stringMatching(
      /^0 yes: wiki\.localhost\/meshgate\/gw-0 has \d+ sealed entries; (\d+) of \1 lines are as they were sealed\nwitness witness\.internal\/demo: saw \d+ entries at /,
    ),
    expect.stringMatching(/^1 (no stdin:\d+: altered: .*\n)+no: /),
    expect.stringMatching(/^0 (\d+) lines: \1 decided as the gateway did/),
    '0 ',
    expect.stringMatching(/^0 yes: this line is entry \d+ .*\n.* by ben of demo: allowed by /),
    expect.stringMatching(
      /^0 request +GET wiki\.localhost\/rest\/api\/content\n[\s\S]*\bgateway +200[\s\S]*\bmesh +200[\s\S]*\bservice +200/,
    ),
    expect.stringMatching(/^1 newly denied: [\s\S]*actor_not_allowed/),
    expect.stringMatching(/^1 [\s\S]*rule wiki\.localhost\/rest\/\*#3: role indexer/),
  ]);
  expect(readFileSync('/tmp/trace.html', 'utf8')).toContain('wiki-reader');
});

test('Prometheus has the decisions of the gateway, and no alert of a healthy demo fires', async () => {
  const ask = async (path: string) =>
    (await (await fetch(`http://127.0.0.1:${9090 + offset}/api/v1/${path}`)).json()) as {
      data: { alerts: { state: string }[] };
    };
  expect(await ask('query?query=meshgate_decisions_total')).toMatchObject({
    data: {
      result: expect.arrayContaining([
        { metric: expect.objectContaining({ reason: 'actor_not_allowed' }), value: expect.anything() },
      ]),
    },
  });
  const { data } = await ask('alerts');
  expect(data.alerts.filter(({ state }) => state === 'firing')).toEqual([]);
});

test('people sign in with a browser, and see what they may open', async () => {
  const wiki = `https://wiki.localhost:${8443 + offset}`;
  /** curl as a browser, with the cookies of one person. */
  const browse = async (person: string, ...args: string[]) => {
    const jar = join(folder, `${person}.cookies`);
    const common = ['-sL', '-b', jar, '-c', jar, '--cacert', join(folder, '.demo/gateway/ca.pem')];
    const shown = await run(
      'curl',
      ...common,
      '-H',
      'Accept: text/html',
      '-w',
      '\n%{http_code} %{url_effective}',
      ...args,
    );
    const [last = '', ...rest] = shown.stdout.split('\n').reverse();
    const [status, url] = last.split(' ');
    return { status: Number(status), url, text: rest.reverse().join('\n') };
  };
  const signIn = async (person: string) => {
    const requested = await browse(person, `${wiki}/?from=here`);
    expect(requested.text).toContain('Who are you?');
    return browse(person, '--data', `person=${person}`, requested.url ?? '');
  };
  const write = ['--data', 'title=Hello', '-H', `Origin: ${wiki}`, `${wiki}/`];

  expect(await signIn('ada')).toMatchObject({ status: 200, url: `${wiki}/?from=here` });
  expect(JSON.parse((await browse('ada', `${wiki}/.meshgate/whoami`)).text)).toMatchObject({
    subject: 'ada',
    roles: ['editor'],
    credential: 'session',
  });
  expect(await signIn('ben')).toMatchObject({ status: 200 });
  const refused = await browse('ben', ...write);
  expect(refused.status).toBe(403);
  for (const reported of ['You may not open this page', 'wiki-team@example.org', 'role_missing']) {
    expect(refused.text).toContain(reported);
  }
  expect(await signIn('cleo')).toMatchObject({ status: 403 });
});

test('the other commands of the guide do what the guide says', async () => {
  const direct = guide.split('\n').filter((line) => line.startsWith('curl') && line.includes('"$INGRESS'));
  const statuses = await Promise.all(direct.map(async (line) => (await typed(line)).stdout.trim().split('\n').at(-1)));
  expect(statuses).toEqual(['200', '403']);
  const explain = /^npx meshgate (explain .*)$/m.exec(guide)?.[1] ?? '';
  const explained = await run('bash', '-c', `${process.execPath} dist/cli.js ${explain}`);
  expect(explained.stdout).toContain('role_missing');
  const validate = /^npx meshgate (validate .*)$/m.exec(guide)?.[1] ?? '';
  expect((await run('bash', '-c', `${process.execPath} dist/cli.js ${validate}`)).code).toBe(0);
  const health = /^docker exec (meshgate-demo)-gateway (meshgate-health)$/m.exec(guide) ?? [];
  const { ready, identities } = JSON.parse(await docker('exec', `${health[1]}-${offset}-gateway`, health[2]!));
  expect([ready, Object.keys(identities)]).toEqual([true, ['default', 'wiki-editor', 'wiki-reader']]);
});

test('the witness names the older copy and the forged log, as the guide says', async () => {
  const [, [verifyOlder], [verifyWithNewest], forge, verifyForged, [readWitness]] = rewriting as [
    string[],
    [string],
    [string],
    string[],
    string[],
    [string],
  ];
  const answer = async (line: string) => {
    const { code, stdout, stderr } = await typed(line);
    return `${code} ${stdout}${stderr}`;
  };
  expect(await answer(verifyOlder)).toMatch(/^0 yes: .*\nwitness witness\.internal\/demo: saw /);
  // State: the witness has seen the requests after the copy.
  await until(async () => (await answer(verifyWithNewest)).startsWith('1 '), { what: 'the next cosignature' });
  expect(await answer(verifyWithNewest)).toMatch(/^1 no \S+: rollback: \S+ has \d+ entries, and the log only \d+\n/);
  for (const line of forge.slice(0, -1)) expect((await typed(line)).code, line).toBe(0);
  expect(await answer(forge.at(-1)!)).toMatch(/the witness http:\/\/127\.0\.0\.1:28878: .*: the log was forked/);
  const answers: string[] = [];
  for (const line of verifyForged) answers.push(await answer(line));
  expect(answers).toEqual([
    expect.stringMatching(/^0 yes: /),
    expect.stringMatching(/^1 no witness: no checkpoint has a cosignature of witness\.internal\/demo\+/),
    expect.stringMatching(/^1 no \S+: fork: /),
  ]);
  expect(await answer(readWitness)).toMatch(/has signed two logs of|do not begin with the \d+ that were cosigned/);
});

test('the page of the wiki shows its reader what the dashboard answered', async () => {
  const line =
    'curl -s --cacert "$CA_FILE" -H "Authorization: Bearer $TOKEN_READER" -H "Accept: text/html" "$GATEWAY/dashboard"';
  const { stdout } = await typed(line);
  expect(stdout).toContain('What the dashboard says to ben');
  for (const reported of ['ben@example.org', 'reader', 'spiffe://example.org/ns/wiki/sa/wiki']) {
    expect(stdout).toContain(`<code>${reported}</code>`);
  }
  await lineOf('gateway', '"meshgate.agent":"wiki-pages"');
});

/** As the guide reads the log of the gateway. */
const readLog = (/^docker (exec meshgate-demo-gateway cat \S+)$/m.exec(guide)?.[1] ?? '')
  .replace('meshgate-demo', `meshgate-demo-${offset}`)
  .split(' ');

/** Waits until a container's log has a line with this text: nginx and Envoy write theirs a moment after the answer. */
function lineOf(name: 'gateway' | 'ingress', text: string): Promise<string> {
  const container = `meshgate-demo-${offset}-${name}`;
  return until(
    async () => {
      const log = await docker(...(name === 'gateway' ? readLog : ['logs', container]));
      return log.split('\n').find((line) => line.includes(text));
    },
    { what: `a line with ${text} in the log of the ${name}` },
  );
}

test('gateway and ingress log the same trace, and the ingress logs the identity of the rule', async () => {
  const { stdout } = await typed('curl -s --cacert "$CA_FILE" -H "Authorization: Bearer $TOKEN_READER" "$DASHBOARD/"');
  const { traceId } = JSON.parse(stdout);
  const found = [await lineOf('gateway', traceId), await lineOf('ingress', traceId)];
  expect(found[0]).toContain('"meshgate.identity":"wiki-reader"');
  expect(found[1]).toContain('spiffe://example.org/ns/edge/sa/wiki-reader');
});

test('no container runs as root or can write to its file system', async () => {
  const ids = (await left()).split('\n');
  const format = '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}';
  for (const id of ids) expect(await docker('inspect', '--format', format, id)).toMatch(/^[1-9]\d*:\d+ true \[ALL\]$/);
});

test('down removes everything', async () => {
  expect((await demo('down')).code).toBe(0);
  expect(await left()).toBe('');
  expect(await docker('network', 'ls', '-q', '--filter', `name=^meshgate-demo-${offset}$`)).toBe('');
  expect(await docker('volume', 'ls', '-q', '--filter', `name=^meshgate-demo-${offset}-`)).toBe('');
  expect(existsSync(join(folder, '.demo'))).toBe(false);
  expect(existsSync(join(folder, '.demo.env'))).toBe(false);
});
