const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
  '=': '&#61;',
};

/** Matches unpaired surrogates. UTF-8 cannot encode them. */
const HALF = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Escapes text for HTML. The result is safe in an element and in an attribute, with or without quotes. Control
 * characters, which HTML forbids even as character references, and unpaired surrogates become U+FFFD. */
export function escapeHtml(text: string): string {
  return text
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '\ufffd')
    .replace(HALF, '\ufffd')
    .replace(/[&<>"'`=]/g, (char) => ENTITIES[char] as string);
}

/** HTML that is already escaped. Only {@link html} makes such objects. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | Html | undefined | readonly Html[];

function textOf(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.text;
  return typeof part === 'string' ? escapeHtml(part) : part.map(({ text }) => text).join('');
}

/** A template tag that escapes every value, except values that this tag made. */
export function html(pieces: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = pieces[0] as string;
  for (let i = 0; i < parts.length; i++) text += textOf(parts[i]) + pieces[i + 1];
  return new Html(text);
}

/** Percent-encodes all characters except unreserved ones, as in a simple expansion (RFC 6570 section 3.2.2). */
export function encodeUnreserved(text: string): string {
  return encodeURIComponent(text.replace(HALF, '\ufffd')).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
