import { describe, expect, test } from 'vitest';
import { compile } from '../../../../src/rules/compile.ts';
import { renderSidecar } from '../../../../src/targets/ext-authz/render-sidecar.ts';
import { cases, goldenPolicy, options, render } from './golden.ts';

const DECLARES =
  /(?:\bmap (?:"(?:[^"\\]|\\.)*"|\S+)|\bgeo(?: \S+)?|\b(?:js_set|js_var|auth_request_set|set)) \$(meshgate_\w+)|\?<(meshgate_\w+)>/g;
const READS = /(?<!\\)\$\{?(meshgate_\w+)/g;

const names = (text: string, pattern: RegExp): readonly string[] =>
  [...text.replace(/^\s*#.*$/gm, '').matchAll(pattern)].map(([, name, captured]) => name ?? captured ?? '');

/** Variables of the gateway that the maps read and no file declares. nginx does not start with such maps. */
function undeclared(files: Readonly<Record<string, string>>): readonly string[] {
  const own = Object.entries(files).filter(([path]) => path.endsWith('.conf') && !path.startsWith('ingress/'));
  const declared = new Set(own.flatMap(([, text]) => names(text, DECLARES)));
  return names(files['http.conf'] ?? '', READS).filter((name) => !declared.has(name));
}

describe.each(cases)('the variables of %s', (name) => {
  const policy = goldenPolicy(name);

  test('are all declared in the files of the gateway', () => {
    expect(undeclared(render(policy).files)).toEqual([]);
  });

  test('are all declared in the files of the sidecar', () => {
    expect(undeclared(renderSidecar(policy, compile(policy), options).files)).toEqual([]);
  });
});
