import hash from 'crypto';
import { composed, composedEnd } from '../../base/composed-key.ts';
import { TOKENS_PER_CONTEXT } from '../../base/limits.ts';
import type { Caller } from '../../caller/types.ts';
import type { Table } from '../../rules/types.ts';
import type { Binding, Claims, Verified } from '../../token/types.ts';
import { tokensDict } from '../shared/dicts.ts';
import { type KnownCaller, knownCaller } from '../shared/known.ts';

/** Version of packed callers. A caller that another version packed is ignored, because the caller may lack a member. */
const FORM = '5';

/** Number of last characters of a token that are the key of the Map. They belong to the signature, so they differ
 * between tokens. The whole token is compared after that. */
const TAIL = -32;

interface Near {
  readonly scope: string;
  /** The usual `Authorization` header with the token. */
  readonly header: string;
  readonly known: KnownCaller;
}

const BEARER = 'Bearer ';

const hasToken = ({ header }: Near, token: string): boolean =>
  header.length === BEARER.length + token.length && header.endsWith(token);

/** A cache of verified tokens: a small Map in this context, and the dict that all workers share. The keys of the dict
 * are hashes of tokens: they are short, and no readable token is in shared memory. */
export class TokenCache {
  readonly #isToken: (text: string) => boolean;
  readonly #selection: string;
  readonly #more: boolean;
  readonly #near = new Map<string, Near>();
  #lastScope = '';
  /** The part of a key before the token, for the last scope. */
  #beginning: string;
  #lastToken = '';
  #lastKey = '';

  /** @param table the table that determines callers. An entry is found only under the same `selection`.
   * @param isToken whether a text can be a token. It is called before shared memory is read, unless this context has
   * the text. */
  constructor(table: Pick<Table, 'selection' | 'sends' | 'claims'>, isToken: (text: string) => boolean) {
    const { selection, sends, claims } = table;
    this.#isToken = isToken;
    this.#selection = selection;
    this.#beginning = composed(FORM, selection, '');
    this.#more = sends.name || sends.groups || claims.length > 0;
  }

  /** Returns the key of a token in the dict, and keeps it, because an unknown token is looked up and then stored. */
  #dictKey(scope: string, token: string): string {
    if (token !== this.#lastToken || scope !== this.#lastScope) {
      if (scope !== this.#lastScope) this.#beginning = composed(FORM, this.#selection, scope);
      this.#lastScope = scope;
      this.#lastToken = token;
      this.#lastKey = hash.createHash('sha256').update(composedEnd(this.#beginning, token)).digest('base64url');
    }
    return this.#lastKey;
  }

  #keepNear(scope: string, token: string, known: KnownCaller): KnownCaller {
    if (this.#near.size >= TOKENS_PER_CONTEXT) this.#near.delete(this.#near.keys().next().value as string);
    this.#near.set(token.slice(TAIL), { scope, header: BEARER + token, known });
    return known;
  }

  /** Returns the caller of a token that this context knows and that is not bound to a key. Nearly every request calls
   * it, so it neither copies the token nor calls another function. If it returns nothing, call {@link get}.
   * @param header the whole `Authorization` header
   * @param scope see {@link get} */
  near(scope: string, header: string, now: number): KnownCaller | undefined {
    const near = this.#near.get(header.slice(TAIL));
    if (near === undefined || near.header !== header || near.scope !== scope) return undefined;
    const { known } = near;
    return known.until > now && known.binding === undefined ? known : undefined;
  }

