/** The bundle migrate.js, which the command `meshgate migrate` loads. It knows the language of policies, and nothing else
 * of the product. */

import { Findings } from './findings.ts';
import { migrateIngresses } from './ingress-nginx/migrate.ts';
import { readManifests } from './ingress-nginx/read.ts';
import { comment, type Draft } from './new-policy.ts';
import { migrateOauth2Proxy } from './oauth2-proxy/migrate.ts';
import { readSources, type Source } from './oauth2-proxy/read.ts';
import { policyText } from './write.ts';

/** The first policy, which may be invalid, and the report; or what cannot be read. */
export type Migrated =
  | { readonly policy: string; readonly findings: Findings; readonly unreadable?: never }
  | { readonly unreadable: readonly string[] };

function written(draft: Draft, findings: Findings): Migrated {
  comment(draft, '', 'A first policy, written by meshgate migrate. Read it, and fill in what the comments say.');
  return { policy: policyText(draft), findings };
}

/** Migrates the configuration of oauth2-proxy.
 * @param host the host that people open, if the files do not say it */
export function oauth2Proxy(files: readonly Source[], host: string | undefined): Migrated {
  const findings = new Findings();
  const read = readSources(files, findings);
  if (read.unreadable.length > 0) return { unreadable: read.unreadable };
  return written(migrateOauth2Proxy(read, findings, host), findings);
}

/** Migrates Ingresses.
 * @param proxyFiles the configuration of the oauth2-proxy that annotations name
 * @param prefix that of annotations */
export function ingressNginx(
  files: readonly Source[],
  proxyFiles: readonly Source[] | undefined,
  prefix: string,
): Migrated {
  const findings = new Findings();
  const manifests = readManifests(files);
  const proxy = proxyFiles && readSources(proxyFiles, findings);
  const unreadable = [...manifests.unreadable, ...(proxy?.unreadable ?? [])];
  if (unreadable.length > 0) return { unreadable };
  return written(migrateIngresses(manifests, proxy, findings, prefix), findings);
}
