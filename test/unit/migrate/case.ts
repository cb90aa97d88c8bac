import { expect } from 'vitest';
import { runTests } from '../../../src/cli/decide/policy-tests.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { meshgate } from '../cli/fake.ts';

/** The caller of a request, as policy tests write it. */
export type Caller = 'nobody' | Readonly<Record<string, unknown>>;

/** One request, and what the old product does with it according to its documentation. */
export interface Documented {
  readonly as: Caller;
  readonly method?: string;
  readonly url: string;
  /** What the old product does: the service receives the request, or it does not. */
  readonly before: 'passes' | 'refused';
  /** The setting that the report names, if the gateway decides differently. */
  readonly differs?: string;
}

/** A configuration of another product. Its text is written for these tests; `shape` says which public configuration it
 * is modelled on, and which facts of it matter. */
export interface Sample {
  readonly shape: string;
  readonly command: 'oauth2-proxy' | 'ingress-nginx';
  readonly files: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Files that the arguments name. */
  readonly beside?: Readonly<Record<string, string>>;
  readonly cases: readonly Documented[];
  /** Settings that the report must list, each with a part of its text. */
  readonly lists: readonly (readonly [option: string, text: RegExp])[];
  /** Texts that no output may contain. */
  readonly secrets?: readonly string[];
}

export interface Reported {
  readonly policy: string;
  readonly toDo: readonly { readonly option: string; readonly text: string }[];
  readonly differs: readonly { readonly option: string; readonly text: string; readonly wider?: true }[];
  readonly notCarried: readonly { readonly option: string; readonly text: string; readonly wider?: true }[];
  readonly carried: readonly { readonly option: string; readonly to: string }[];
}

/** Migrates a sample, and returns the report. */
export async function migrate({
  command,
  files,
  args = [],
  beside = {},
}: Pick<Sample, 'command' | 'files' | 'args' | 'beside'>): Promise<Reported> {
  const ran = await meshgate(['migrate', command, '--json', ...args, ...Object.keys(files)], {
    files: { ...files, ...beside },
  });
  expect(ran.err).toBe('');
  expect(ran.code).toBe(0);
  return JSON.parse(ran.out) as Reported;
}

const NOW = 1_800_000_000;

/** Decides a request with the code that decides in the gateway.
 * @returns `allowed`, or the reason of the refusal */
export function decided(
  policy: string,
  { as, method = 'GET', url }: Pick<Documented, 'as' | 'method' | 'url'>,
): string {
  const test = JSON.stringify({ as, [method]: url, expect: 'allowed' });
  const { policy: parsed, errors } = parsePolicy(`${policy}tests: [${test}]\n`, 'meshgate.yaml');
  expect(errors).toEqual([]);
  const loaded = { policy: parsed!, rules: compile(parsed!) };
  return runTests(loaded, NOW)[0]!.got;
}

/** Whether the report lists a setting. */
export const lists = (report: Reported, option: string, text = /./): boolean =>
  [...report.toDo, ...report.differs, ...report.notCarried].some(
    (it) => it.option.includes(option) && text.test(it.text),
  );
