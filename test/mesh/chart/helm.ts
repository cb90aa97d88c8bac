import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lacking } from '../../harness/needs.ts';
import { type KubeObject, readObjects } from '../lab/objects.ts';

const { MESHGATE_CACHE, XDG_CACHE_HOME } = process.env;
const FOLDER = join(MESHGATE_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'meshgate'), 'mesh');
const BUILD = fileURLToPath(new URL('../go/build.sh', import.meta.url));

export const CHART = 'nginx/chart';

/** Two files on this machine, from Go modules: the command of Helm, and cert-manager's definitions. */
const paths = execFileSync(BUILD, ['helm-path', FOLDER], { encoding: 'utf8' }).trim().split('\n') as [string, string];

export const [HELM, CERT_MANAGER] = paths;

/** What tests with Helm lack, in one line, for `describeWith`; undefined: nothing. */
export function lacksHelm(): string | undefined {
  const missing = paths.find((path) => !existsSync(path));
  if (missing === undefined) return undefined;
  return lacking(`no ${missing}: test/images/prepare.sh helm makes it, or says what it lacks`);
}

/** What a user gives the chart. */
export interface Given {
  /** The text of the policy, as `--set-file policy=FILE` reads it. */
  readonly policy?: string;
  readonly values?: Readonly<Record<string, unknown>>;
}

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs helm with the chart; no cluster answers it. */
export function helm(command: readonly string[], { policy, values = {} }: Given = {}): Ran {
  mkdirSync('test-results', { recursive: true });
  const folder = mkdtempSync(resolve('test-results', 'helm-'));
  const flags = ['--values', join(folder, 'values.json')];
  writeFileSync(join(folder, 'values.json'), JSON.stringify(values));
  if (policy !== undefined) {
    writeFileSync(join(folder, 'meshgate.yaml'), policy);
    flags.push('--set-file', `policy=${join(folder, 'meshgate.yaml')}`);
  }
  const own = { HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder, KUBECONFIG: '/dev/null' };
  try {
    const options = { encoding: 'utf8', env: { ...process.env, ...own } } as const;
    const { status, stdout, stderr } = spawnSync(HELM, [...command, ...flags], options);
    return { status, stdout, stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What `helm template` prints for a release of this name. */
export function renderChart(given: Given, release = 'gw'): string {
  const { status, stdout, stderr } = helm(['template', release, CHART, '--namespace', 'edge'], given);
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

const rendered = new Map<Given, readonly KubeObject[]>();

/** The objects of the chart for these values, in the namespace edge; rendered once for each combination. */
export function chartObjects(given: Given): readonly KubeObject[] {
  const known = rendered.get(given);
  if (known !== undefined) return known;
  const read = readObjects(renderChart(given));
  const objects = read.map((it) => ({ ...it, metadata: { ...it.metadata, namespace: 'edge' } }));
  rendered.set(given, objects);
  return objects;
}

/** The words with which the chart refuses values; undefined: it accepts them. */
export function chartRefusal(given: Given): string | undefined {
  const { status, stderr } = helm(['template', 'gw', CHART], given);
  if (status === 0) return undefined;
  return /error calling fail: (.*)/.exec(stderr)?.[1] ?? stderr;
}

/** What Helm prints after an install. */
export function chartNotes(given: Given): string {
  const { status, stdout, stderr } = helm(['install', 'gw', CHART, '--namespace', 'edge', '--dry-run=client'], given);
  if (status !== 0) throw new Error(stderr);
  return stdout.split('\nNOTES:\n')[1] ?? '';
}
