/** The verifiers of docs/assertion.md, each in its own language, on assertions of a real gateway. */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, decodeProtectedHeader, importJWK, type JWTPayload, SignJWT } from 'jose';
import { afterAll, describe, expect, test } from 'vitest';
import { newSigningKeys } from '../../src/assertion/rotate.ts';
import {
  localPort,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  until,
  valuesOf,
  waitForWorkers,
} from '../harness/index.ts';
import { lacking } from '../harness/needs.ts';
import { forgedAssertions, type Subject, strangersAssertions } from './forged-assertions.ts';

const ISSUER = 'https://wiki.example.com';
const KEYS = '/run/keys/assertion.jwks';
const document = readFileSync('docs/assertion.md', 'utf8');
const cache = join(
  process.env.MESHGATE_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'meshgate'),
  'verifiers',
);
const versions = { pyjwt: '2.15.1', nimbus: '10.10', goJose: 'v4.1.9', servlet: '4.0.1' };

const stage = await testStage('verifiers');
const [echo, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const acme = await issuers.create('acme', { alg: 'ES256' });
const keyFile = await newSigningKeys(Date.now() / 1000);
const gateway = await startGateway(stage, {
  files: { [KEYS]: keyFile },
  policy: `
version: 1
gateway:
  insecure_http: true
  listen: 8080
  assertion: { issuer: ${ISSUER}, keys_file: ${KEYS}, lifetime: 10m }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
services:
  wiki: { insecure_url: "http://wiki:8080" }
  dashboard: { insecure_url: "http://wiki:8080", authority: dashboard }
hosts:
  localhost:
    /*: { service: wiki, allow: [authenticated] }
    /dashboard: { service: dashboard, allow: [authenticated] }
`,
});
const token = await acme.sign({ aud: 'wiki', sub: 'ada' });
const jwks = `http://localhost:${await localPort(gateway.box, 8080)}/.meshgate/jwks`;

async function received(path: string): Promise<string> {
  await echo.clear();
  await until(async () => (await gateway.send('localhost', { token, path })).status === 200, {
    what: `the road to ${path}`,
  });
  return valuesOf((await echo.requests()).at(-1)!, 'X-Meshgate-Assertion')[0]!;
}

/** An assertion, and whether a verifier may accept it. */
type Case = readonly [name: string, text: string, passes: boolean];

/** More key fetches than one run causes, unless a caller can choose their number. */
const STRANGERS = 20;
const MOST_FETCHES = 5;

/** Valid ones, forged ones, and some that name keys that are not published. */
async function cases(): Promise<readonly Case[]> {
  const good = await received('/x');
  const subject: Subject = {
    header: { ...decodeProtectedHeader(good) },
    claims: { ...decodeJwt(good) },
    keys: JSON.parse(keyFile).keys,
  };
  const now = Math.floor(Date.now() / 1000);
  const claims: JWTPayload = { ...decodeJwt(good), iat: now, exp: now + 600 };
  return [
    ['a valid one', good, true],
    ['one that the same key signed a moment later', await byKey(0, claims), true],
    ['one that the next key signed', await byKey(1, claims), true],
    ['one of another service', await received('/dashboard'), false],
    ...forgedAssertions(subject).map(({ name, text }): Case => [name, text, false]),
    ...strangersAssertions(subject, STRANGERS).map((text, i): Case => [`one of stranger ${i}`, text, false]),
  ];
}

/** Claims signed by one of the gateway's own keys: the first one signs now, the second one next. */
async function byKey(index: number, claims: JWTPayload): Promise<string> {
  const { kid, ...jwk } = JSON.parse(keyFile).keys[index];
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: 'meshgate+jwt', kid })
    .sign(await importJWK(jwk, 'ES256'));
}

/** The output of a language for each assertion, `ok SUB` or `no`; or the reason why it cannot run here. */
type Verifier = (folder: string, code: string, assertions: readonly string[]) => readonly string[] | string;

mkdirSync('test-results', { recursive: true });
const work = mkdtempSync(join('test-results', 'verifiers-'));
afterAll(() => rmSync(work, { recursive: true }));

interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: readonly string[];
}

function run(folder: string, command: string, args: readonly string[], { env = {}, input = [] }: Given = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    input: `${input.join('\n')}\n`,
    env: { ...process.env, ...env },
    timeout: 170_000,
  });
  return { good: status === 0, out: stdout ?? '', why: `${error?.message ?? ''}${stderr ?? ''}`.trim() };
}

const has = (command: string, ...args: string[]) => run('.', command, args).good;

function lines(done: ReturnType<typeof run>): readonly string[] {
  if (!done.good) throw new Error(done.why);
  return done.out.trim().split('\n');
}

