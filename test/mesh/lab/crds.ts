import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../../harness/index.ts';
import { HUNG_MS } from './hung.ts';
import type { Kube } from './kube.ts';

/** Linkerd's own definitions of its objects; the folder is what MESHGATE_CRDS names. */
const crdsFolder = process.env.MESHGATE_CRDS ?? fileURLToPath(new URL('../../../../shared/crds', import.meta.url));

/**
 * What tests with Linkerd's definitions lack, in one line, for `describeWith`; undefined: nothing. With
 * MESHGATE_VECTORS_REQUIRED=1 a missing definition is an error.
 */
export function lacksLinkerdCrds(): string | undefined {
  const folder = join(crdsFolder, 'linkerd');
  if (existsSync(folder)) return undefined;
  if (process.env.MESHGATE_VECTORS_REQUIRED === '1') throw new Error(`no definitions in ${folder}`);
  return `no folder ${folder} (MESHGATE_CRDS) with Linkerd's definitions`;
}

/** Adds Linkerd's definitions to the API server; see {@link lacksLinkerdCrds}. */
export async function installLinkerdCrds(kube: Kube): Promise<void> {
  const folder = join(crdsFolder, 'linkerd');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml'));
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  await installDefinitions(kube, texts.join('\n---\n'));
}

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Adds the definitions of a text. It is sent unparsed: parsing a megabyte of YAML here would take longer than everything
 * else. */
export async function installDefinitions(kube: Kube, text: string): Promise<void> {
  const documents = text.split(/^---.*$/m).filter((part) => /^kind: CustomResourceDefinition/m.test(part));
  if (documents.length === 0) throw new Error('no custom resource definitions in the text');
  await Promise.all(
    documents.map(async (document) => {
      const name = /^ {2}name: (\S+)$/m.exec(document)?.[1];
      const path = `${definitions}/${name}?fieldManager=lab`;
      const taken = await kube.api.ask('PATCH', path, document, 'application/apply-patch+yaml');
      // State: the API server serves this very definition, in each version that it has.
      await until(() => isServed(kube, taken), { what: `the definition ${name}`, timeoutMs: HUNG_MS });
    }),
  );
}

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string; readonly plural: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
}

/**
 * Whether objects of the definition can be found and requested. "Established" in its status is not enough: both lists
 * of kinds and the paths of its objects come later, each at its own time.
 */
async function isServed(kube: Kube, { spec }: Definition): Promise<boolean> {
  const { group, names, versions } = spec;
  const served = versions.filter((version) => version.served).map(({ name }) => name);
  const found = await Promise.all(
    served.map(async (version) => {
      const kinds = await kube.api.request('GET', `/apis/${group}/${version}`);
      const objects = await kube.api.request('GET', `/apis/${group}/${version}/${names.plural}?limit=1`);
      const isListed = kinds.status === 200 && kinds.body.resources.some(({ name }: Named) => name === names.plural);
      return isListed && objects.status === 200;
    }),
  );
  if (!found.every(Boolean)) return false;
  const all: Discovery = (await kube.api.request('GET', '/apis', undefined, undefined, discovery)).body;
  const own = all.items.find(({ metadata }) => metadata.name === group)?.versions ?? [];
  const listing = own.filter(({ resources }) => resources.some(({ resource }) => resource === names.plural));
  return served.every((name) => listing.some(({ version }) => version === name));
}

/** The list of all kinds that kubectl reads. */
const discovery = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

interface Named {
  readonly name: string;
}

interface Discovery {
  readonly items: readonly {
    readonly metadata: Named;
    readonly versions: readonly { readonly version: string; readonly resources: readonly { resource: string }[] }[];
  }[];
}
