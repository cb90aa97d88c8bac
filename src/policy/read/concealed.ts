/** The texts that no error may repeat, each with the text that stands in for it. */
export class Concealed {
  readonly #shown = new Map<string, string>();

  /** @param instead - the text that errors show, as in `${STAGE}` */
  add(text: string, instead: string): void {
    const key = text.toLowerCase();
    // The name of a variable says more than that there is a secret.
    if (text !== '' && text !== instead && !this.#shown.has(key)) this.#shown.set(key, instead);
  }

  has(text: string): boolean {
    return this.#shown.has(text.toLowerCase());
  }

  /** Returns a message without these texts. */
  hide(message: string): string {
    const lower = message.toLowerCase();
    // A pattern of all texts can be too long for a regular expression.
    const texts = [...this.#shown.keys()].filter((it) => lower.includes(it)).sort((a, b) => b.length - a.length);
    if (texts.length === 0) return message;
    const pattern = new RegExp(texts.map(patternOf).join('|'), 'gi');
    return message.replace(pattern, (found) => {
      const quoted = /^".*"$/s.test(found) && !this.#shown.has(found.toLowerCase());
      const text = quoted ? found.slice(1, -1) : found;
      const instead = this.#shown.get(text.toLowerCase()) ?? '…';
      return quoted ? `"${instead}"` : instead;
    });
  }
}

/** The number of characters of a text that a pattern has at most. */
const MAX_PATTERN = 1000;

/** Matches a text in a message. A short text is also a part of usual words, so it is a text of its own or in quotes. With
 * a long text, the rest of the message is left out too. */
function patternOf(text: string): string {
  const plain = text.slice(0, MAX_PATTERN).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  if (text.length > MAX_PATTERN) return `${plain}[\\s\\S]*`;
  if (text.length < 3) return `"${plain}"`;
  return text.length < 8 ? `(?<![A-Za-z0-9])${plain}(?![A-Za-z0-9])` : plain;
}
