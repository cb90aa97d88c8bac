import type { Findings } from '../findings.ts';
import { report } from '../table.ts';
import { secondsOf } from '../text-forms.ts';
import { type Option, optionsByFlag, replacedByAlpha } from './options.ts';
import { isClientAddress, isSigned, LEVELS, type Level, startsWith } from './values.ts';

/** One setting as a file has it. */
export interface Written {
  readonly level: Level;
  /** The name of the flag, without dashes before it. */
  readonly name: string;
  /** The setting as its file spells it, for people. */
  readonly label: string;
  readonly values: readonly string[];
  /** Set if the value itself is elsewhere: in a Secret, or in a variable that no file sets. */
  readonly elsewhere?: string;
  /** Set if oauth2-proxy does not start with this setting: why. */
  readonly mistake?: string;
  /** Set if oauth2-proxy does not read this setting: why. */
  readonly ignored?: string;
}

/** Why a setting closes the policy. */
export const mistakes = {
  option: 'oauth2-proxy does not start, because it has no such option: check its spelling',
  value: 'oauth2-proxy does not start with this value, or it is not known how it reads it',
  twice: 'it is written several times, and it is not known which of them oauth2-proxy reads',
  alpha: 'oauth2-proxy does not start with this option beside an alpha configuration',
} as const;

/** The beginning of the name of a setting that is a parameter of the authorization request. */
export const PARAMETER = 'parameter ';

/** The name of settings that are in another file: its label names the place, and `elsewhere` the file. */
export const UNREAD = 'unread';

/** The settings of oauth2-proxy, of all its files. */
export class Settings {
  readonly #all = new Map<string, Written>();
  /** Further parameters of the authorization request, by name. */
  readonly parameters: Record<string, string> = {};

  /** Set if it is not known who passes: settings are in files that the command does not have, or oauth2-proxy does not
   * start with them. The policy then admits no caller. */
  isClosed = false;

  readonly #findings: Findings;

  /** @param findings receives what becomes of each setting, as far as the table of options says it
   * @param hasAlpha whether an alpha configuration replaces some options */
  constructor(written: readonly Written[], findings: Findings, hasAlpha = false) {
    this.#findings = findings;
    const ordered = [...written].sort((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level));
    for (const it of ordered) this.#add(hasAlpha ? besideAlpha(it) : it, findings);
    for (const [name, it] of this.#all) reportOf(it, optionsByFlag.get(name), findings);
    this.#check();
  }

  /** Closes the policy until a person has corrected a setting. */
  close(label: string, why: string): void {
    this.isClosed = true;
    this.#findings.ask(label, `${why}. The policy is closed: correct it, and migrate again`);
  }

  /** Closes the policy if oauth2-proxy does not start with these settings. */
  #check(): void {
    for (const [name, starts] of Object.entries(startsWith)) {
      const { values = [], elsewhere } = this.#all.get(name) ?? {};
      if (elsewhere === undefined && !values.every(starts)) this.close(this.label(name), mistakes.value);
    }
    const type = this.text('provider') ?? 'google';
    if (isSigned(type) && this.text('oidc-issuer-url') === undefined && !this.isElsewhere('oidc-issuer-url'))
      this.close('--oidc-issuer-url', 'oauth2-proxy does not start without it');
    if (this.is('reverse-proxy') && !isClientAddress(this.text('real-client-ip-header') ?? 'X-Real-IP'))
      this.close(this.label('real-client-ip-header'), mistakes.value);
    const [expire, refresh] = [
      secondsOf(this.text('cookie-expire') ?? '168h'),
      secondsOf(this.text('cookie-refresh') ?? '0'),
    ];
    if (expire !== 0 && (refresh ?? 0) >= (expire ?? 0))
      this.close(this.label('cookie-refresh'), 'oauth2-proxy does not start unless it is less than cookie-expire');
    if (this.is('skip-jwt-bearer-tokens') && !this.list('extra-jwt-issuers').every((it) => it.includes('=')))
      this.close(this.label('extra-jwt-issuers'), mistakes.value);
  }

  #add(it: Written, findings: Findings): void {
    if (it.name === UNREAD) {
      this.isClosed = true;
      const text = `give ${it.elsewhere} to the command, too: until then the role is closed, because its settings may restrict access`;
      findings.ask(it.label, text);
      return;
    }
    if (it.name.startsWith(PARAMETER)) {
      this.parameters[it.name.slice(PARAMETER.length)] = it.values[0] ?? '';
      findings.migrated(it.label, 'providers.NAME.signin.parameters');
      return;
    }
    const option = optionsByFlag.get(it.name);
    if (it.ignored !== undefined) findings.lose(it.label, it.ignored);
    if (it.mistake !== undefined || (option === undefined && it.ignored === undefined))
      this.close(it.label, it.mistake ?? mistakes.option);
    if (option === undefined || it.ignored !== undefined) return;
    const before = this.#all.get(option.name);
    const isAgain = before?.level === it.level;
    if (isAgain && it.level !== 'flag' && JSON.stringify(before.values) !== JSON.stringify(it.values))
      this.close(it.label, mistakes.twice);
    const joins = option.list && isAgain && it.level === 'flag';
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
    return this.#all.get(name)?.values[0] || undefined;
  }

  /** Returns the values of an option, also empty ones. */
  values(name: string): readonly string[] {
    return this.#all.get(name)?.values ?? [];
  }

  list(name: string): readonly string[] {
    return this.values(name).filter((it) => it !== '');
  }

  is(name: string, usual = false): boolean {
    const text = this.text(name);
    return text === undefined ? usual : text === 'true';
  }

  names(): readonly string[] {
    return [...this.#all.keys()];
  }
}

/** With an alpha configuration, oauth2-proxy does not read the options that are part of it. */
function besideAlpha(it: Written): Written {
  if (it.level === 'alpha' || !replacedByAlpha.has(it.name)) return it;
  if (it.level !== 'environment') return { ...it, mistake: mistakes.alpha };
  return { ...it, ignored: 'oauth2-proxy reads the alpha configuration instead' };
}

function reportOf({ label, values, elsewhere }: Written, option: Option | undefined, findings: Findings): void {
  if (option === undefined) return;
  const { same, secret, bool } = option;
  const value = values.join(',');
  const isSame = same !== undefined && value.toLowerCase() === same.toLowerCase();
  if (elsewhere !== undefined && secret === undefined) {
    findings.ask(
      label,
      `its value is not in these files, but in ${elsewhere}: write it into the file, or into the policy`,
    );
  }
  report(option, label, isSame || (value === '' && !bool && elsewhere === undefined), findings);
}
