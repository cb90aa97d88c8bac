import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest, those that keep the machine busy first; whoever waits fills what they leave. */
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
].map((name) => `test/${name}.test.ts`);

/**
 * The longest files first, so that none of them runs alone at the end; the short tests without containers last, so that
 * all workers end at the same time. A clean checkout has no times of former runs.
 */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId, project }: TestSpecification): number => {
      const rank = LONGEST.indexOf(relative(this.ctx.config.root, moduleId));
      if (rank >= 0) return rank;
      return project.name === 'unit' ? LONGEST.length + 1 : LONGEST.length;
    };
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b));
  }
}
