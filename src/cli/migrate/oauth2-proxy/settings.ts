import type { Findings } from '../findings.ts';
import { type Option, optionsByName } from './options.ts';

/** Where a setting is written. A later one wins over an earlier one. */
export const LEVELS = ['config', 'environment', 'alpha', 'flag'] as const;

export type Level = (typeof LEVELS)[number];

/** One setting as a file has it. */
export interface Written {
  readonly level: Level;
  /** The name of the option, with dashes. */
  readonly name: string;
  /** The setting as its file spells it, for people. */
  readonly label: string;
  readonly values: readonly string[];
  /** Set if the value itself is elsewhere: in a Secret, or in a variable that no file sets. */
  readonly elsewhere?: string;
}

/** The beginning of the name of a setting that is a parameter of the authorization request. */
export const PARAMETER = 'parameter ';

/** The name of settings that are in another file: its label names the place, and `elsewhere` the file. */
export const UNREAD = 'unread';

/** The settings of oauth2-proxy, of all its files. */
export class Settings {
  readonly #all = new Map<string, Written>();
  /** Further parameters of the authorization request, by name. */
  readonly parameters: Record<string, string> = {};

  /** Set if settings are in files that the command does not have. They may restrict access. */
  isIncomplete = false;

  /** @param findings receives what becomes of each setting, as far as the table of options says it */
  constructor(written: readonly Written[], findings: Findings) {
    const ordered = [...written].sort((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level));
    for (const it of ordered) this.#add(it, findings);
    for (const [name, it] of this.#all) report(it, optionsByName.get(name), findings);
  }

  #add(it: Written, findings: Findings): void {
    if (it.name === UNREAD) {
      this.isIncomplete = true;
      const text = `give ${it.elsewhere} to the command, too: until then the role is closed, because its settings may restrict access`;
      findings.ask(it.label, text);
      return;
    }
    if (it.name.startsWith(PARAMETER)) {
      this.parameters[it.name.slice(PARAMETER.length)] = it.values[0] ?? '';
      findings.carry(it.label, 'providers.NAME.signin.parameters');
      return;
    }
    const option = optionsByName.get(it.name);
    if (option === undefined) {
      findings.lose(it.label, 'oauth2-proxy 7.15 has no such option: check its spelling');
      return;
    }
    const before = this.#all.get(option.name);
    const joins = option.list && before?.level === it.level;
    const values = joins ? [...before.values, ...it.values] : it.values;
    const elsewhere = it.elsewhere ?? (joins ? before.elsewhere : undefined);
    this.#all.set(option.name, { ...it, name: option.name, values, ...(elsewhere !== undefined && { elsewhere }) });
  }

  has(name: string): boolean {
    return this.#all.has(name);
  }

  /** Whether the option restricts access by a value that the files do not contain. */
  isElsewhere(name: string): boolean {
    return this.#all.get(name)?.elsewhere !== undefined;
  }

  label(name: string): string {
    return this.#all.get(name)?.label ?? `--${name}`;
  }

  text(name: string): string | undefined {
    const value = this.#all.get(name)?.values[0]?.trim();
    return value === '' ? undefined : value;
  }

  list(name: string): readonly string[] {
    return (this.#all.get(name)?.values ?? []).map((it) => it.trim()).filter((it) => it !== '');
  }

  is(name: string, usual = false): boolean {
    const text = this.text(name)?.toLowerCase();
    if (text === undefined) return this.has(name) && !this.isElsewhere(name) ? true : usual;
    return ['true', '1', 't', 'yes', 'on'].includes(text);
  }

  names(): readonly string[] {
    return [...this.#all.keys()];
  }
}

function report({ label, values, elsewhere }: Written, option: Option | undefined, findings: Findings): void {
  if (option === undefined) return;
  const { same, to, lost, secret, bool } = option;
  const value = values.join(',').trim();
  const isSame =
    same !== undefined && (value.toLowerCase() === same.toLowerCase() || (bool && value === '' && same === 'true'));
  if (elsewhere !== undefined && secret === undefined) {
    findings.ask(
      label,
      `its value is not in these files, but in ${elsewhere}: write it into the file, or into the policy`,
    );
  }
  if (lost === undefined) findings.carry(label, to ?? '');
  else if (isSame || (value === '' && !bool && elsewhere === undefined)) findings.carry(label, to ?? 'the same');
  else findings.lose(label, lost);
}
