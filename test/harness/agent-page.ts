import { parseHTML } from 'linkedom';
import type { Answer } from './http.ts';

/** One request on the way to a page, and its response. */
export interface Hop {
  readonly method: string;
  readonly url: string;
  readonly answer: Answer;
}

/** The request that a form sends. */
export interface Submission {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly fields: URLSearchParams;
}

/** The end of a navigation: the last response, which may be a redirect that was not followed. */
export class Visited {
  /** In order; the last one is the page. */
  readonly hops: readonly Hop[];

  constructor(hops: readonly Hop[]) {
    this.hops = hops;
  }

  get url(): string {
    return this.hops.at(-1)!.url;
  }

  get answer(): Answer {
    return this.hops.at(-1)!.answer;
  }

  get status(): number {
    return this.answer.status;
  }

  get text(): string {
    return this.answer.text;
  }

  /** The absolute target of a redirect. */
  get location(): string | undefined {
    const location = this.answer.header('Location');
    return location === undefined ? undefined : new URL(location, this.url).href;
  }

  /** The page, for selectors. */
  // biome-ignore lint/suspicious/noExplicitAny: a DOM, without the types of one
  get document(): any {
    return parseHTML(this.text).document;
  }

  /** The target of a link. */
  link(selector: string): string {
    const link = this.document.querySelector(selector);
    if (link === null) throw new Error(`no ${selector} in the page of ${this.url}:\n${this.text.slice(0, 2000)}`);
    return new URL(link.getAttribute('href') ?? '', this.url).href;
  }

  /** The fields that a form sends: their values in the page, hidden ones included, and the typed values instead of
   * them. */
  form(typed: Readonly<Record<string, string>> = {}, selector = 'form'): Submission {
    const form = this.document.querySelector(selector);
    if (form === null) throw new Error(`no ${selector} in the page of ${this.url}:\n${this.text.slice(0, 2000)}`);
    const fields = new URLSearchParams();
    for (const input of form.querySelectorAll('input[name], textarea[name]')) {
      const type = (input.getAttribute('type') ?? 'text').toLowerCase();
      if (['submit', 'button', 'image', 'reset', 'file'].includes(type)) continue;
      if (['checkbox', 'radio'].includes(type) && !input.hasAttribute('checked')) continue;
      fields.append(input.getAttribute('name'), input.getAttribute('value') ?? input.textContent ?? '');
    }
    for (const [name, value] of Object.entries(typed)) fields.set(name, value);
    const method = (form.getAttribute('method') ?? 'get').toUpperCase() === 'POST' ? 'POST' : 'GET';
    return { method, url: new URL(form.getAttribute('action') || this.url, this.url).href, fields };
  }
}
