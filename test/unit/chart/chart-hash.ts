import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A hash of all that nginx/manifests/gateway.yaml is rendered from. */
export function chartHash(): string {
  const files = readdirSync('nginx/chart', { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    // No manifest contains the dashboard or the alert rules.
    .filter((path) => !path.startsWith('nginx/chart/monitoring/'));
  const hash = createHash('sha256');
  for (const file of [...files, 'nginx/manifests/values.yaml'].toSorted()) {
    hash.update(`${file}\0${readFileSync(file, 'utf8')}\0`);
  }
  return hash.digest('hex').slice(0, 16);
}
