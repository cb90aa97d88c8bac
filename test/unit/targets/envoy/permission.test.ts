import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { compile } from '../../../../src/rules/compile.ts';
import { covers } from '../../../../src/rules/cover.ts';
import { hasMethod } from '../../../../src/rules/decide.ts';
import { oddPaths, type Permission, type StringMatch } from '../../../../src/targets/envoy/permission.ts';
import { readEnvoy } from '../../../../src/targets/envoy/read.ts';
import { renderEnvoy } from '../../../../src/targets/envoy/render.ts';
import { METHODS, policy, requestPath } from '../../rules/arbitrary.ts';

interface Asked {
  readonly authority: string;
  readonly path: string;
  readonly method: string;
}

function stringMatches(match: StringMatch, value: string): boolean {
  if ('exact' in match) return value === match.exact;
  if ('prefix' in match) return value.startsWith(match.prefix);
  // Envoy wants the whole value to match.
  return new RegExp(`^(?:${match.safe_regex.regex})$`, 's').test(value);
}

/** What Envoy makes of a permission. */
function permits(permission: Permission, asked: Asked): boolean {
  if ('and_rules' in permission) return permission.and_rules.rules.every((it) => permits(it, asked));
  if ('or_rules' in permission) return permission.or_rules.rules.some((it) => permits(it, asked));
  if ('not_rule' in permission) return !permits(permission.not_rule, asked);
  if ('url_path' in permission) return stringMatches(permission.url_path.path, asked.path.replace(/[?#].*$/s, ''));
  const { name, string_match } = permission.header;
  const headers: Readonly<Record<string, string>> = {
    ':authority': asked.authority,
    ':method': asked.method,
    ':path': asked.path,
  };
  return stringMatches(string_match, headers[name]!);
}

test('Envoy permits what the rule covers, and nothing else', () => {
  fc.assert(
    fc.property(
      policy,
      fc.array(fc.record({ path: requestPath, method: fc.constantFrom(...METHODS) }), { minLength: 20, maxLength: 20 }),
      (policy, requests) => {
        const rules = compile(policy);
        const { files } = renderEnvoy(policy, rules);
        expect(readEnvoy(files)).toHaveLength(rules.length);
        const http = parse(files['envoy.yaml']!).static_resources.listeners[0].filter_chains[0].filters[0].typed_config;
        const { policies } = http.http_filters[1].typed_config.rules;
        for (const { path, method } of requests) {
          for (const rule of rules) {
            const [permission] = policies[rule.id].permissions;
            const expected = covers(rule.path, path) && hasMethod(rule, method);
            const authority = policy.services[rule.service]!.authority;
            expect(permits(permission, { authority, path: `${path}?q=/x`, method })).toBe(expected);
            expect(permits(permission, { authority: 'other.mesh', path, method })).toBe(false);
          }
        }
      },
    ),
    { numRuns: 40 },
  );
});

const odd = (path: string, characters: readonly string[] = []) =>
  oddPaths(characters).some((it) => permits(it, { authority: '', method: 'GET', path }));

test.each(['/a;b', '/a%3Bb', '//a', '/a/..', '/%61', '/a#b', '/x%2f', '/a%5c?b'])('%s is odd', (path) => {
  expect(odd(path)).toBe(true);
});

test.each(['/', '/a?b;c//', '/a%20b', '/a%40b', '/C%2B%2B'])('%s is not', (path) => {
  expect(odd(path)).toBe(false);
});

test('encoded characters of the policy are odd in either case', () => {
  expect(['/a%40b', '/%7eann', '/%7Eann?x', '/%2C'].map((path) => odd(path, ['@', '~', ',']))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(odd('/a?b=%40', ['@'])).toBe(false);
});
