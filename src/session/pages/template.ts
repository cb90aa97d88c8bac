import { escapeHtml, type Html } from './escape.ts';

/** A template: texts and names of slots, alternating. */
export type Template = readonly string[];

/** The values of the slots. `main` is HTML; all others are text. */
interface Slots {
  readonly lang: string;
  readonly title: string;
  readonly main: Html;
  readonly host: string;
  readonly stylesheet: string;
}

const SLOTS: readonly (keyof Slots)[] = ['lang', 'title', 'main', 'host', 'stylesheet'];

/** Slots that every template must contain. */
const NEEDED: readonly (keyof Slots)[] = ['lang', 'title', 'main'];

type ReadTemplate =
  | { readonly template: Template }
  /** `line` is counted from 1. */
  | { readonly errors: readonly { readonly line: number; readonly message: string }[] };

/** Reads a template: HTML that has `{{name}}` for each value. */
export function readTemplate(text: string): ReadTemplate {
  const template: string[] = [];
  const errors: { line: number; message: string }[] = [];
  const slot = /\{\{([^{}]*)\}\}|\{\{/g;
  let end = 0;
  let line = 1;
  let counted = 0;
  for (let found = slot.exec(text); found !== null; found = slot.exec(text)) {
    const [entire] = found;
    const name = found[1]?.trim();
    line += text.slice(counted, found.index).split('\n').length - 1;
    counted = found.index;
    if (name === undefined) errors.push({ line, message: '"{{" is not closed' });
    else if (!(SLOTS as readonly string[]).includes(name)) {
      const message = `no slot ${JSON.stringify(name)}; there are ${SLOTS.map((one) => `{{${one}}}`).join(' ')}`;
      errors.push({ line, message });
    }
    template.push(text.slice(end, found.index), name ?? '');
    end = found.index + entire.length;
  }
  template.push(text.slice(end));
  for (const name of NEEDED) {
    if (!template.some((part, i) => i % 2 === 1 && part === name)) {
      errors.push({ line: 1, message: `{{${name}}} is missing` });
    }
  }
  if (/<script|\son\w+\s*=|<style|\sstyle\s*=/i.test(text)) {
    errors.push({ line: 1, message: 'browsers run no script and no inline style of these pages; use style.css' });
  }
  return errors.length === 0 ? { template } : { errors };
}

/** Returns the page: the template with escaped values in its slots. */
export function fillTemplate(template: Template, slots: Slots): string {
  let text = template[0] as string;
  for (let i = 1; i < template.length; i += 2) {
    const value = slots[template[i] as keyof Slots];
    text += (typeof value === 'string' ? escapeHtml(value) : value.text) + template[i + 1];
  }
  return text;
}
