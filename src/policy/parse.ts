import { LineCounter, parseDocument } from 'yaml';
import { buildPolicy } from './build.ts';
import { formatPath, type Path, pathKey } from './path.ts';
import { policySchema } from './schema.ts';
import { regroup, toTree } from './tree.ts';
import type { At, Policy, PolicyError } from './types.ts';

/** What came of a policy file: the policy, or every mistake in it. */
export interface Parsed {
  readonly policy?: Policy;
  /** In the order of the file. */
  readonly errors: readonly PolicyError[];
}

/**
 * Reads and checks a policy.
 *
 * @param text - the file's content
 * @param file - its name, for messages only
 */
export function parsePolicy(text: string, file: string): Parsed {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, stringKeys: true });
  const place = (offset: number): At => {
    const { line, col } = counter.linePos(offset);
    return { file, line, column: col };
  };
  if (document.errors.length > 0) {
    return { errors: document.errors.map((it) => ({ at: place(it.pos[0]), path: '', message: it.message })) };
  }
  const tree = toTree(document);
  const locate = (path: Path): At => {
    for (let end = path.length; end >= 0; end--) {
      const mark = tree.marks.get(pathKey(path.slice(0, end)));
      if (mark) return place(mark.key ?? mark.value);
    }
    return place(0);
  };
  const parsed = policySchema.safeParse(regroup(tree.value));
  if (parsed.success) return { policy: buildPolicy(parsed.data, locate), errors: [] };
  return {
    errors: parsed.error.issues.map((it) => {
      const path = it.path as Path;
      return { at: locate(path), path: formatPath(path), message: it.message };
    }),
  };
}

/** One line for people: `meshgate.yaml:41:9 hosts."wiki.example.com"."/*".allow[1].role: no role "raeder"; …`. */
export function formatError({ at, path, message }: PolicyError): string {
  return `${at.file}:${at.line}:${at.column}${path === '' ? '' : ` ${path}`}: ${message}`;
}
