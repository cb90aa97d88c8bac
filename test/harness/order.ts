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

/** The same of the unit tests, which run after all others. */
const LONGEST_UNIT = [
  'unit/targets/members',
  'unit/targets/read',
  'unit/linear-text',
  'unit/rules/nested-roles',
  'unit/policy/mistakes',
  'unit/targets/nginx/traps',
  'unit/targets/by-hand',
  'unit/targets/tools',
  'unit/policy/fuzz',
];

/** Where a file stands among those that take longest; the others are behind them. */
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
      return project.name === 'unit' ? LONGEST.length + 1 + rankIn(LONGEST_UNIT, file) : rankIn(LONGEST, file);
    };
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b));
  }
}
