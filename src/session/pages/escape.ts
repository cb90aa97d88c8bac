const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
  '=': '&#61;',
};

/** Halves of surrogate pairs, which no UTF-8 has. */
const HALF = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/**
 * Text for HTML, in an element or in an attribute, quoted or not. Controls, which no text of ours needs and which
 * HTML forbids even as references, and halves of surrogates become U+FFFD.
 */
export function escapeHtml(text: string): string {
  return text
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '\ufffd')
    .replace(HALF, '\ufffd')
    .replace(/[&<>"'`=]/g, (char) => ENTITIES[char] as string);
}

/** HTML that is whole already: only {@link html} makes it. */
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

/** Tag of templates: every value in them is escaped, unless it was made by this tag. */
export function html(pieces: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = pieces[0] as string;
  for (let i = 0; i < parts.length; i++) text += textOf(parts[i]) + pieces[i + 1];
  return new Html(text);
}

/** Percent-encodes all but unreserved characters, as a simple expansion does (RFC 6570 section 3.2.2). */
export function encodeUnreserved(text: string): string {
  return encodeURIComponent(text.replace(HALF, '\ufffd')).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
