import fc from 'fast-check';
import { expect, test } from 'vitest';
import { covers } from '../../../../src/rules/compare/cover.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { hasMethod } from '../../../../src/rules/decide/decide.ts';
import { enforced } from '../../../../src/rules/enforced.ts';
import { authoritiesOf } from '../../../../src/targets/envoy/domains.ts';
import {
  type EnvoyPermission,
  nonCanonicalPermissions,
  type StringMatch,
} from '../../../../src/targets/envoy/permission.ts';
import { type RbacPolicy, rbacFilters } from '../../../../src/targets/envoy/rbac.ts';
import { holds } from '../../../harness/property.ts';
import { METHODS, policy, requestPath } from '../../rules/arbitrary.ts';

interface Requested {
  readonly authority: string;
  readonly path: string;
  readonly method: string;
}

function stringMatches(match: StringMatch, value: string): boolean {
  if ('exact' in match) return value === match.exact;
  if ('prefix' in match) return value.startsWith(match.prefix);
  // Envoy matches the whole value.
  return new RegExp(`^(?:${match.safe_regex.regex})$`, 's').test(value);
}

/** Envoy's result for a permission. */
function permits(permission: EnvoyPermission, requested: Requested): boolean {
  if ('and_rules' in permission) return permission.and_rules.rules.every((it) => permits(it, requested));
  if ('or_rules' in permission) return permission.or_rules.rules.some((it) => permits(it, requested));
  if ('not_rule' in permission) return !permits(permission.not_rule, requested);
  if ('url_path' in permission) return stringMatches(permission.url_path.path, requested.path.replace(/[?#].*$/s, ''));
  const { name, string_match } = permission.header;
  const headers: Readonly<Record<string, string>> = {
    ':authority': requested.authority,
    ':method': requested.method,
    ':path': requested.path,
  };
  return stringMatches(string_match, headers[name]!);
}

interface Filter {
  readonly typed_config: { readonly rules: { readonly policies: Readonly<Record<string, RbacPolicy>> } };
}

test('Envoy permits what the rule covers, and nothing else', () => {
  const request = fc.record({ path: requestPath, method: fc.constantFrom(...METHODS) });
  holds(
    fc.property(policy, fc.array(request, { minLength: 10, maxLength: 10 }), (policy, requests) => {
      const rules = enforced(compile(policy));
      const [, allow] = rbacFilters(policy, rules, authoritiesOf(policy, rules)) as [Filter, Filter];
      const { policies } = allow.typed_config.rules;
      expect(Object.keys(policies)).toEqual(rules.map(({ id }) => id));
      const wrong = rules.flatMap((rule) => {
        const [permission] = policies[rule.id]!.permissions;
        const { authority } = policy.services[rule.service]!;
        return requests.filter(
          ({ path, method }) =>
            permits(permission!, { authority: 'other.mesh', path, method }) ||
            permits(permission!, { authority, path: `${path}?q=/x`, method }) !==
              (covers(rule.path, path) && hasMethod(rule, method)),
        );
      });
      expect(wrong).toEqual([]);
    }),
  );
});

const odd = (path: string, characters: readonly string[] = []) =>
  nonCanonicalPermissions(characters).some((it) => permits(it, { authority: '', method: 'GET', path }));

test.each(['/a;b', '/a%3Bb', '//a', '/a/..', '/%61', '/a#b', '/x%2f', '/a%5c?b'])('%s is not canonical', (path) => {
  expect(odd(path)).toBe(true);
});

test.each(['/', '/a?b;c//', '/a%20b', '/a%40b', '/C%2B%2B'])('%s is canonical', (path) => {
  expect(odd(path)).toBe(false);
});

test('encoded characters of the policy are not canonical in either case', () => {
  expect(['/a%40b', '/%7eann', '/%7Eann?x', '/%2C'].map((path) => odd(path, ['@', '~', ',']))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(odd('/a?b=%40', ['@'])).toBe(false);
});
