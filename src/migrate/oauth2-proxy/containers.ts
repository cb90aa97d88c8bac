import { ownOf } from '../../base/own.ts';
import { isMapping, listOf, type Plain, textOf } from '../read-yaml.ts';
import { optionOfVariable, readFlags, readSetting, readVariables, words } from './command-line.ts';
import { type Option, optionsByFlag } from './options.ts';
import { UNREAD, type Written } from './settings.ts';

/** A configuration file inside an object: in a ConfigMap, or in the values of the Helm chart. */
export interface Inner {
  readonly name: string;
  readonly text: string;
}

interface Found {
  readonly written: readonly Written[];
  readonly files: readonly Inner[];
  /** Files of a ConfigMap. Which of them oauth2-proxy reads, only its flags say. */
  readonly mounted?: readonly Inner[];
  /** The settings of each container that runs oauth2-proxy, as a text to compare. */
  readonly proxies?: readonly string[];
}

const NONE: Found = { written: [], files: [] };

const proxyOf = (written: readonly Written[]): Found => ({ written, files: [], proxies: [JSON.stringify(written)] });

const join = (found: readonly Found[]): Found => ({
  written: found.flatMap(({ written }) => written),
  files: found.flatMap(({ files }) => files),
  proxies: found.flatMap(({ proxies = [] }) => proxies),
});

/** Whether a container runs oauth2-proxy: by its image, its name, its command, or its variables. */
function isProxy(container: Plain): boolean {
  const declared = [container.image, container.name, container.container_name, container.command, container.entrypoint];
  return /oauth2?[-_]?proxy/i.test(JSON.stringify([...declared, container.environment ?? container.env ?? '']));
}

/** Returns the words of `command`, `entrypoint` or `args`, which may be a list or one text. */
const wordsOf = (value: unknown): readonly string[] =>
  typeof value === 'string' ? words(value) : listOf(value).flatMap((it) => textOf(it) ?? []);

/** Where the value of a variable is, if it is not in the object itself. */
function sourceOf(entry: Plain): string {
  const from = isMapping(entry.valueFrom) ? entry.valueFrom : {};
  const [kind, ref] = isMapping(from.secretKeyRef)
    ? ['Secret', from.secretKeyRef]
    : ['ConfigMap', isMapping(from.configMapKeyRef) ? from.configMapKeyRef : {}];
  return `the ${kind} ${textOf(ref.name) ?? ''}`;
}

/** How findings name a ConfigMap. */
export const configMapOf = (name: string): string => `the ConfigMap ${name}`;

const unread = (label: string, elsewhere: string): Written => ({
  level: 'environment',
  name: UNREAD,
  label,
  values: [],
  elsewhere,
});

/** Sources of all variables of a container. */
function readSourcesOf(container: Plain): readonly Written[] {
  return listOf(container.envFrom)
    .filter(isMapping)
    .map((it) => {
      const [kind, ref] = isMapping(it.secretRef) ? ['Secret', it.secretRef] : ['ConfigMap', it.configMapRef];
      const name = isMapping(ref) ? (textOf(ref.name) ?? '') : '';
      const prefix = textOf(it.prefix) ?? '';
      if (kind === 'ConfigMap' && prefix === '') return unread('envFrom', configMapOf(name));
      const added = prefix === '' ? '' : `, each with the prefix ${JSON.stringify(prefix.slice(0, 40))}`;
      return unread('envFrom', `a file with the variables of the ${kind} ${name} (without its secrets)${added}`);
    });
}

/** Reads the variables of a container of Kubernetes. */
function readEnv(container: Plain): Found & { readonly variables: ReadonlyMap<string, string> } {
  const entries = listOf(container.env).filter(isMapping);
  const known = entries.flatMap((it) => {
    const [name, value] = [textOf(it.name), textOf(it.value)];
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  });
  const elsewhere = entries
    .filter(({ value, name }) => value === undefined && String(name).startsWith('OAUTH2_PROXY_'))
    .flatMap((it): readonly Written[] => {
      const name = optionOfVariable(String(it.name))?.name;
      if (name === undefined) return [];
      return [{ level: 'environment', name, label: String(it.name), values: [], elsewhere: sourceOf(it) }];
    });
  const variables = new Map(known);
  return {
    written: [...readVariables(known, variables), ...elsewhere, ...readSourcesOf(container)],
    files: [],
    variables,
  };
}

function readContainer(container: Plain): Found {
  if (!isProxy(container)) return NONE;
  const { written, variables } = readEnv(container);
  const args = [...wordsOf(container.command), ...wordsOf(container.args)];
  return proxyOf([...written, ...readFlags(args, variables)]);
}

/** Reads a service of a compose file. */
function readService(service: Plain, variables: ReadonlyMap<string, string>): Found {
  if (!isProxy(service)) return NONE;
  const { environment } = service;
  const entries = isMapping(environment)
    ? Object.entries(environment).map(([name, value]) => [name, textOf(value) ?? `\${${name}}`] as const)
    : listOf(environment).map((it) => {
        const [name = '', ...rest] = String(it).split('=');
        return [name, rest.length === 0 ? `\${${name}}` : rest.join('=')] as const;
      });
  const args = [...wordsOf(service.entrypoint), ...wordsOf(service.command)];
  const { env_file: named } = service;
  const paths = named === undefined ? [] : Array.isArray(named) ? named : [named];
  const files = paths.map((it) => unread('env_file', `the file ${textOf(isMapping(it) ? it.path : it) ?? ''}`));
  const base = service.extends === undefined ? [] : [made('extends', 'docker compose config')];
  return proxyOf([...readVariables(entries, variables), ...readFlags(args, variables), ...files, ...base]);
}

