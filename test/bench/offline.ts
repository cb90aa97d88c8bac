import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { meshTargetNames } from '../../src/targets/index.ts';
import { largePolicy } from '../large.ts';
import { median, rounded } from './stats.ts';

/** 200 routes and 50 roles: with three roles for each route, as in usual policies, and with all roles, the largest
 * case. */
export const sizes = [
  { rules: 600, rolesOfRoute: 3 },
  { rules: 10_000, rolesOfRoute: 50 },
] as const;

/** The arguments of `render`, and the file of the mesh that `prove` reads. */
export const offlineTargets = ['nginx', ...meshTargetNames] as const;

/** Keys of results.json, seconds of CPU each. */
export const renderKey = (target: string, rules: number): string => `render_${target}_${rules}.cpu_s`;
export const proveKey = (target: string, rules: number): string => `prove_${target}_${rules}.cpu_s`;

const CLI = join(import.meta.dirname, '../../dist/cli.js');
const ROUNDS = 3;

/** Runs the command as users do. @returns seconds of CPU, by the shell's own accounting */
function run(folder: string, ...args: readonly string[]): number {
  const timed = 'TIMEFORMAT="cpu %U %S"; time "$@" >/dev/null 2>talk';
  const { stderr, status, error } = spawnSync('bash', ['-c', timed, 'bash', process.execPath, CLI, ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  const found = /^cpu ([\d.]+) ([\d.]+)$/m.exec(stderr);
  if (status !== 0 || found === null) throw new Error(`meshgate ${args.join(' ')}: exit ${status} ${stderr}`);
  return Number(found[1]) + Number(found[2]);
}

function often(measure: () => number): number {
  return rounded(median(Array.from({ length: ROUNDS }, measure)), 2);
}

/** Measures the cost of `render` and `prove` on large policies. A difference that `prove` invents is an error. */
export function measureOffline(say: (text: string) => void): Record<string, number> {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'meshgate-offline-'));
  const numbers: Record<string, number> = {};
  try {
    for (const { rules, rolesOfRoute } of sizes) {
      for (const target of offlineTargets) {
        const kind = target === 'nginx' ? 'envoy' : target;
        const policy = `${target}-${rules}.yaml`;
        const out = `${target}-${rules}`;
        writeFileSync(join(folder, policy), largePolicy({ routes: 200, roles: 50, rolesOfRoute, kind }));
        numbers[renderKey(target, rules)] = often(() =>
          run(folder, 'render', '--target', target, '--out', out, policy),
        );
        numbers[proveKey(target, rules)] = often(() =>
          target === 'nginx'
            ? run(folder, 'prove', policy, policy)
            : run(folder, 'prove', '--target', target, policy, out),
        );
        say(
          `${rules} rules, ${target}: render ${numbers[renderKey(target, rules)]} s, prove ${numbers[proveKey(target, rules)]} s`,
        );
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return numbers;
}

if (import.meta.main) measureOffline((text) => console.log(text));