  /** Returns the caller of a token that was verified before and has not expired.
   * @param scope for what the token was verified; an entry is found only under the same scope */
  get(scope: string, token: string, now: number): KnownCaller | undefined {
    const near = this.#near.get(token.slice(TAIL));
    if (near !== undefined && hasToken(near, token) && near.scope === scope) {
      if (near.known.until > now) return near.known;
      this.#near.delete(token.slice(TAIL));
      return undefined;
    }
    if (!this.#isToken(token)) return undefined;
    const text = tokensDict().get(this.#dictKey(scope, token));
    if (text === undefined) return undefined;
    const known = unpack(text);
    return known.until > now ? this.#keepNear(scope, token, known) : undefined;
  }

  /** Remembers a verified token until the token or the caller expires or the policy's maximum time is over.
   * @param scope see {@link get}
   * @param cap the policy's maximum time in seconds
   * @param stamp see {@link KnownCaller.stamp}
   * @param others see {@link KnownCaller.others} */
  put(
    scope: string,
    token: string,
    verified: Pick<Verified, 'expires' | 'key' | 'binding'>,
    caller: Caller,
    now: number,
    cap: number,
    stamp = '',
    others = '',
  ): KnownCaller {
    let end = now + cap;
    if (verified.expires < end) end = verified.expires;
    if (caller.until !== undefined && caller.until < end) end = caller.until;
    const until = Math.floor(end);
    const known = knownCaller(caller, caller.roles.join(','), until, verified.key, stamp, others, verified.binding);
    const life = Math.ceil((until - now) * 1000);
    if (life > 0) {
      try {
        tokensDict().set(this.#dictKey(scope, token), pack(known, this.#more), life);
      } catch {
        // If the dict is full even after eviction, the token is verified again in the next request.
        ngx.log(ngx.WARN, 'meshgate: the token cache has no room for an entry; enlarge the zone meshgate_tokens');
      }
    }
    // The Map and ready answers are only for tokens that come again.
    return known;
  }

  /** Forgets a token, for example because its key is no longer published. */
  drop(scope: string, token: string): void {
    this.#near.delete(token.slice(TAIL));
    tokensDict().delete(this.#dictKey(scope, token));
  }
}

/** Members of a caller that have their own place in the packed text. */
type Placed = 'provider' | 'subject' | 'roles' | 'email' | 'name' | 'groups' | 'claims' | 'binding';

/** Members that are not packed. `until` belongs to the entry; the others are for a request without a token. */
type Unpacked = 'until' | 'elsewhere' | 'nobody';

type Rare = Exclude<keyof Caller, Placed | Unpacked>;

/** Members that few callers have. Every member of a caller must be in one of these three lists for this to compile. */
const RARE = Object.keys({
  agent: 1,
  actors: 1,
  stepUp: 1,
  scopeUp: 1,
  alone: 1,
  truths: 1,
  certificateHost: 1,
  claimed: 1,
} satisfies Record<Rare, 1>) as readonly Rare[];

/** Whether a caller has such a member. Hardly any caller does. Direct reads take a tenth of the time of a loop. */
function hasRare({
  agent,
  actors,
  stepUp,
  scopeUp,
  alone,
  truths,
  certificateHost,
  claimed,
}: Pick<Caller, Rare>): boolean {
  return (agent ?? actors ?? stepUp ?? scopeUp ?? alone ?? truths ?? certificateHost ?? claimed) !== undefined;
}

const noRares: readonly never[] = [];

/** Packs a caller as one text, in a fifth of the time that JSON takes. Members without a line break have one line each;
 * the subject has a line only if it is plain. JSON of the other members follows, and the binding of a bound token.
 * @param more whether a header sends name, groups or claims */
function pack({ caller, until, key, user, roles, stamp, others, binding }: KnownCaller, more: boolean): string {
  const { provider, subject, email, name, groups, claims } = caller;
  const plain = user === subject;
  const rare = hasRare(caller);
  const rares = rare ? RARE.map((member) => caller[member] ?? 0) : noRares;
  const rest = plain && !more && !rare ? '' : JSON.stringify([subject, name ?? 0, groups, claims, ...rares]);
  const text = [until, key, provider, roles, email ?? '', plain ? subject : '', stamp, others, rest].join('\n');
  return binding === undefined ? text : `${text}\n${binding.kind} ${binding.thumbprint}`;
}

function unpack(text: string): KnownCaller {
  const lines = text.split('\n') as Lines;
  const [until, key, provider, roles, email, plain, stamp, others, rest] = lines;
  const [subject, name, groups, claims, ...rare] =
    rest === '' ? ([plain, 0, [], {}] as Rest) : (JSON.parse(rest) as Rest);
  const caller: { -readonly [K in keyof Caller]: Caller[K] } = {
    provider,
    subject,
    roles: roles === '' ? [] : roles.split(','),
    groups,
    claims,
  };
  if (email !== '') caller.email = email;
  if (name !== 0) caller.name = name;
  for (let i = 0; i < rare.length; i++) if (rare[i] !== 0) Object.assign(caller, { [RARE[i] as Rare]: rare[i] });
  const binding = lines[9] === undefined ? undefined : bindingIn(lines[9]);
  if (binding !== undefined) caller.binding = binding.kind;
  const known = knownCaller(caller, roles, Number(until), key, stamp, others, binding);
  known.ready = new Map();
  return known;
}

function bindingIn(line: string): Binding {
  const [kind, thumbprint] = line.split(' ') as [Binding['kind'], string];
  return { kind, thumbprint };
}

type Lines = [string, string, string, string, string, string, string, string, string, string?];

type Rest = readonly [
  subject: string,
  name: string | 0,
  groups: readonly string[],
  claims: Claims,
  /** The values of the members in {@link RARE}, in that order; 0 if the caller has no such member. */
  ...rare: readonly unknown[],
];