/** A library of Maven Central in the cache; or the reason why it is not there. */
function fromMaven(group: string, name: string, version: string): { readonly file: string; readonly reason?: string } {
  const file = join(cache, `${name}-${version}.jar`);
  if (existsSync(file)) return { file };
  if (!has('mvn', '-version')) return { file, reason: `mvn is not here, which fetches ${name}` };
  const artifact = `${group}:${name}:${version}`;
  const got = run('.', 'mvn', ['-q', '-B', 'dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${cache}`]);
  return got.good ? { file } : { file, reason: `${name} cannot be fetched: ${got.out.trim().split('\n')[0]}` };
}

const verifiers: Readonly<Record<string, Verifier>> = {
  js(folder, code, input) {
    writeFileSync(join(folder, 'verify.mjs'), code);
    writeFileSync(
      join(folder, 'main.mjs'),
      `import { readFileSync } from 'node:fs';
import { verify } from './verify.mjs';
for (const line of readFileSync(0, 'utf8').trim().split('\\n'))
  console.log(await verify(line).then(({ sub }) => 'ok ' + sub, () => 'no'));
`,
    );
    return lines(run(folder, process.execPath, ['main.mjs'], { input }));
  },

  python(folder, code, input) {
    if (!has('python3', '-c', 'import venv')) return 'python3 is not here';
    const venv = join(cache, `pyjwt-${versions.pyjwt}`);
    const python = join(venv, 'bin', 'python');
    if (!existsSync(join(venv, 'done'))) {
      rmSync(venv, { recursive: true, force: true });
      const made = run('.', 'python3', ['-m', 'venv', venv]);
      const got = made.good
        ? run('.', python, ['-m', 'pip', 'install', '-q', `pyjwt[crypto]==${versions.pyjwt}`])
        : made;
      if (!got.good) return `pyjwt cannot be installed: ${got.why.split('\n').at(-1)}`;
      writeFileSync(join(venv, 'done'), '');
    }
    writeFileSync(join(folder, 'verify.py'), code);
    writeFileSync(
      join(folder, 'main.py'),
      `import sys
from verify import jwt, verify
for line in sys.stdin.read().split():
    try:
        print("ok", verify(line)["sub"])
    except jwt.PyJWTError:
        print("no")
`,
    );
    return lines(run(folder, python, ['main.py'], { input }));
  },

  go(folder, code, input) {
    if (!has('go', 'version')) return 'go is not here';
    const env = { GOFLAGS: '-mod=mod', GOWORK: 'off' };
    writeFileSync(join(folder, 'go.mod'), 'module verify\n\ngo 1.24\n');
    writeFileSync(join(folder, 'verify.go'), code);
    writeFileSync(
      join(folder, 'main.go'),
      `package main

import (
	"bufio"
	"fmt"
	"os"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if token, err := verify(lines.Text()); err == nil {
			fmt.Println("ok", token.Subject)
		} else {
			fmt.Println("no")
		}
	}
}
`,
    );
    const get = ['get', `github.com/go-jose/go-jose/v4@${versions.goJose}`];
    // The network is asked only if the module is not here yet.
    const here = run(folder, 'go', get, { env: { ...env, GOPROXY: 'off' } });
    const got = here.good ? here : run(folder, 'go', get, { env });
    if (!got.good) return `go-jose cannot be fetched: ${got.why.split('\n').at(-1)}`;
    return lines(run(folder, 'go', ['run', '.'], { env, input }));
  },

  java(folder, code, input) {
    if (!has('javac', '-version')) return 'a JDK is not here';
    const jar = fromMaven('com.nimbusds', 'nimbus-jose-jwt', versions.nimbus);
    if (jar.reason !== undefined) return jar.reason;
    writeFileSync(join(folder, 'Verify.java'), code);
    writeFileSync(
      join(folder, 'Main.java'),
      `public class Main {
    public static void main(String[] args) throws Exception {
        var verify = new Verify();
        for (var line : new String(System.in.readAllBytes()).trim().split("\\n")) {
            try {
                System.out.println("ok " + verify.verify(line).getSubject());
            } catch (java.text.ParseException | com.nimbusds.jose.JOSEException | com.nimbusds.jose.proc.BadJOSEException e) {
                System.out.println("no");
            }
        }
    }
}
`,
    );
    lines(run(folder, 'javac', ['-cp', jar.file, 'Verify.java', 'Main.java']));
    return lines(run(folder, 'java', ['-cp', `${jar.file}:.`, 'Main'], { input }));
  },
};

const fetches = (mark: number) => gateway.access(mark).filter((line) => line['url.path'] === '/.meshgate/jwks').length;

test('there are 86 forgeries', async () => {
  const all = await cases();
  expect(all.filter(([, , passes]) => !passes)).toHaveLength(1 + 86 + STRANGERS);
  expect(new Set(all.map(([, text]) => text)).size).toBe(all.length);
});

describe('a verifier of docs/assertion.md accepts only assertions that are for it', () => {
  test.for(Object.entries(verifiers))('%s', async ([language, verifier], { skip }) => {
    const code = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(document)?.[1] ?? '';
    expect(code).toContain(`${ISSUER}/.meshgate/jwks`);
    const folder = join(work, language);
    mkdirSync(folder);
    const all = await cases();
    const mark = await waitForWorkers(gateway);
    const texts = all.map(([, text]) => text);
    const reported = verifier(folder, code.replace(`${ISSUER}/.meshgate/jwks`, jwks), texts);
    if (typeof reported === 'string') return skip(lacking(reported));
    expect
      .soft(reported.map((line, i) => `${all[i]?.[0]}: ${line}`))
      .toEqual(all.map(([name, , passes]) => `${name}: ${passes ? 'ok ada' : 'no'}`));
    // The worker writes its lines in order: once the line of a later request is there, all lines of the verifier are.
    await gateway.send('localhost', { token, path: '/later' });
    await until(() => gateway.access(mark).some((line) => line['url.path'] === '/later'), { what: 'the last line' });
    expect(fetches(mark)).toBeGreaterThan(0);
    expect(fetches(mark)).toBeLessThanOrEqual(MOST_FETCHES);
  });
});

/** What Confluence's authenticator is asked about: headers of a request, and a session of Confluence if it has one. */
interface Ask {
  readonly name: string;
  /** The values of X-Meshgate-Assertion. */
  readonly given: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** The person in Confluence's session, by its own login; with `=` before the name: by an earlier assertion. */
  readonly session?: string;
  /** The name of the account; null: an anonymous caller. */
  readonly user: string | null;
  /** Whether the authenticator ended the session. */
  readonly ends?: true;
}

describe("Confluence's authenticator, in docs/examples", () => {
  const source = 'docs/examples/confluence-authenticator/src/main/java/meshgate/confluence';

  let built: { readonly folder: string; readonly classpath: string } | string | undefined;

  /** Compiles it against the documented API, once. */
  function build(): NonNullable<typeof built> {
    if (!has('javac', '-version')) return 'a JDK is not here';
    const jars = [
      fromMaven('com.nimbusds', 'nimbus-jose-jwt', versions.nimbus),
      fromMaven('javax.servlet', 'javax.servlet-api', versions.servlet),
    ];
    const lacks = jars.find(({ reason }) => reason !== undefined)?.reason;
    if (lacks !== undefined) return lacks;
    const folder = join(work, 'authenticator');
    mkdirSync(folder);
    const files = [
      ...['Assertions', 'MeshgateAuthenticator'].map((name) => `${source}/${name}.java`),
      ...globSync('test/gateway/confluence-api/**/*.java'),
    ].map((name) => join(process.cwd(), name));
    const classpath = jars.map(({ file }) => file).join(':');
    const options = ['-Werror', '-Xlint:all,-processing,-serial', '-cp', classpath, '-d', '.'];
    lines(run(folder, 'javac', [...options, ...files]));
    return { folder, classpath };
  }

  /** What it says to each request: `NAME` or `-`, then ` ended`. */
  function reported(settings: Readonly<Record<string, string>>, asks: readonly Ask[]): readonly string[] | string {
    built ??= build();
    if (typeof built === 'string') return built;
    const { folder, classpath } = built;
    const input = asks.map(({ given, headers = {}, session = '' }) =>
      [session, given.join(' ') || (given.length === 1 ? 'empty' : ''), ...Object.entries(headers).flat()].join('\t'),
    );
    const flags = Object.entries(settings).flat();
    return lines(run(folder, 'java', ['-cp', `${classpath}:.`, 'Ask', ...flags], { input }));
  }

  const settings = { 'meshgate.issuer': ISSUER, 'meshgate.audience': 'wiki', 'meshgate.jwks': jwks };

  test('knows the person of a valid assertion, and no other', async ({ skip }) => {
    const all = await cases();
    const good = all[0]![1];
    const claims: JWTPayload = { ...decodeJwt(good), exp: Math.floor(Date.now() / 1000) + 600 };
    const of = (changed: JWTPayload) => byKey(0, { ...claims, ...changed });
    const forged = all.find(([, , passes]) => !passes)![1];
    const asks: readonly Ask[] = [
      ...all.map(([name, text, passes]): Ask => ({ name, given: [text], user: passes ? 'ada' : null })),
      { name: 'no assertion', given: [], user: null },
      { name: 'an empty assertion', given: [''], user: null },
      { name: 'a valid one twice', given: [good, good], user: null },
      { name: 'a valid one and a forged one', given: [good, forged], user: null },
      { name: 'a valid one in another header', given: [], headers: { 'X-Assertion': good }, user: null },
      {
        name: 'headers of proxies',
        given: [],
        headers: { 'X-Forwarded-User': 'root', REMOTE_USER: 'root' },
        user: null,
      },
      { name: 'such headers beside a valid one', given: [good], headers: { 'X-Forwarded-User': 'root' }, user: 'ada' },
      { name: 'a person without an account', given: [await of({ sub: 'eve' })], user: null },
      { name: 'a person who may not use Confluence', given: [await of({ sub: 'unlicensed' })], user: null },
      { name: 'a program that acts for itself', given: [await of({ sub: 'root', alone: 'true' })], user: null },
      // Sessions of Confluence's own login.
      { name: 'no assertion, and a session', given: [], session: 'root', user: 'root' },
      { name: 'a forged one, and a session', given: [forged], session: 'root', user: null },
      { name: 'a valid one, and a session of another person', given: [good], session: 'root', user: 'ada', ends: true },
      { name: 'a valid one after one of another person', given: [good], session: '=ben', user: 'ada', ends: true },
      { name: 'a valid one after one of the same person', given: [good], session: '=ada', user: 'ada' },
      { name: 'no assertion after one', given: [], session: '=ada', user: null },
      {
        ...{ name: 'a caller with a network alone', user: null },
        given: [await of({ sub: 'meshgate:nobody', provider: 'nobody' })],
      },
      {
        ...{ name: 'such a caller, with a session', session: 'root', user: 'root' },
        given: [await of({ sub: 'meshgate:nobody', provider: 'nobody' })],
      },
      {
        ...{ name: 'a valid one, and a token that Confluence has verified', session: 'ben', user: 'ben' },
        ...{ given: [good], headers: { Authorization: 'Bearer NDc4' } },
      },
    ];
    const mark = await waitForWorkers(gateway);
    const answers = reported(settings, asks);
    if (typeof answers === 'string') return skip(lacking(answers));
    expect(answers.map((line, i) => `${asks[i]?.name}: ${line}`)).toEqual(
      asks.map(({ name, user, ends }) => `${name}: ${user ?? '-'}${ends ? ' ended' : ''}`),
    );
    await gateway.send('localhost', { token, path: '/later' });
    await until(() => gateway.access(mark).some((line) => line['url.path'] === '/later'), { what: 'the last line' });
    expect(fetches(mark)).toBeGreaterThan(0);
    expect(fetches(mark)).toBeLessThanOrEqual(MOST_FETCHES);
  });

  test('compiles for Jira with the two changes that docs/jira.md names', ({ skip }) => {
    built ??= build();
    if (typeof built === 'string') return skip(lacking(built));
    const [from, to] = [
      'com.atlassian.confluence.user.ConfluenceAuthenticator',
      'com.atlassian.jira.security.login.JiraSeraphAuthenticator',
    ];
    const guide = readFileSync('docs/jira.md', 'utf8');
    expect(guide).toContain(`replace \`${from}\` with \`${to}\``);
    const name = (it: string) => it.replace(/.*\./, '');
    const code = readFileSync(`${source}/MeshgateAuthenticator.java`, 'utf8');
    const variant = code.replace(from, to).replace(`extends ${name(from)}`, `extends ${name(to)}`);
    expect(variant).not.toContain('com.atlassian.confluence');
    const folder = join(built.folder, 'jira');
    mkdirSync(folder);
    writeFileSync(join(folder, 'MeshgateAuthenticator.java'), variant);
    const options = ['-Werror', '-Xlint:all,-processing,-serial', '-cp', `${built.classpath}:..`, '-d', '.'];
    lines(run(folder, 'javac', [...options, 'MeshgateAuthenticator.java']));
  });

  test('reads the keys from a file too, and starts only with settings that hold', async ({ skip }) => {
    const asks: readonly Ask[] = [{ name: 'a valid one', given: [await received('/x')], user: 'ada' }];
    const file = join(process.cwd(), work, 'keys.json');
    writeFileSync(file, (await gateway.send('localhost', { path: '/.meshgate/jwks' })).text);
    const answers = reported({ ...settings, 'meshgate.jwks': file }, asks);
    if (typeof answers === 'string') return skip(lacking(answers));
    expect(answers).toEqual(['ada']);
    const { 'meshgate.audience': _, ...lacksOne } = settings;
    for (const wrong of [{ ...settings, 'meshgate.jwks': 'http://wiki.example.com/jwks' }, lacksOne]) {
      expect(() => reported(wrong, asks)).toThrow(/IllegalArgumentException/);
    }
  });
});
