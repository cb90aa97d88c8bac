import { examine, fileLine, isRemark, problemOf } from '../../health/files.ts';
import type { Policy, PolicyError } from '../../policy/index.ts';
import { gatewayFiles, witnessFiles } from '../../rules/table/policy-files.ts';
import { isThemeText, readTheme } from '../../session/pages/theme.ts';
import { nginxOptions } from '../../targets/nginx/options.ts';
import { toContext } from '../../targets/nginx/render-context.ts';
import { type Loaded, utf8 } from '../common/load.ts';
import type { Runtime } from '../machine/runtime.ts';
import { bad, type Finding, good } from './offers.ts';

/** What is wrong with the files that a policy names, as the user who runs the command sees them. */
interface FileProblems {
  /** The number of files, or of pairs of certificate and key. */
  readonly count: number;
  /** How many of them do not exist. */
  readonly missing: number;
  /** One line for each problem, and whether the gateway can use the file in spite of it. */
  readonly problems: readonly { readonly line: string; readonly usable: boolean }[];
}

/** Reads all files that the gateway needs for a policy, with the health check of the gateway. */
export async function checkFiles(runtime: Runtime, { policy, rules }: Loaded): Promise<FileProblems> {
  const { identities } = toContext(policy, rules, nginxOptions({ dir: '/' }));
  const files = [...gatewayFiles(policy, identities), ...witnessFiles(policy)].filter(({ kind }) => kind !== 'policy');
  const now = runtime.now();
  const found = await Promise.all(
    files.map(async (file) => {
      const problem = problemOf(file, await examine(file, runtime.look, now), now);
      return problem === undefined ? [] : [{ reason: problem.reason, line: fileLine(file, problem) }];
    }),
  );
  const all = found.flat();
  const missing = all.filter(({ reason }) => reason === 'file_missing').length;
  const problems = all.map(({ reason, line }) => ({ line, usable: isRemark(reason) }));
  return { count: files.length, missing, problems };
}

/** Returns findings about the files. If this machine has none of them, it is not the gateway's. */
export async function fileFindings(runtime: Runtime, loaded: Loaded): Promise<readonly Finding[]> {
  const { count, missing, problems } = await checkFiles(runtime, loaded);
  if (count === 0) return [];
  if (missing === count)
    return [{ text: 'files: not checked, because this machine has none of the files that the policy names' }];
  if (problems.length === 0) return [good(`files: ${count} checked`)];
  return problems.map(({ line, usable }) => (usable ? { text: `files: ${line}` } : bad(`files: ${line}`)));
}

/** The errors in the folder `gateway.signin.pages_dir`, or a sentence that this machine does not have the folder. */
type Pages = { readonly errors: readonly PolicyError[] } | { readonly absent: string };

/** Checks the folder of page templates. A missing template is not an error, because there is a default. */
export function checkPages(runtime: Runtime, { gateway }: Policy): Pages {
  const dir = gateway.signin?.pagesDir;
  if (dir === undefined) return { errors: [] };
  const names = runtime.list(dir)?.filter((name) => !name.startsWith('.'));
  if (names === undefined) return { absent: dir };
  const errors: PolicyError[] = [];
  const wrong = (name: string, line: number, message: string): void =>
    void errors.push({ at: { file: `${dir}/${name}`, line, column: 1 }, path: '', message });
  const files: Record<string, string> = {};
  for (const name of names) {
    const text = isThemeText(name) ? utf8(runtime.read(`${dir}/${name}`)) : '';
    if (text === undefined) wrong(name, 1, 'the file is not UTF-8');
    else files[name] = text;
  }
  for (const { file, line, message } of readTheme(files).errors) wrong(file, line, message);
  return { errors };
}
