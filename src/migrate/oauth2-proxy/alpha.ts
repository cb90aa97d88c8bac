import type { Findings } from '../findings.ts';
import { isMapping, listOf, type Plain, textOf } from '../read-yaml.ts';
import { expand, readSetting } from './command-line.ts';
import type { Injected } from './headers.ts';
import { type Option, optionsByFlag } from './options.ts';
import { mistakes, PARAMETER, type Written } from './settings.ts';
import type { Upstream } from './upstreams.ts';

/** The alpha configuration of oauth2-proxy 7.15, as settings, headers and upstreams. */
export interface Alpha {
  readonly written: readonly Written[];
  readonly headers: readonly Injected[];
  readonly upstreams: readonly Upstream[];
  /** Whether the file has upstreams; those of flags then have no effect. */
  readonly hasUpstreams: boolean;
}

/** The names of options, by the members of a part of the file in small letters: oauth2-proxy reads them in any case. */
function membersOf(part: 'server.' | 'metricsServer.' | ''): ReadonlyMap<string, string> {
  const isOf = (it: string) => (part === '' ? !/^(?:server|metricsServer)\./.test(it) : it.startsWith(part));
  const all = [...optionsByFlag.values()].flatMap(({ name, aliases }) =>
    aliases.filter(isOf).map((it) => [it.slice(part.length).toLowerCase(), name] as const),
  );
  return new Map(all);
}

/** Members that are carried over in another way, or that need nothing. */
const OTHERS: ReadonlyMap<string, string> = new Map([
  ['id', 'the name of the provider'],
  ['additionalclaims', 'headers and facts can read every claim'],
  ['adfsconfig.skipscope', 'signin.scopes'],
]);

/** Returns the leaves of a mapping by their paths. A list is a leaf. */
function leaves(value: Plain, before = ''): readonly (readonly [string, unknown])[] {
  return Object.entries(value).flatMap(([key, inner]) =>
    isMapping(inner) && before.length < 60 ? leaves(inner, `${before}${key}.`) : [[before + key, inner] as const],
  );
}

class Reader {
  readonly written: Written[] = [];
  readonly #findings: Findings;
  readonly #variables: ReadonlyMap<string, string>;

  constructor(findings: Findings, variables: ReadonlyMap<string, string>) {
    this.#findings = findings;
    this.#variables = variables;
  }

  /** Reads a setting, and replaces variables in it. A member without a value is as if it were not there. */
  add(name: string, label: string, value: unknown): void {
    if (value === null) return;
    const option: Option = optionsByFlag.get(name) ?? { name, aliases: [] };
    let missing: string | undefined;
    const fill = (it: unknown): unknown => {
      if (typeof it !== 'string') return it;
      const filled = expand(it, this.#variables);
      missing ??= filled.missing;
      // The variable is replaced before the file is read as YAML.
      return filled.text !== it && /^(?:true|false)$/.test(filled.text) && option.bool
        ? filled.text === 'true'
        : filled.text;
    };
    const filled = Array.isArray(value) ? value.map(fill) : fill(value);
    if (missing !== undefined) this.written.push({ level: 'alpha', name, label, values: [], elsewhere: missing });
    else this.written.push(readSetting('alpha', label, option, filled));
  }

  members(place: string, value: unknown, part: 'server.' | 'metricsServer.' | ''): void {
    if (!isMapping(value)) return;
    const options = membersOf(part);
    for (const [declared, inner] of leaves(value)) {
      const label = `${place}.${declared}`;
      const [name, other] = [options.get(declared.toLowerCase()), OTHERS.get(declared.toLowerCase())];
      if (declared === 'loginURLParameters') this.parameters(label, inner);
      else if (name !== undefined) this.add(name, label, inner);
      else if (other !== undefined) this.#findings.migrated(label, other);
      else if (part === '' && !isMapping(inner)) this.mistake(label);
      else this.#findings.lose(label, 'no key of the policy means this: check whether you need it');
    }
  }

  mistake(label: string): void {
    this.written.push({ level: 'alpha', name: '', label, values: [], mistake: mistakes.option });
  }

  /** Reads parameters of the authorization request. Those with a fixed value are settings; others are for each request. */
  parameters(place: string, value: unknown): void {
    for (const it of listOf(value).filter(isMapping)) {
      const [name, usual] = [textOf(it.name) ?? '', listOf(it.default)];
      const label = `${place} ${name}`;
      if (it.allow !== undefined) {
        this.#findings.lose(
          label,
          'a link cannot set parameters of the sign-in: write fixed ones in signin.parameters',
        );
      }
      if (usual.length === 0) continue;
      if (name === 'prompt') this.add('prompt', label, usual[0]);
      else if (name === 'acr_values') this.add('acr-values', label, usual[0]);
      else if (name === 'approval_prompt') this.add('approval-prompt', label, usual[0]);
      else this.add(PARAMETER + name, label, usual[0]);
    }
  }
}

