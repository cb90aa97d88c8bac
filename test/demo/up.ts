/** `make up`: starts the whole road on this machine. Progress goes to standard error, the result to standard output. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatError, type Policy, parsePolicy } from '../../src/policy/index.ts';
import { until } from '../harness/until.ts';
import { ask, fetchToken } from './ask.ts';
import { containers, refuseStopped, start, unready, witness, witnessKey } from './containers.ts';
import { askWitness, custodyLines, expectCosigned, expectMetrics, expectSealed, firstKey } from './custody.ts';
import { ensureNetwork } from './docker.ts';
import {
  caFile,
  makeCertificates,
  meshCaFile,
  mounts,
  placeCommand,
  placeConfiguration,
  placeLogKey,
} from './files.ts';
import { curl, type Line, lines } from './lines.ts';
import { envFile, policyFile, root, urls, withPorts, withWitness } from './paths.ts';
import { command, step, Trouble } from './trouble.ts';

type Tokens = Readonly<Record<string, string>>;

/** A changed policy changes the demo's answers: this is then no failure of the demo. */
const CHANGED = `if that is what you changed in test/demo/meshgate.yaml, all is well: the demo runs, with its variables in ${envFile}`;

function readPolicy(text: string): Policy {
  const { policy, errors } = parsePolicy(text, policyFile);
  if (policy === undefined) throw new Trouble(errors.map(formatError).join('\n'));
  return policy;
}

const unexpected = (line: Line, last: string) =>
  `"${line.title}" is answered with ${last}, not ${line.status} … ${line.holds} …`;

/** Sends a request until there is an answer: at first the ports are closed, and the gateway has no keys yet. Then the
 * answer counts. */
async function expectAnswer(ca: string, tokens: Tokens, line: Line): Promise<string | undefined> {
  let last = 'nothing';
  let traceId: string | undefined;
  const headers = {
    ...line.requested.headers,
    ...(line.token === undefined ? {} : { Authorization: `Bearer ${tokens[line.token]}` }),
  };
  const good = async () => {
    try {
      const { status, text, trace } = await ask(ca, { ...line.requested, headers });
      traceId = trace;
      last = `${status} ${text.trim()}`;
      if (status === line.status && text.includes(line.holds)) return true;
      if (status < 500) throw new Trouble(`${unexpected(line, last)}; ${CHANGED}`);
      return false;
    } catch (error) {
      if (error instanceof Trouble) throw error;
      last = (error as Error).message;
      await refuseStopped();
      return false;
    }
  };
  await until(good, { what: `the answer to "${line.title}"` }).catch((error: unknown) => {
    if (error instanceof Trouble) throw error;
    throw new Trouble(unexpected(line, last));
  });
  return traceId;
}

/** Waits until the gateway has the provider's keys, and each identity's certificate. */
async function expectReady(): Promise<string> {
  let last: string | undefined;
  const ready = async () => {
    last = await unready().catch((error: Error) => error.message);
    if (last !== undefined) await refuseStopped();
    return last === undefined;
  };
  await until(ready, { what: 'the gateway to be ready' }).catch((error: unknown) => {
    throw error instanceof Trouble ? error : new Trouble(`the gateway does not get ready: ${last}`);
  });
  return 'ready';
}

async function fetchTokens(ca: string): Promise<Tokens> {
  // The provider may still be starting.
  const editor = await until(() => fetchToken(ca, 'wiki-cli', 'ada').catch(() => undefined), {
    what: 'a token from the provider',
  }).catch(async () => {
    await refuseStopped();
    return fetchToken(ca, 'wiki-cli', 'ada');
  });
  return {
    TOKEN_EDITOR: editor,
    TOKEN_READER: await fetchToken(ca, 'wiki-cli', 'ben'),
    TOKEN_GUEST: await fetchToken(ca, 'wiki-cli', 'cleo'),
    TOKEN_SERVICE: await fetchToken(ca, 'wiki-index'),
    TOKEN_AGENT: await fetchToken(ca, 'release-bot', 'ada'),
  };
}