/** Finds all containers of an object, however deep its template is. */
function containersIn(value: unknown, depth = 0): readonly Plain[] {
  if (!isMapping(value) || depth > 6) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (key === 'containers' || key === 'initContainers') return listOf(inner).filter(isMapping);
    return containersIn(inner, depth + 1);
  });
}

/** Keys of the chart's `config` that name no settings beside those that are read here. */
const CHART_CONFIG = [
  ...['annotations', 'clientID', 'clientSecret', 'cookieSecret', 'cookieName', 'configFile', 'existingSecret'],
  ...['requiredSecretKeys', 'secretKeys', 'forceLegacyConfig'],
];

/** Keys of the chart's `alphaConfig` that name no settings beside those that are read here. */
const CHART_ALPHA = ['enabled', 'annotations', 'configData', 'configFile', 'serverConfigData', 'metricsConfigData'];

const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

const flagOf = (name: string, label: string, rest: Partial<Written>): Written => ({
  ...{ level: 'flag', name, label, values: [], ...rest },
});

/** Objects that make or change others. They may have settings, which only the result shows. */
const MAKERS: Readonly<Record<string, string>> = {
  Kustomization: 'kubectl kustomize',
  HelmRelease: 'helm template',
  HelmChart: 'helm template',
  Application: 'helm template',
};

const made = (label: string, command: string): Written =>
  flagOf(UNREAD, label, { elsewhere: `the output of "${command}", instead of this file,` });

/** Settings that the chart takes from an object of the cluster, and keys that are not known: they may restrict access. */
function elsewhereIn(values: Plain, section: 'config' | 'alphaConfig'): readonly Written[] {
  const [known, option, path] =
    section === 'config'
      ? [CHART_CONFIG, 'config', '/etc/oauth2_proxy/oauth2_proxy.cfg']
      : [CHART_ALPHA, 'alpha-config', '/etc/oauth2_alpha/oauth2_proxy.yml'];
  return Object.entries(values)
    .filter(([key, value]) => !known.includes(key) && !isEmpty(value))
    .map(([key]) => {
      const label = `${section}.${key.slice(0, 60)}`;
      const isFile = key === 'existingConfig' || (section === 'alphaConfig' && key === 'existingSecret');
      return isFile
        ? flagOf(option, label, { values: [path] })
        : flagOf(UNREAD, label, { elsewhere: 'the flags that the chart makes of this key' });
    });
}

/** Reads the values of the Helm chart of oauth2-proxy. */
function readValues(values: Plain): Found {
  const config = isMapping(values.config) ? values.config : {};
  const named = {
    clientID: 'client-id',
    clientSecret: 'client-secret',
    cookieSecret: 'cookie-secret',
    cookieName: 'cookie-name',
  };
  const written = Object.entries(named).flatMap(([key, name]): readonly Written[] => {
    const value = textOf(config[key]);
    // The chart writes them into variables.
    const option = optionsByFlag.get(name) as Option;
    return value === undefined || value === '' ? [] : [readSetting('environment', `config.${key}`, option, value)];
  });
  const extra = values.extraArgs;
  const args = isMapping(extra)
    ? Object.entries(extra).flatMap(([name, value]) =>
        (Array.isArray(value) ? value : [value]).map((it) =>
          it === null || it === '' ? `--${name}` : `--${name}=${textOf(it) ?? ''}`,
        ),
      )
    : wordsOf(extra);
  const env = readEnv({ env: values.extraEnv, envFrom: values.envFrom });
  const alphaConfig = isMapping(values.alphaConfig) && values.alphaConfig.enabled === true ? values.alphaConfig : {};
  const alpha = alphaConfig.configData;
  return {
    written: [
      ...[...written, ...env.written, ...readFlags(args, env.variables)],
      ...elsewhereIn(config, 'config'),
      ...elsewhereIn(alphaConfig, 'alphaConfig'),
    ],
    files: [
      ...(typeof config.configFile === 'string' ? [{ name: 'config.configFile', text: config.configFile }] : []),
      ...(isMapping(alpha) ? [{ name: 'alphaConfig.configData', text: JSON.stringify(alpha) }] : []),
      ...(textOf(alphaConfig.configFile)
        ? [{ name: 'alphaConfig.configFile', text: `${alphaConfig.configFile}` }]
        : []),
    ],
  };
}

/** Reads the settings in one document of YAML; undefined if it is no object that can have any. */
export function readObject(object: Plain, variables: ReadonlyMap<string, string>): Found | undefined {
  if (object.kind === 'ConfigMap') {
    const data = isMapping(object.data) ? Object.entries(object.data) : [];
    const mounted = data.flatMap(([name, text]) => (typeof text === 'string' ? [{ name, text }] : []));
    const entries = data.map(([name, value]) => [name, textOf(value) ?? ''] as const);
    return { written: readVariables(entries), files: [], mounted };
  }
  const maker = typeof object.kind === 'string' ? ownOf(MAKERS, object.kind) : undefined;
  if (maker !== undefined) return { written: [made(String(object.kind), maker)], files: [] };
  if (typeof object.kind === 'string') return join(containersIn(object).map(readContainer));
  if (isMapping(object.services)) {
    return join(
      Object.values(object.services)
        .filter(isMapping)
        .map((it) => readService(it, variables)),
    );
  }
  const sub = object['oauth2-proxy'];
  if (isMapping(sub)) return readValues(sub);
  if (isMapping(object.config) || object.extraArgs !== undefined || isMapping(object.alphaConfig))
    return readValues(object);
  return undefined;
}
