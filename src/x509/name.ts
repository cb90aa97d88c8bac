import { contents, type Element, hex, objectId, TAG, within } from './der.ts';

/** Attribute types that have a short name (RFC 4514 section 3), by the bytes of their object identifiers. */
const SHORT: Readonly<Record<string, string>> = {
  '550403': 'CN',
  '550406': 'C',
  '550407': 'L',
  '550408': 'ST',
  '550409': 'STREET',
  '55040a': 'O',
  '55040b': 'OU',
  '0992268993f22c640101': 'UID',
  '0992268993f22c640119': 'DC',
};

/** The tags of UTF8String, PrintableString and IA5String. */
const TEXTS: readonly number[] = [0x0c, 0x13, 0x16];

/** Returns an object identifier as numbers with dots, such as `1.2.840.113549.1.9.1`. */
function dotted(bytes: Uint8Array): string {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of bytes) {
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      numbers.push(value);
      value = 0;
    }
  }
  const [first = 0, ...rest] = numbers;
  const top = Math.min(2, Math.floor(first / 40));
  return [top, first - top * 40, ...rest].join('.');
}

const strict = new TextDecoder('utf-8', { fatal: true });

function textOf(value: Element): string | undefined {
  if (!TEXTS.includes(value.tag)) return undefined;
  try {
    return strict.decode(contents(value) as unknown as ArrayBuffer);
  } catch {
    return undefined;
  }
}

const escaped = (text: string): string =>
  text
    .replace(/["+,;<>\\]|^[ #]| $/g, '\\$&')
    .replace(/[\x00-\x1f\x7f]/g, (char) => `\\${char.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** Returns one attribute as text, or in hexadecimal if it has no short name or its value is not text. */
function attributeText(attribute: Element): string | undefined {
  const [type, value, ...more] = within(attribute) ?? [];
  const id = objectId(type);
  if (type === undefined || id === undefined || value === undefined || more.length > 0) return undefined;
  const name = SHORT[id];
  const text = name === undefined ? undefined : textOf(value);
  if (name !== undefined && text !== undefined) return `${name}=${escaped(text)}`;
  return `${name ?? dotted(contents(type))}=#${hex(value.bytes.subarray(value.start - headLength(value), value.end))}`;
}

/** Returns the number of bytes of an element before its contents: its tag and its length. */
function headLength({ start, end }: Element): number {
  const length = end - start;
  return length < 0x80 ? 2 : length < 0x100 ? 3 : length < 0x10000 ? 4 : 5;
}

const SET = 0x31;

/** Returns a Name as text (RFC 4514), such as `CN=ci,O=Example`, the last part first; undefined if malformed. */
export function nameText(name: Element): string | undefined {
  if (name.tag !== TAG.sequence) return undefined;
  const parts = within(name)?.map((part) => within(part, SET)?.map(attributeText));
  const entire = parts?.every((part) => part !== undefined && part.length > 0 && part.every((it) => it !== undefined));
  if (!entire) return undefined;
  const texts = (parts as string[][]).map((part) => part.join('+'));
  return texts.reverse().join(',');
}
