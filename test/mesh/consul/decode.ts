import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lacking } from '../../harness/needs.ts';

/** The result of Consul's own Go module for an entry: all that it read, or its error. */
export type Decoded = { readonly entry: Readonly<Record<string, unknown>> } | { readonly error: string };

const { MESHGATE_CACHE, XDG_CACHE_HOME } = process.env;
const FOLDER = join(MESHGATE_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'meshgate'), 'mesh');
const BUILD = fileURLToPath(new URL('../go/build.sh', import.meta.url));

const program = (): string => execFileSync(BUILD, ['consul-path', FOLDER], { encoding: 'utf8' }).trim();

/**
 * What the tests with Consul's own decoder lack, in one line, for `describeWith`; undefined: nothing. The decoder is
 * built from a Go module.
 */
export function lacksDecoder(): string | undefined {
  if (existsSync(program())) return undefined;
  return lacking(`no ${program()}: test/images/prepare.sh mesh builds it, or says what it lacks`);
}

/** Decodes entries, as JSON, in order; unknown fields and wrong types are rejected. */
export function decode(entries: readonly unknown[]): readonly Decoded[] {
  const input = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
  const lines = execFileSync(program(), { input, encoding: 'utf8', maxBuffer: 64 << 20 })
    .trimEnd()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as Decoded);
}