/** A mapping with its names in small letters: oauth2-proxy reads them in any case. */
const folded = (value: unknown): Plain =>
  Object.fromEntries(Object.entries(isMapping(value) ? value : {}).map(([key, it]) => [key.toLowerCase(), it]));

const OF_UPSTREAM =
  /^(?:id|path|uri|static|staticcode|rewritetarget|passhostheader|proxywebsockets|insecureskiptlsverify|timeout|flushinterval|disablekeepalives)$/;

function upstreamOf(it: Plain, label: string): Upstream {
  const flag = (key: string): boolean | undefined => (typeof it[key] === 'boolean' ? (it[key] as boolean) : undefined);
  return {
    label,
    path: textOf(it.path) ?? '/',
    uri: textOf(it.uri) ?? '',
    ...(it.static === true && { isStatic: true }),
    ...(textOf(it.rewritetarget) !== undefined && { rewrite: true }),
    passHost: flag('passhostheader') ?? true,
    webSockets: flag('proxywebsockets') ?? true,
    skipVerify: flag('insecureskiptlsverify') ?? false,
    timeout: textOf(it.timeout),
    flush: textOf(it.flushinterval),
  };
}

/** Reads one header that oauth2-proxy injects. Each of its values has one source. */
function injectedOf(it: Plain, label: string, response: boolean): readonly Injected[] {
  const name = textOf(it.name) ?? '';
  return listOf(it.values)
    .map(folded)
    .map((value) => {
      const source = isMapping(value.claimsource) ? folded(value.claimsource) : value;
      const claim = textOf(source.claim);
      const isPlain = source.prefix === undefined && source.basicauthpassword === undefined;
      return { label, name, response, ...(claim !== undefined && isPlain && { claim }) };
    });
}

/** Reads an alpha configuration. */
export function readAlpha(file: Plain, findings: Findings, variables: ReadonlyMap<string, string>): Alpha {
  const reader = new Reader(findings, variables);
  const { providers, upstreamConfig, server, metricsServer, injectRequestHeaders, injectResponseHeaders, ...rest } =
    file;
  const [first, ...others] = listOf(providers);
  reader.members('providers[0]', first, '');
  others.forEach((_, index) => {
    findings.lose(`providers[${index + 1}]`, 'oauth2-proxy uses only the first provider');
  });
  reader.members('server', server, 'server.');
  reader.members('metricsServer', metricsServer, 'metricsServer.');
  for (const key of Object.keys(rest)) reader.mistake(key);
  const config = folded(upstreamConfig);
  if (config.proxyrawpath !== undefined) {
    const why = 'the gateway rejects paths that a service could read in two ways, such as // and %2F';
    findings.lose('upstreamConfig.proxyRawPath', why);
  }
  const upstreams = listOf(config.upstreams).map((each, index) => {
    const it = folded(each);
    const label = `upstreamConfig.upstreams[${index}] ${textOf(it.id) ?? ''}`;
    if (Object.keys(it).some((key) => !OF_UPSTREAM.test(key))) reader.mistake(label);
    return upstreamOf(it, label);
  });
  const headersOf = (list: unknown, key: string, response: boolean) =>
    listOf(list)
      .map(folded)
      .flatMap((it, index) => injectedOf(it, `${key}[${index}] ${textOf(it.name) ?? ''}`, response));
  return {
    written: reader.written,
    headers: [
      ...headersOf(injectRequestHeaders, 'injectRequestHeaders', false),
      ...headersOf(injectResponseHeaders, 'injectResponseHeaders', true),
    ],
    upstreams,
    hasUpstreams: upstreams.length > 0,
  };
}

/** Whether a document is an alpha configuration. */
export const isAlpha = (it: Plain): boolean =>
  it.kind === undefined &&
  (isMapping(it.upstreamConfig) ||
    ['providers', 'injectRequestHeaders', 'injectResponseHeaders'].some((key) => Array.isArray(it[key])));
