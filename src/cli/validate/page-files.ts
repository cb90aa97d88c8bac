import type { Policy, PolicyError } from '../../policy/index.ts';
import { isThemeText, readTheme } from '../../session/pages/theme.ts';
import { utf8 } from '../common/load.ts';
import type { Runtime } from '../machine/runtime.ts';

/** The errors in the folder `gateway.signin.pages_dir`, or a sentence that this machine does not have the folder. */
export type Pages = { readonly errors: readonly PolicyError[] } | { readonly absent: string };

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
