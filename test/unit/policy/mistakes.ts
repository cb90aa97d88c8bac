import { ADDITIONS, CHANGES, DROPS } from './mistake-list.ts';

/**
 * Makes single mistakes in a valid policy, each with the line that must be reported and the correction that the error
 * must name. Seeded: the same mistakes every time.
 */
export interface Mistake {
  readonly kind: string;
  /** The mistake, for the name of the test. */
  readonly what: string;
  /** Line in the policy before the mistake, from 1, and its new text (one line or several). */
  readonly edit: { readonly line: number; readonly to: readonly string[] };
  /** The reported line, counted in the policy before the mistake; `after` counts further inside the edited lines. */
  readonly reported: { readonly line: number; readonly after: number };
  readonly says: string;
  /** Other lines that the mistake concerns: another mistake there would concern the same thing. */
  readonly about: readonly number[];
}

/** A small seeded generator (mulberry32). */
export function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** The policy with these mistakes in it, and the line on which each must be reported. */
export function apply(policy: string, mistakes: readonly Mistake[]) {
  const lines = policy.split('\n').map((line) => [line]);
  for (const { edit } of mistakes) lines[edit.line - 1] = [...edit.to];
  const lineOf = ({ reported }: Mistake) => lines.slice(0, reported.line - 1).flat().length + 1 + reported.after;
  return { text: lines.flat().join('\n'), lines: mistakes.map(lineOf) };
}

/** Misspells a word as people do: two letters swapped, one doubled, one forgotten. */
function misspell(word: string, pick: (below: number) => number): string {
  if (word.length < 5) return word + word.at(-1);
  const at = 1 + pick(word.length - 3);
  const [a, b] = [word[at] ?? '', word[at + 1] ?? ''];
  const ways = [
    word.slice(0, at) + b + a + word.slice(at + 2),
    word.slice(0, at) + a + word.slice(at),
    word.slice(0, at) + word.slice(at + 1),
  ].filter((way) => way !== word);
  return ways[pick(ways.length)] ?? word;
}

/** Words to misspell: kind, and what stands before and around the word; the word is the group `w`. */
const WORDS: readonly (readonly [kind: string, pattern: RegExp])[] = [
  [
    'misspelt key',
    /(?<=^|[ {,-])(?<w>gateway|clock_skew|token_cache|keys|refresh|stale|cool_down|trusted_proxies|resolver|listen|tls|cert_file|key_file|providers|kind|issuer|audiences|clients|algorithms|ca_file|subject|claim|prefix|roles|group|provider|any|all|none|scope|has|mesh|trust_domain|ingress|address|server_name|own|client_ca_file|identities|spiffe|pem_file|rotation|health|services|authority|endpoint|url|insecure_url|headers|first_role|else|hosts|service|accept|allow|role|methods|as|who|tests|expect|claims|GET|POST|public_port|session|idle|absolute|fresh|signin|host|pages_dir|store|etcd|client|id|secret_file|auth|scopes|prompt|max_age|acr_values|acr|domains|userinfo|label|par|owner|ask)(?=:(?: |$))/g,
  ],
  [
    'misspelt role',
    /(?<=role: |allow: \[|roles: \[|first_role: \{ |^ {6,10}- |reader: )(?<w>admin|editor|reader|ops|staff)(?=[\],: ]|$)/g,
  ],
  ['misspelt service', /(?<=service: )(?<w>[\w-]+)/g],
  ['misspelt provider', /(?<=provider: |providers: \[)(?<w>\w+)/g],
  ['misspelt identity', /(?<=as: )(?<w>wiki-editor)/g],
  [
    'misspelt enum',
    /(?<=methods: \[|accept: \[|expect: |who: |kind: |auth: |prompt: |X-Forwarded-\w+: )(?<w>[A-Za-z_]+)/g,
  ],
  ['misspelt algorithm', /(?<=algorithms: \[)(?<w>RS256)/g],
];

function misspellings(lines: readonly string[], pick: (below: number) => number): Mistake[] {
  return lines.flatMap((line, index) =>
    WORDS.flatMap(([kind, pattern]) =>
      [...line.matchAll(pattern)].flatMap((match) => {
        const word = match.groups?.w ?? '';
        // null is not the value of an enum, and a role's own definition is not a use of it.
        if (word === 'null' || /^ {2}(null|staff)/.test(line.slice(match.index))) return [];
        const wrong = misspell(word, pick);
        const to = line.slice(0, match.index) + wrong + line.slice(match.index + word.length);
        return [simple(kind, index + 1, [to], `did you mean "${word}"?`, `${word} → ${wrong}`)];
      }),
    ),
  );
}

function simple(kind: string, line: number, to: readonly string[], says: string, what: string, after = 0): Mistake {
  return { kind, what: `line ${line}: ${what}`, edit: { line, to }, reported: { line, after }, says, about: [line] };
}

/** Every mistake that can be made in this policy. */
export function mistakes(policy: string, seed: number): readonly Mistake[] {
  const lines = policy.split('\n');
  const lineOf = (start: string, before = lines.length) => {
    const index = lines.findLastIndex((line, at) => at < before && line.startsWith(start));
    if (index === -1) throw new Error(`no line begins with ${start}`);
    return index + 1;
  };
  const first = (start: string) => lines.findIndex((line) => line.startsWith(start)) + 1;
  const starting = (starts: readonly string[]) =>
    lines.flatMap((line, index) => (starts.some((start) => line.startsWith(start)) ? [index + 1] : []));
  const changes = CHANGES.map(([kind, start, from, to, says, ...others]): Mistake => {
    const line = first(start);
    const text = lines[line - 1] ?? '';
    if (!text.includes(from)) throw new Error(`no ${from} in line ${start}`);
    const changed = from === '' ? text + to : text.replace(from, () => to);
    return { ...simple(kind, line, [changed], says, `${from} → ${to}`), about: [line, ...starting(others)] };
  });
  const additions = ADDITIONS.map(([kind, start, add, after, says, ...others]): Mistake => {
    const line = first(start);
    const mistake = simple(kind, line, [lines[line - 1] ?? '', ...add], says, `added ${add.join(' ')}`, after);
    return { ...mistake, about: [line, ...starting(others)] };
  });
  const drops = DROPS.map(([start, reported, says]): Mistake => {
    const line = first(start);
    const where = { line: lineOf(reported, line), after: 0 };
    return {
      kind: 'missing key',
      what: `line ${line}: dropped`,
      edit: { line, to: ['# dropped'] },
      reported: where,
      says,
      about: [line, where.line],
    };
  });
  return [...misspellings(lines, random(seed)), ...changes, ...additions, ...drops];
}
