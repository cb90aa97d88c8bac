/** The verifiers of docs/assertion.md, each in its own language, on assertions of a real gateway. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, decodeProtectedHeader, importJWK, type JWTPayload, SignJWT } from 'jose';
import { afterAll, describe, expect, test } from 'vitest';
import { newSigningKeys } from '../../src/assertion/rotate.ts';
import {
  localPort,
  settle,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  until,
  valuesOf,
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
const versions = { pyjwt: '2.15.1', nimbus: '10.10', goJose: 'v4.1.9' };

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
    const jar = join(cache, `nimbus-jose-jwt-${versions.nimbus}.jar`);
    if (!existsSync(jar)) {
      if (!has('mvn', '-version')) return 'mvn is not here, which fetches nimbus-jose-jwt';
      const artifact = `com.nimbusds:nimbus-jose-jwt:${versions.nimbus}`;
      const got = run('.', 'mvn', [
        '-q',
        '-B',
        'dependency:copy',
        `-Dartifact=${artifact}`,
        `-DoutputDirectory=${cache}`,
      ]);
      if (!got.good) return `nimbus-jose-jwt cannot be fetched: ${got.out.trim().split('\n')[0]}`;
    }
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
    lines(run(folder, 'javac', ['-cp', jar, 'Verify.java', 'Main.java']));
    return lines(run(folder, 'java', ['-cp', `${jar}:.`, 'Main'], { input }));
  },
};

const fetches = (mark: number) => gateway.access(mark).filter((line) => line['url.path'] === '/.meshgate/jwks').length;

test('there are 85 forgeries', async () => {
  const all = await cases();
  expect(all.filter(([, , passes]) => !passes)).toHaveLength(1 + 85 + STRANGERS);
  expect(new Set(all.map(([, text]) => text)).size).toBe(all.length);
});

describe('a verifier of docs/assertion.md accepts only assertions that are for it', () => {
  test.for(Object.entries(verifiers))('%s', async ([language, verifier], { skip }) => {
    const code = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(document)?.[1] ?? '';
    expect(code).toContain(`${ISSUER}/.meshgate/jwks`);
    const folder = join(work, language);
    mkdirSync(folder);
    const all = await cases();
    const mark = await settle(gateway);
    const texts = all.map(([, text]) => text);
    const said = verifier(folder, code.replace(`${ISSUER}/.meshgate/jwks`, jwks), texts);
    if (typeof said === 'string') return skip(lacking(said));
    expect
      .soft(said.map((line, i) => `${all[i]?.[0]}: ${line}`))
      .toEqual(all.map(([name, , passes]) => `${name}: ${passes ? 'ok ada' : 'no'}`));
    // The worker writes its lines in order: once the line of a later request is there, all lines of the verifier are.
    await gateway.send('localhost', { token, path: '/later' });
    await until(() => gateway.access(mark).some((line) => line['url.path'] === '/later'), { what: 'the last line' });
    expect(fetches(mark)).toBeGreaterThan(0);
    expect(fetches(mark)).toBeLessThanOrEqual(MOST_FETCHES);
  });
});
