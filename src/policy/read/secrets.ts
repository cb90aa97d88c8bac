import { distance } from 'fastest-levenshtein';
import { formsIn, type Schema, unwrap } from '../forms/descend.ts';
import { policySchema } from '../schema/policy.ts';
import { childrenOf, type Tree } from './tree.ts';

/** What in a policy may be a secret. A policy contains no secrets, only the paths of their files. But people paste secrets
 * into it, and errors must not repeat them. This is the only place that decides what they do not repeat. */

const WORDS = ['secret', 'client_secret', 'password', 'passwd', 'passphrase', 'private_key', 'api_key', 'access_token'];
const SECRET = /secret|passw|pwd|passphrase|(?<!service_)credentials?$|private_?key|api_?key|token$/;

/** By key of the language, the part of its value that may be a credential. */
const PARTS = new Map<string, (text: string) => string | undefined>();

function noteParts(schema: Schema, key = '', seen = new Set<Schema>()): void {
  const bare = unwrap(schema);
  if (bare.hint?.secret) PARTS.set(key, bare.hint.secret);
  if (seen.has(bare.schema)) return;
  seen.add(bare.schema);
  for (const [name, it] of formsIn(bare)) noteParts(it, name ?? key, seen);
}

noteParts(policySchema);

/** Whether the value of this key may be a secret, also if the key is misspelt. */
export function isSecretKey(key: string): boolean {
  const lower = key.toLowerCase().replace(/[- ]/g, '_');
  if (lower.endsWith('_file')) return true;
  return SECRET.test(lower) || WORDS.some((it) => distance(lower, it) <= (it.length > 8 ? 3 : 2));
}

/** Whether a text is the path or the name of a file. */
export const isFilePath = (text: string): boolean =>
  /^(?:\.{0,2}\/|[\w-]+(?:\/[\w-]+)*\.(?:pem|crt|cer|key|jwks|json|txt|ya?ml)$)/.test(text) && text.length <= 200;

const FORMS = [
  /-----BEGIN [\s\S]*/g,
  // A JWT.
  /eyJ[\w-]{8,}\.[\w.-]*/g,
  // The user and the password of a URL. People forget to encode the special characters of a password, and the scheme.
  /(?<=:\/\/)(?:[^/?#@\s:]*:(?!\d{1,5}(?:[/?#]|$))\S+|[^/?#@\s]+)(?=@)/g,
  /(?<=:\/\/[^/?#@\s:]*:)(?!\d{1,5}(?:[/?#]|$))\S+(?=@)/g,
  /(?<=(?:^|[\s"'[,])(?!mailto:|acct:|sip:)[\w.%+-]+:)(?!\/\/)[^\s@]+(?=@)/g,
  // The value of a parameter in a URL. A part of a template in braces is no value.
  /(?<=[?&;][\w.-]*(?:secret|passw|pwd|passphrase|token|api_?key|private_?key|signature|assertion)[\w-]*=|[?&;]sig=)[^&;#{}\s"']+/gi,
  // What follows the scheme of an Authorization header.
  /(?<=\b(?:[Bb]asic|[Bb]earer|[Dd][Pp]o[Pp]|[Tt]oken|[Dd]igest) +)(?=\S*(?:\d|=|[a-z][A-Z]))[\w.~+/-]{8,}=*/g,
  // Keys of usual services.
  /\b(?:gh[opsu]|github_pat|glpat|glsa|xox[abp]|sk|AKIA)[-_]?[A-Za-z0-9_-]{12,}/g,
  // Random letters and digits.
  /(?<![\w/.:-])(?=\S*[a-z])(?=\S*[A-Z])(?=\S*\d)[A-Za-z0-9+/=_~.-]{24,}(?![\w/.:-])/g,
];

/** A longer text is not searched to its end, because the search takes longer than linear time. */
const MAX_SEARCHED = 2000;

/** Returns the parts of a text that look like secrets. */
const secretParts = (text: string): readonly string[] =>
  FORMS.flatMap((form) => text.slice(0, MAX_SEARCHED).match(form) ?? []);

/** Returns every text of a policy that errors must not repeat. */
export function secretsOf(tree: Tree, key = ''): readonly string[] {
  if (tree.kind === 'scalar') {
    const text = typeof tree.value === 'string' || typeof tree.value === 'number' ? String(tree.value) : '';
    if (isSecretKey(key) && !isFilePath(text)) return [text, ...lines(text)];
    const own = PARTS.get(key)?.(text);
    return [...(own === undefined ? [] : [own, ...lines(own)]), ...secretParts(text)];
  }
  return [...childrenOf(tree)].flatMap(([step, below]) =>
    typeof step === 'number' ? secretsOf(below, key) : [...secretInKey(step), ...secretsOf(below, step)],
  );
}

const lines = (text: string): readonly string[] => text.split(/\s+/).filter((it) => it.length > 7 && it !== text);

/** The secret in a key whose colon is missing, as in `{ client_secret abc }`. */
function secretInKey(key: string): readonly string[] {
  const [, name = '', rest = ''] = /^["']?([\w-]+)["']?[\s:=]+(\S[\s\S]*)$/.exec(key) ?? [];
  return [...(rest !== '' && isSecretKey(name) && !isFilePath(rest) ? [rest] : []), ...secretParts(key)];
}
