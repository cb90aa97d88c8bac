import fs from 'fs';
import { THEME_INTERVAL_S } from '../../session/limits.ts';
import { isThemeText, readTheme } from '../../session/pages/theme.ts';
import type { Theme } from '../../session/pages/types.ts';

function filesOf(dir: string): Readonly<Record<string, string>> {
  const names = (fs.readdirSync(dir) as string[]).filter((name) => !name.startsWith('.'));
  const read = (name: string) => (isThemeText(name) ? fs.readFileSync(`${dir}/${name}`, 'utf8') : '');
  return Object.fromEntries(names.map((name) => [name, read(name)]));
}

/** Reads an operator's folder of pages again every few seconds. Invalid parts are logged, and the default replaces
 * them. */
export class ThemeFolder {
  readonly #dir: string | undefined;
  #theme: Theme = {};
  #reported = '';
  #due = 0;

  /** @param dir absent: all pages are the default */
  constructor(dir: string | undefined) {
    this.#dir = dir;
  }

  /** @param now seconds since the epoch */
  theme(now: number): Theme {
    if (this.#dir === undefined || now < this.#due) return this.#theme;
    this.#due = now + THEME_INTERVAL_S;
    try {
      const { theme, errors } = readTheme(filesOf(this.#dir));
      this.#theme = theme;
      this.#say(errors.map(({ file, line, message }) => `${this.#dir}/${file}:${line} ${message}`).join('; '));
    } catch (error) {
      // The folder is being replaced, so the previous state is used.
      this.#say(`${this.#dir}: ${(error as Error).message}`);
    }
    return this.#theme;
  }

  /** Returns the bytes of a picture or font in the folder. */
  picture(name: string): Buffer | undefined {
    if (this.#dir === undefined) return undefined;
    try {
      return fs.readFileSync(`${this.#dir}/${name}`) as Buffer;
    } catch {
      return undefined;
    }
  }

  /** Logs each new mistake once. */
  #say(mistakes: string): void {
    if (mistakes !== '' && mistakes !== this.#reported) ngx.log(ngx.ERR, `meshgate: pages: ${mistakes}`);
    this.#reported = mistakes;
  }
}
