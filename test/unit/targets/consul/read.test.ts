import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compile } from '../../../../src/rules/compile.ts';
import { proveIdentities } from '../../../../src/rules/prove.ts';
import { projection } from '../../../../src/targets/consul/project.ts';
import { readConsul } from '../../../../src/targets/consul/read.ts';
import { renderConsul } from '../../../../src/targets/consul/render.ts';
import { consulPolicy, JWKS } from './samples.ts';

test('read back, what was rendered allows what the rules do, for 1,000 policies', () => {
  fc.assert(
    fc.property(consulPolicy, (policy) => {
      const rules = compile(policy);
      const { files } = renderConsul(policy, rules, { assertionJwks: JWKS });
      expect(Object.keys(files).length).toBeGreaterThan(1);
      expect(proveIdentities(projection(policy, rules), readConsul(files))).toBeUndefined();
    }),
    { numRuns: 1000 },
  );
}, 120_000);
