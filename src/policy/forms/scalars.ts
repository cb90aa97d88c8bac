import * as z from 'zod';
import { type Hint, hints, type Named } from './hints.ts';
import { MCP_MESSAGE } from './mcp-message.ts';
import * as units from './units.ts';
import { INVISIBLE, UNSEEN } from './unseen.ts';

/** The form of the names of roles and of all other things that a policy defines. */
export const ROLE_NAME = /^[a-z][a-z0-9._-]{0,62}$/;
export const NAME = /^[a-z][a-z0-9-]{0,62}$/;

/** The methods that a policy may name: the methods of HTTP and WebDAV that both nginx and Envoy support. */
export const METHODS = [
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
  ...['PROPFIND', 'PROPPATCH', 'MKCOL', 'COPY', 'MOVE', 'LOCK', 'UNLOCK', 'REPORT', 'SEARCH'],
] as const;

/** A list that is not empty; `write` is an example.
 * @param distinct - what errors call an element, if no two may be equal without case */
export const list = <T extends z.ZodType>(element: T, write: string, distinct?: string) => {
  const hint = { what: 'a list with at least one element', write };
  return z
    .array(element)
    .min(1)
    .register(hints, distinct === undefined ? hint : { ...hint, distinct });
};

/** A list that may be empty; `write` is an example. No two elements may be equal without case. */
export const listOrNone = <T extends z.ZodType>(element: T, write: string, distinct: string) =>
  z.array(element).register(hints, { what: 'a list', write, distinct });

/** A string schema. Its errors say what to write instead. */
export const text = (pattern: RegExp, hint: Hint) => z.string().regex(pattern).register(hints, hint);

export const duration = text(/^\d{1,6}[smhd]$/, {
  what: 'a duration with its unit',
  write: '30s, 5m, 1h or 1d',
  fix: (value) => {
    if (/^\d+$/.test(String(value))) return `${value}s (or ${value}m, ${value}h)`;
    const words = /^(\d+) ?(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?)$/.exec(String(value));
    return words ? `${words[1]}${words[2]?.[0]}` : undefined;
  },
});

/** The smallest and the largest value, as policies write them. */
interface Bounds {
  readonly least?: string;
  readonly most?: string;
  /** What to write instead if a value is out of bounds. */
  readonly or?: string;
}

/** A text that stands for a number, which must be within bounds. */
function within(text: z.ZodString, measure: (text: string) => number, [few, many]: [string, string], bounds: Bounds) {
  const { least, most, or = '' } = bounds;
  const write =
    least === undefined ? `at most ${most}` : most === undefined ? `at least ${least}` : `from ${least} to ${most}`;
  const mistake = (value: string) => {
    const amount = measure(value);
    const word = least && amount < measure(least) ? few : most && amount > measure(most) ? many : undefined;
    return word && `${value} is too ${word}; write ${write}${or}`;
  };
  return text
    .clone()
    .register(hints, { ...(hints.get(text) as Hint), mistake })
    .transform(measure);
}

export const seconds = duration.transform(units.seconds);
export const secondsWithin = (bounds: Bounds) => within(duration, units.seconds, ['short', 'long'], bounds);

const size = text(/^[1-9]\d{0,5}[kmg]$/, {
  what: 'a size with its unit',
  write: '512k, 100m or 2g',
  fix: (value) => {
    if (/^[1-9]\d{0,5}$/.test(String(value))) return `${value}k (or ${value}m, ${value}g)`;
    const words = /^([1-9]\d{0,5}) ?([kmg])(?:i?b)?$/i.exec(String(value));
    return words ? `${words[1]}${words[2]?.toLowerCase()}` : undefined;
  },
});

export const bytesWithin = (bounds: Bounds) => within(size, units.bytes, ['small', 'large'], bounds);

export const rate = text(/^[1-9]\d{0,6}\/[smhd]$/, {
  what: 'a rate with its unit',
  write: '10/s, 60/m, 1000/h or 5000/d',
  fix: (value) => {
    if (/^[1-9]\d{0,6}$/.test(String(value))) return `${value}/s (or ${value}/m, ${value}/h)`;
    const words =
      /^([1-9]\d{0,6}) ?(?:r|req|requests?)? ?(?:\/|per) ?(s|sec|seconds?|m|min|minutes?|h|hours?|d|days?)$/;
    const [, count, unit] = words.exec(String(value)) ?? [];
    return count === undefined ? undefined : `${count}/${unit?.[0]}`;
  },
});

