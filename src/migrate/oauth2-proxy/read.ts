import { parse as parseToml, TomlError } from 'smol-toml';
import { foreign } from '../../base/hostile-text.ts';
import type { Findings } from '../findings.ts';
import { objectsIn, type Plain, readDocuments, textOf } from '../read-yaml.ts';
import { isAddress } from '../text-forms.ts';
import { type Alpha, isAlpha, readAlpha } from './alpha.ts';
import { PROGRAM, readEnvFile, readFlags, readSetting, readVariables, words } from './command-line.ts';
import { configMapOf, type Inner, readObject } from './containers.ts';
import { optionsByKey } from './options.ts';
import { mistakes, UNREAD, type Written } from './settings.ts';

/** A file that the user named. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

export interface Read {
  readonly written: readonly Written[];
  readonly alpha?: Alpha;
  /** Addresses of people, of a file of addresses. */
  readonly addresses: readonly string[];
  /** What cannot be read: each with its file, and its line if it is known. */
  readonly unreadable: readonly string[];
}

type Form = 'addresses' | 'environment' | 'toml' | 'command' | 'yaml';

/** Whether a line runs oauth2-proxy: in a shell, a unit of systemd, or `docker run`. */
function isCommand(line: string): boolean {
  const words = line
    .replace(/^(?:ExecStart\s*=\s*|exec\s+)/, '')
    .replace(/\\$/, ' \\')
    .split(/\s+/);
  const most = words[0] === 'docker' && words[1] === 'run' ? words.length : 1;
  return words.slice(0, most).some((word, index) => PROGRAM.test(word) && /^(?:-|\\$)/.test(words[index + 1] ?? ''));
}

/** Returns the form of a file by its text. */
export function formOf(text: string): Form {
  const lines = text.split('\n').map((line) => line.trim());
  const declared = lines.filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('//'));
  const [first = ''] = declared;
  if (declared.length > 0 && declared.every((line) => isAddress(line.split(',')[0] ?? ''))) return 'addresses';
  if (/^(?:export\s+)?[A-Z_][A-Z0-9_]*\s*=/.test(first)) return 'environment';
  if (/^#!/.test(text) || /^-{1,2}[a-z]/.test(first) || declared.some(isCommand)) return 'command';
  if (/^[A-Za-z0-9_"'-]+\s*=/.test(first) || /^\[[\w."]+\]$/.test(first)) return 'toml';
  return 'yaml';
}

class Reading {
  readonly written: Written[] = [];
  readonly addresses: string[] = [];
  readonly unreadable: string[] = [];
  readonly configMaps: string[] = [];
  readonly mounted: Inner[] = [];
  /** The names of the files of ConfigMaps that are read, because a flag names them. */
  readonly named: string[] = [];
  /** How many files have settings as the user named them. */
  readonly given = { config: 0, environment: 0 };
  readonly proxies = new Set<string>();
  alpha: Alpha | undefined;

  readonly #findings: Findings;
  readonly #variables: ReadonlyMap<string, string>;

  constructor(findings: Findings, variables: ReadonlyMap<string, string>) {
    this.#findings = findings;
    this.#variables = variables;
  }