async function writeVariables(tokens: Tokens, more: Readonly<Record<string, string>>): Promise<void> {
  const identity = (name: string) => join(mounts.gateway.folder, `${name}.pem`);
  const variables: Record<string, string> = {
    GATEWAY: urls.gateway,
    DASHBOARD: urls.dashboard,
    PROVIDER: urls.provider,
    CA_FILE: caFile,
    ...tokens,
    ...more,
    INGRESS: urls.ingress,
    WITNESS: urls.witness,
    INGRESS_CA_FILE: meshCaFile,
    IDENTITY_DEFAULT: identity('default'),
    IDENTITY_EDITOR: identity('wiki-editor'),
    IDENTITY_READER: identity('wiki-reader'),
  };
  const quoted = Object.entries(variables).map(([name, value]) => `${name}='${value.replaceAll("'", "'\\''")}'`);
  await writeFile(envFile, `${quoted.join('\n')}\n`, { mode: 0o600 });
  await chmod(envFile, 0o600);
}

function report(tokens: Tokens): string {
  const personas = [
    ['TOKEN_EDITOR', 'ada, editor'],
    ['TOKEN_READER', 'ben, reader'],
    ['TOKEN_GUEST', 'cleo, in no group'],
    ['TOKEN_SERVICE', 'wiki-index, a service account'],
    ['TOKEN_AGENT', 'release-bot, an agent, for ada'],
  ] as const;
  return [
    `wiki       ${urls.gateway}`,
    `dashboard  ${urls.dashboard}   (the wiki's page /dashboard asks it for you)`,
    `provider   ${urls.provider}`,
    `ingress    ${urls.ingress}   (wants a mesh identity)`,
    `Prometheus ${urls.prometheus}/query?g0.expr=meshgate_decisions_total   (alert rules: ${urls.prometheus}/alerts)`,
    '',
    `With a browser: open ${urls.gateway}/ and sign in as ada (editor) or ben (reader). It warns, since it does not know`,
    `the demo's CA (${caFile}); for the provider too.`,
    '',
    ...personas.flatMap(([name, who]) => [`${name} (${who}), good for an hour:`, `  ${tokens[name]}`]),
    '',
    'All of this as shell variables:',
    '',
    `. ${envFile === join(root, '.demo.env') ? './.demo.env' : envFile}`,
    '',
    ...lines.flatMap((line) => [
      `# ${line.title}; the answer is ${line.status} with ${line.holds}: ${line.why}.`,
      curl(line),
      '',
    ]),
    'The log of the gateway is sealed (docs/custody.md). TRACE_ID is the request of the reader above:',
    '',
    ...custodyLines.flatMap(({ title, line }) => [`# ${title}.`.replace('?.', '?'), line, '']),
    '# make down removes everything.',
    '',
  ].join('\n');
}

await command('demo', async () => {
  const text = withPorts(await readFile(policyFile, 'utf8'));
  const policy = readPolicy(text);
  await step('certificates', () => makeCertificates(policy));
  await placeCommand();
  let cosigns = '';
  await step('the key of the witness', async () => {
    cosigns = await witnessKey();
  });
  const witnessed = withWitness(text, cosigns);
  await step('configuration of the ingress, rendered from the policy', () => placeConfiguration(witnessed));
  await ensureNetwork();
  for (const container of containers) await step(container.what, () => start(container));
  let key = '';
  await step('the first key of the sealed log', async () => {
    key = await firstKey();
  });
  await placeLogKey(key);
  const startedWitness = await step(witness.what, () => start(witness));
  await step('keys and certificates of the gateway', expectReady);
  if (startedWitness !== 'runs already') await askWitness();
  const ca = await readFile(caFile, 'utf8');
  const tokens = await step('tokens', () => fetchTokens(ca));
  let trace = '';
  const write = () => writeVariables(tokens, { LOG_KEY: key, WITNESS_KEY: cosigns, TRACE_ID: trace });
  await write();
  await step('the eight requests below', async () => {
    for (const line of lines) {
      const id = await expectAnswer(ca, tokens, line);
      if (line.traced) trace = id ?? '';
    }
    return 'answered as they should be';
  });
  await write();
  await step('the log', () => expectSealed(trace));
  await step('metrics', expectMetrics);
  await step('the cosignature of the witness', expectCosigned);
  process.stdout.write(`\n${report(tokens)}`);
});
