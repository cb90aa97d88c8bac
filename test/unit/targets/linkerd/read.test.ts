import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compile } from '../../../../src/rules/compile.ts';
import { proveIdentities } from '../../../../src/rules/prove.ts';
import { projection } from '../../../../src/targets/linkerd/project.ts';
import { readLinkerd } from '../../../../src/targets/linkerd/read.ts';
import { renderLinkerd } from '../../../../src/targets/linkerd/render.ts';
import { linkerdPolicy } from './samples.ts';

test('read back, what was rendered allows what the rules do, for 1,000 policies', () => {
  fc.assert(
    fc.property(linkerdPolicy(false), (policy) => {
      const rules = compile(policy);
      const { files } = renderLinkerd(policy, rules);
      expect(proveIdentities(projection(policy, rules), readLinkerd(files))).toBeUndefined();
    }),
    { numRuns: 1000 },
  );
}, 120_000);
