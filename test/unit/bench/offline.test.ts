import { expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { meshTarget, meshTargetNames } from '../../../src/targets/index.ts';
import { largePolicy } from '../../large.ts';

test.each(meshTargetNames)('the large policy is valid for %s', (kind) => {
  const text = largePolicy({ routes: 200, roles: 50, rolesOfRoute: 3, kind });
  const { policy, errors } = parsePolicy(text, 'large.yaml');
  expect(errors.map(formatError)).toEqual([]);
  const rules = compile(policy!);
  expect(rules).toHaveLength(600);
  expect(Object.keys(meshTarget(kind).emit(policy!, rules, {}).files)).not.toEqual([]);
});