  file({ name, text }: Source, form: Form): void {
    if (form === 'addresses') this.addresses.push(...addressesIn(text));
    else if (form === 'environment') this.written.push(...readVariables(readEnvFile(text)));
    else if (form === 'command') this.written.push(...readFlags(words(text), this.#variables));
    else if (form === 'toml') this.toml(name, text);
    else this.yaml(name, text);
  }

  toml(name: string, text: string): void {
    let table: Plain;
    try {
      table = parseToml(text) as Plain;
    } catch (error) {
      // The message of the parser quotes the line, which may have a secret.
      const line = error instanceof TomlError ? `:${error.line}` : '';
      this.unreadable.push(`${name}${line}: not TOML: is a quote or a bracket missing?`);
      return;
    }
    for (const [key, value] of Object.entries(table)) {
      const option = optionsByKey.get(key.toLowerCase());
      if (option === undefined) {
        const name = { level: 'config', name: '', values: [], mistake: mistakes.option } as const;
        this.written.push({ ...name, label: foreign(key, 80) });
      } else this.written.push(readSetting('config', key, option, value));
    }
  }

  yaml(name: string, text: string): void {
    const documents = readDocuments(text);
    if ('line' in documents) {
      this.unreadable.push(
        `${name}:${documents.line}: not YAML that all programs read alike, TOML, variables or flags`,
      );
      return;
    }
    const objects = objectsIn(documents);
    if (objects.length === 0) this.unreadable.push(`${name}: no configuration of oauth2-proxy in this file`);
    for (const object of objects) this.object(name, object);
  }

  object(name: string, object: Plain): void {
    if (isAlpha(object)) {
      this.alpha = readAlpha(object, this.#findings, this.#variables);
      return;
    }
    const found = readObject(object, this.#variables);
    if (found === undefined) {
      this.unreadable.push(
        `${name}: not a Deployment, a compose file, values of the Helm chart, or an alpha configuration`,
      );
      return;
    }
    this.written.push(...found.written);
    for (const it of found.proxies ?? []) this.proxies.add(it);
    if (object.kind === 'ConfigMap') this.configMaps.push(textOf((object.metadata as Plain | undefined)?.name) ?? '');
    for (const file of found.files) this.inner(file);
    this.mounted.push(...(found.mounted ?? []));
  }

  inner(file: Inner): void {
    const form = formOf(file.text);
    if (form !== 'yaml' || /\.ya?ml$|alpha/.test(file.name)) this.file(file, form);
  }

  /** Reads the files of ConfigMaps that flags name; without such flags, those whose names are those of configurations. */
  readMounted(): void {
    const paths = this.written.filter(({ name }) => name === 'config' || name === 'alpha-config');
    const wanted = paths.map(({ values: [path = ''] }) => path.slice(path.lastIndexOf('/') + 1));
    const isConfig = ({ name }: Inner) => /\.(?:cfg|toml|conf|ya?ml)$/.test(name);
    const isRead = paths.length === 0 ? isConfig : ({ name }: Inner) => wanted.includes(name);
    for (const file of this.mounted.filter(isRead)) {
      this.named.push(file.name);
      if (paths.length === 0) this.inner(file);
      else this.file(file, formOf(file.text));
    }
  }
}

/** Reads a list of addresses, which is CSV: if lines have different numbers of fields, oauth2-proxy reads none. */
function addressesIn(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const fields = new Set(lines.map((line) => line.split(',').length));
  if (fields.size > 1 || lines.some((line) => line.includes('"'))) return [];
  return lines.map((line) => (line.split(',')[0] ?? '').trim()).filter((it) => isAddress(it) && !it.startsWith('#'));
}

/** The files that settings name, and that are not among those that were read. Each file of variables stands for one. */
function unreadFiles({ written, alpha, configMaps, named, given }: Reading): readonly Written[] {
  const isRead = ({ elsewhere }: Written) => configMaps.some((it) => elsewhere === configMapOf(it));
  const sources = written.filter((it) => it.name === UNREAD && !isRead(it));
  const different = [...new Map(sources.map((it) => [`${it.label} ${it.elsewhere}`, it])).values()];
  const files = different.filter(({ level }) => level === 'environment');
  const unnamed = (name: string, isGiven: boolean) =>
    written
      .filter((it) => it.name === name && !isGiven)
      .filter(({ values: [path = ''] }) => !named.includes(path.slice(path.lastIndexOf('/') + 1)))
      .slice(0, 1)
      .map((it): Written => ({ ...it, name: UNREAD, values: [], elsewhere: 'this file' }));
  return [
    ...different.filter((it) => !files.slice(0, given.environment).includes(it)),
    ...unnamed('config', given.config > 0),
    ...unnamed('alpha-config', alpha !== undefined),
  ];
}

/** Reads all files: flags, variables, TOML, objects of Kubernetes, compose files, alpha configurations, and lists of
 * addresses. Files of variables are read first, because others may name them. */
export function readSources(sources: readonly Source[], findings: Findings): Read {
  const forms = sources.map((source) => ({ source, form: formOf(source.text) }));
  const variables = new Map(
    forms.filter(({ form }) => form === 'environment').flatMap(({ source }) => [...readEnvFile(source.text)]),
  );
  const reading = new Reading(findings, variables);
  for (const { source, form } of forms) reading.file(source, form);
  reading.given.config = forms.filter(({ form }) => form === 'toml').length;
  reading.given.environment = forms.filter(({ form }) => form === 'environment').length;
  reading.readMounted();
  const { written, addresses, unreadable, alpha } = reading;
  if (written.length === 0 && alpha === undefined && unreadable.length === 0) {
    unreadable.push('no settings of oauth2-proxy in these files');
  }
  if (reading.proxies.size > 1) {
    const text = `${reading.proxies.size} containers run oauth2-proxy with different settings, and the policy has the settings of all together: give the files of one at a time`;
    findings.differ('oauth2-proxy', text, true);
  }
  return {
    written: [...written.filter(({ name }) => name !== UNREAD), ...unreadFiles(reading), ...(alpha?.written ?? [])],
    ...(alpha && { alpha }),
    addresses: [...new Set(addresses)].slice(0, 2000),
    unreadable,
  };
}
