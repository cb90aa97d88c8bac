import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest. Those that keep the machine busy come first, and those that wait fill what they leave. */
const LONGEST = [
  'mesh/istio-matrix',
  'mesh/matrix',
  'gateway/renew',
  'gateway/chromium',
  'gateway/keycloak',
  'gateway/replicas',
  'security/running',
  'mesh/istio',
  'security/signin',
];

/**
 * Unit tests that try everything of a kind (every member of a mesh's objects, every mistake in a policy), the longest first.
 * They take as long as all other unit tests together, so `make check` leaves them to `make test`.
 */
export const SWEEPS = [
  'unit/targets/members',
  'unit/targets/unnoticed',
  'unit/mesh/consul-changed',
  'unit/targets/read',
  'unit/linear-text',
  'unit/rules/nested-roles',
  'unit/policy/mistakes',
  'unit/targets/by-hand',
  'unit/targets/tools',
  'unit/mesh/matrix/envoy-same',
  'unit/migrate/never-wider',
].map((name) => `test/${name}.test.ts`);

/** The longest of the other unit tests, which run after all others. */
const LONGEST_UNIT = ['unit/cli/audit-tampered', 'unit/targets/nginx/traps', 'unit/policy/fuzz'];

/** The position of a file among the longest; the others come after them. */
function rankIn(longest: readonly string[], file: string): number {
  const rank = longest.findIndex((name) => file === `test/${name}.test.ts`);
  return rank < 0 ? longest.length : rank;
}

/**
 * The longest files first, so that none of them runs alone at the end; the short tests without containers last, so that
 * all workers end at the same time. A clean checkout has no times of former runs.
 */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId, project }: TestSpecification): number => {
      const file = relative(this.ctx.config.root, moduleId);
      if (project.name === 'sweeps') return LONGEST.length + 1 + SWEEPS.indexOf(file);
      if (project.name === 'unit') return LONGEST.length + 1 + SWEEPS.length + rankIn(LONGEST_UNIT, file);
      return rankIn(LONGEST, file);
    };
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b));
  }
}