export const perSecondWithin = (bounds: Bounds) => within(rate, units.perSecond, ['little', 'much'], bounds);

export const count = (things: string, most: number, write = 'a number') =>
  z
    .int()
    .min(1)
    .max(most)
    .register(hints, { what: `a number of ${things}`, write: `${write} from 1 to ${most}` });

export const filePath = text(/^(?:\/[A-Za-z0-9._~+=@:,-]+)+$/, {
  what: 'an absolute file path of plain characters',
  write: '/run/secrets/name.pem (letters, digits and . _ ~ + = @ : , - only)',
  fix: (value) => (typeof value === 'string' && /^[\w.-]+(\/[\w.-]+)*$/.test(value) ? `/${value}` : undefined),
});

export const headerName = text(/^[A-Za-z][A-Za-z0-9-]{0,99}$/, {
  what: 'the name of a header',
  write: 'letters, digits and dashes, as in Content-Type',
});

const cookieName = text(/^[A-Za-z0-9_.-]{1,100}$/, {
  what: 'the name of a cookie',
  write: 'letters, digits and . _ - only, as in JSESSIONID',
});

export const serviceCookies = (write: string) => listOrNone(cookieName, write, 'cookie');

export const headerNames = (write: string) => list(headerName, write, 'header');

/** The name of a tool or a pattern. `rules/tools.ts` compares it with requests. */
export const tool = text(/^(?:\*|[A-Za-z0-9_./-]{1,128}\*?)$/, {
  what: 'the name of an MCP tool',
  write: 'a name, or the beginning of names and a star, as in search_*; * stands for all tools',
});

/** A name as clients may send it; no tool of this name has to exist. */
export const toolName = text(/^[^\u0000-\u001f\u007f]{1,256}$/, {
  what: 'the name of an MCP tool',
  write: 'a name, as in search_pages',
});

export const mcpMessage = text(MCP_MESSAGE, {
  what: 'a message of MCP',
  write: 'METHOD or METHOD:NAME, as in tools/list or prompts/get:review',
});

export const acrValue = text(/^[!-~]{1,128}$/, {
  what: 'an authentication context class',
  write: 'a word without spaces, in quotes, as in "phr"',
  fix: (value) => (typeof value === 'number' ? `"${value}" in quotes` : undefined),
});

/** A claim: printable ASCII without spaces, so that different texts never look the same. */
export const claimPath = text(/^[!-~]{1,200}$/, {
  what: 'a claim name or path',
  write: 'names joined by dots, as in groups or realm_access.roles',
});

/** Without characters that change how a text looks: two names that look the same are the same. */
const PLAIN_TEXT = new RegExp(`^(?![^]*(?:${UNSEEN}))[^\\x00-\\x1f\\x7f-\\x9f${INVISIBLE}]{1,256}$`);
const PLAIN_HINT = { what: 'a text of 1 to 256 printable characters', write: 'the text in quotes' };
const quoted = (value: unknown) =>
  typeof value === 'number' || typeof value === 'boolean' ? `"${value}" in quotes` : undefined;
const plain = (value: unknown) => (typeof value === 'string' ? 'between 1 and 256 of them' : quoted(value));

/** Free text in a token: any printable characters. */
export const plainText = text(PLAIN_TEXT, { ...PLAIN_HINT, fix: plain });

export const groupName = text(PLAIN_TEXT, {
  ...PLAIN_HINT,
  fix: (value) => (Array.isArray(value) ? 'any: [{ group: staff }, { group: guests }] instead' : plain(value)),
});

export const headerValue = text(/^[!-~](?:[ -~]{0,254}[!-~])?$/, {
  what: 'a header value of visible ASCII characters',
  write: 'plain text such as Viewer',
  fix: quoted,
});

export const subjectPrefix = text(/^[A-Za-z0-9._:@/|-]{1,64}$/, {
  what: 'a prefix of visible characters',
  write: 'letters, digits and . _ : @ / | -, as in okta-',
});

/** A name that another section defines. check/references.ts checks that the name is defined. */
export const reference = (refers: Named) =>
  z
    .string()
    .min(1)
    .register(hints, { what: `the name of ${/^[ai]/.test(refers) ? 'an' : 'a'} ${refers}`, write: 'a name', refers });

export const keyFile = filePath.describe('PEM file of the private key; nginx’s workers must be able to read it.');
export const certFile = filePath.describe('PEM file of the certificate and its chain.');
