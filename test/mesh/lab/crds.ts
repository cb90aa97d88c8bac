import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../../harness/index.ts';
import { HUNG_MS } from './hung.ts';
import type { Kube } from './kube.ts';

/** Definitions of Linkerd's objects that nobody here wrote; the folder is what MESHGATE_CRDS names. */
const crdsFolder = process.env.MESHGATE_CRDS ?? fileURLToPath(new URL('../../../../shared/crds', import.meta.url));

/**
 * What tests with Linkerd's definitions lack, in a line, for `describeWith`; undefined: nothing. With
 * MESHGATE_VECTORS_REQUIRED=1 that is an error.
 */
export function lacksLinkerdCrds(): string | undefined {
  const folder = join(crdsFolder, 'linkerd');
  if (existsSync(folder)) return undefined;
  if (process.env.MESHGATE_VECTORS_REQUIRED === '1') throw new Error(`no definitions in ${folder}`);
  return `no folder ${folder} (MESHGATE_CRDS) with Linkerd's definitions`;
}

/** Has the API server take Linkerd's definitions; see {@link lacksLinkerdCrds}. */
export async function installLinkerdCrds(kube: Kube): Promise<void> {
  const folder = join(crdsFolder, 'linkerd');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml'));
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  await install(kube, texts.join('\n---\n'));
}

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** The texts go as they are: reading a megabyte of YAML here would take longer than all the rest. */
async function install(kube: Kube, text: string): Promise<void> {
  const documents = text.split(/^---.*$/m).filter((part) => /^kind: CustomResourceDefinition/m.test(part));
  if (documents.length === 0) throw new Error('no custom resource definitions in the text');
  await Promise.all(
    documents.map(async (document) => {
      const name = /^ {2}name: (\S+)$/m.exec(document)?.[1];
      const path = `${definitions}/${name}`;
      await kube.api.ask('PATCH', `${path}?fieldManager=lab`, document, 'application/apply-patch+yaml');
      // State: the API server serves this very definition: it says Established of it.
      await until(async () => isEstablished(await kube.api.ask('GET', path)), {
        what: `the definition ${name}`,
        timeoutMs: HUNG_MS,
      });
    }),
  );
}

interface Definition {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

function isEstablished({ status }: Definition): boolean {
  return (status?.conditions ?? []).some(({ type, status }) => type === 'Established' && status === 'True');
}
