import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folders of manifests: for kustomize, and for a policy whose log is sealed. */
export const MANIFESTS = ['nginx/manifests', 'nginx/manifests/sealed'] as const;

/** A hash of all that gateway.yaml in a folder of manifests is rendered from. */
export function chartHash(manifests: (typeof MANIFESTS)[number]): string {
  const files = readdirSync('nginx/chart', { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    // No manifest contains the dashboard or the alert rules.
    .filter((path) => !path.startsWith('nginx/chart/monitoring/'));
  const hash = createHash('sha256');
  for (const file of [...files, `${manifests}/values.yaml`].toSorted()) {
    hash.update(`${file}\0${readFileSync(file, 'utf8')}\0`);
  }
  return hash.digest('hex').slice(0, 16);
}
