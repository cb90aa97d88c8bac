import crypto from 'crypto';
import { ownOf } from '../../base/own.ts';
import { objectIn } from '../../token/json.ts';
import type { Catalogues } from './language.ts';
import { clickGuard } from './style.ts';
import { readTemplate } from './template.ts';
import { en } from './texts/en.ts';
import type { Asset, Theme } from './types.ts';

/** A stylesheet with the {@link clickGuard}, also an operator's. Its name contains its hash. */
export function styleAsset(own: string): Asset {
  const text = `${own}\n${clickGuard}`;
  return { name: `style-${crypto.createHash('sha256').update(text).digest('hex').slice(0, 16)}.css`, text };
}

/** Media types of the pictures and fonts that page and stylesheet may use. */
const PICTURES: Readonly<Record<string, string>> = {
  svg: 'image/svg+xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  webp: 'image/webp',
  ico: 'image/x-icon',
  woff2: 'font/woff2',
};

/** Returns the media type of a picture or font in the folder; `undefined` for any other file. */
export function pictureType(name: string): string | undefined {
  const extension = /^[A-Za-z0-9_-]{1,64}\.([a-z0-9]{2,5})$/.exec(name)?.[1];
  return extension && ownOf(PICTURES, extension);
}

/** Returns the language of a file of texts, such as `de.json` or `pt-BR.json`, as BCP 47 in lower case. */
export function languageOf(name: string): string | undefined {
  return /^([a-z]{2,3}(?:-[a-z0-9]{2,8})*)\.json$/i.exec(name)?.[1]?.toLowerCase();
}

/** Whether a file of the folder is read as text. */
export const isThemeText = (name: string): boolean =>
  name === 'page.html' || name === 'style.css' || languageOf(name) !== undefined;

const slotsOf = (text: string): string => [...text.matchAll(/\{\w+\}/g)].map(String).sort().join(' ');

/** Reads the texts that a file replaces. `wrong` receives its mistakes. */
function readTexts(text: string, wrong: (message: string) => void): Readonly<Record<string, string>> {
  const all = objectIn(text);
  if (all === undefined) {
    wrong('it is not a JSON object of texts by name');
    return {};
  }
  const good = Object.entries(all).filter(([name, value]) => {
    if (!Object.hasOwn(en, name)) wrong(`no text is named ${JSON.stringify(name)}`);
    else if (typeof value !== 'string') wrong(`${name} is not a text`);
    else {
      const needed = slotsOf(en[name as keyof typeof en]);
      if (slotsOf(value) === needed) return true;
      wrong(`${name} must contain ${needed === '' ? 'no values' : `the values ${needed}`}`);
    }
    return false;
  });
  return Object.fromEntries(good) as Readonly<Record<string, string>>;
}

/** Reads the folder `gateway.signin.pages_dir`: `page.html`, `style.css`, texts by language, pictures and fonts.
 * @param files contents by file name. The contents of pictures and fonts are not used. */
export function readTheme(files: Readonly<Record<string, string>>) {
  const errors: { readonly file: string; readonly line: number; readonly message: string }[] = [];
  const texts: Record<string, Catalogues[string]> = {};
  let theme: Theme = {};
  for (const [file, text] of Object.entries(files)) {
    const wrong = (message: string, line = 1): void => void errors.push({ file, line, message });
    const language = languageOf(file);
    if (file === 'page.html') {
      const read = readTemplate(text);
      if ('template' in read) theme = { ...theme, page: read.template };
      else for (const { line, message } of read.errors) wrong(message, line);
    } else if (file === 'style.css') theme = { ...theme, style: styleAsset(text) };
    else if (language !== undefined) texts[language] = readTexts(text, wrong);
    else if (pictureType(file) !== undefined) theme = { ...theme, pictures: true };
    else
      wrong(
        'this file is not used: the folder may have page.html, style.css, de.json and the like, pictures and fonts',
      );
  }
  return { theme: Object.keys(texts).length === 0 ? theme : { ...theme, texts }, errors };
}
