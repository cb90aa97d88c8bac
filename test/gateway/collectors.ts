/** The two collectors of docs/trace.md, with their configurations as they are in docs/examples/collectors/. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newcomerImage } from '../harness/images.ts';
import { type Stage, startContainer, until } from '../harness/index.ts';
import { lacking } from '../harness/needs.ts';

const { MESHGATE_CACHE, XDG_CACHE_HOME } = process.env;
const CACHE = join(MESHGATE_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'meshgate'), 'mesh');
const BUILD = fileURLToPath(new URL('../mesh/go/build.sh', import.meta.url));
const OTELCOL = execFileSync(BUILD, ['otelcol-path', CACHE], { encoding: 'utf8' }).trim();

const config = (name: string) => readFileSync(`docs/examples/collectors/${name}`, 'utf8');

/** The text of each log, by its path as the configurations name it. */
export type Logs = Readonly<Record<`/var/log/${string}`, string>>;

const COLLECTED = '/var/log/collected/hops.jsonl';

/** What the test of the OpenTelemetry collector lacks, for `describeWith`; undefined: nothing. */
export function lacksOtelcol(): string | undefined {
  if (existsSync(OTELCOL)) return undefined;
  return lacking(`no ${OTELCOL}: test/images/prepare.sh otelcol builds it, or says what it lacks`);
}

/** Runs rsyslog in a container until it has collected what `isComplete` says. */
export async function byRsyslog(stage: Stage, logs: Logs, isComplete: (text: string) => boolean): Promise<string> {
  const run = `mkdir -p /var/lib/rsyslog ${COLLECTED.replace(/\/[^/]*$/, '')}; touch ${COLLECTED}; echo begins; exec rsyslogd -n -i /tmp/pid -f /etc/collect.conf`;
  const box = await startContainer(stage, {
    image: newcomerImage,
    alias: 'rsyslog',
    files: { ...logs, '/etc/collect.conf': config('rsyslog.conf') },
    command: ['sh', '-c', run],
    ready: /begins/,
  });
  let text = '';
  await until(
    async () => {
      text = (await box.exec('cat', COLLECTED)).stdout;
      return isComplete(text);
    },
    { what: 'rsyslog has collected all lines' },
  );
  return text;
}

/** Runs the OpenTelemetry collector on this machine until it has collected what `isComplete` says. */
export async function byOtelcol(logs: Logs, isComplete: (text: string) => boolean): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'meshgate-otelcol-'));
  const at = (path: string) => path.replace('/var/log', folder);
  for (const [path, text] of Object.entries({ ...logs, [COLLECTED]: '' })) {
    mkdirSync(at(path).replace(/\/[^/]*$/, ''), { recursive: true });
    writeFileSync(at(path), text);
  }
  writeFileSync(join(folder, 'a.yaml'), config('otelcol.yaml').replaceAll('/var/log', folder));
  // Its own metrics would listen on a fixed port of this machine.
  writeFileSync(join(folder, 'b.yaml'), 'service: { telemetry: { metrics: { level: none } } }');
  const args = ['a', 'b'].map((name) => `--config=file:${join(folder, name)}.yaml`);
  const running = spawn(OTELCOL, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  running.stderr.on('data', (some) => {
    words += some;
  });
  const ended = new Promise<void>((resolve) => running.on('close', () => resolve()));
  try {
    const text = () => readFileSync(at(COLLECTED), 'utf8');
    await until(
      async () => {
        if (running.exitCode !== null) throw new Error(`the collector ended: ${words.slice(-2000)}`);
        return isComplete(text());
      },
      { what: 'the OpenTelemetry collector has collected all lines' },
    );
    return text();
  } finally {
    running.kill();
    await ended;
    rmSync(folder, { recursive: true });
  }
}
