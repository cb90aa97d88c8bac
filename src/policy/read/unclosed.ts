import type { Problem } from './tree.ts';

const CLOSING: Readonly<Record<string, string>> = { '{': '}', '[': ']' };

/** Finds a bracket or quote that is not closed. YAML notices the mistake only later, perhaps many lines below. The
 * search assumes that quoted texts have one line, and that words contain no brackets. */
export function findUnclosed(text: string, start: number, end: number): Problem | undefined {
  const open: number[] = [];
  for (let at = start; at < end; at++) {
    const char = text[at] ?? '';
    const first = /^$|[\s[{,:(-]/.test(text[at - 1] ?? '');
    if (char === '#' && /^$|\s/.test(text[at - 1] ?? '')) {
      at = endOfLine(text, at);
    } else if (first && (char === '"' || char === "'")) {
      const close = closingQuote(text, at, char);
      if (close === -1) return { at, message: `this quote is left open; add ${char} where the text ends` };
      at = close;
    } else if (first && CLOSING[char]) {
      open.push(at);
    } else if (CLOSING[text[open.at(-1) ?? -1] ?? ''] === char) {
      open.pop();
    }
  }
  const last = open.at(-1);
  const char = text[last ?? -1] ?? '';
  const crossed = /[\]}]/.test(text[end] ?? '') && text[end] !== CLOSING[char];
  if (last === undefined || (endOfLine(text, last) >= end && !crossed)) return undefined;
  return { at: last, message: `this ${char} is left open; add the closing ${CLOSING[char]}` };
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
}

/** The offset of the closing quote in the same line; -1 if the line has none. */
function closingQuote(text: string, from: number, quote: string): number {
  const end = endOfLine(text, from);
  for (let at = from + 1; at < end; at++) {
    if (quote === '"' && text[at] === '\\') at++;
    else if (text[at] === quote && quote === "'" && text[at + 1] === quote) at++;
    else if (text[at] === quote) return at;
  }
  return -1;
}
