import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readPolicy } from '../../../harness/policy.ts';
import { options, render } from './golden.ts';

/** conf.d/confluence.conf shows what the profile renders. `UPDATE_GOLDEN=1` writes it again. */

const FILE = 'conf.d/confluence.conf';
const EXAMPLE = 'docs/examples/confluence.yaml';

const HEAD = `# Confluence in an nginx that you already have: the routes of the profile "confluence", as they are rendered from
# ${EXAMPLE}. Copy this file to /etc/nginx/conf.d/, put in your own names, and write the policy. Then:
#   meshgate render --target nginx --out ${options.dir} /etc/meshgate/meshgate.yaml
# The same command writes the lines between "begin" and "end" to ${options.dir}/hosts/wiki.example.com.conf. Include that
# file in their place, so that they change with the policy. docs/nginx.md and docs/confluence.md explain the rest.

# Once, for http {}, before the servers and before any "map" of yours.
include ${options.dir}/http.conf;

server {
    listen 443 ssl;
    listen [::]:443 ssl;
    http2 on;
    server_name wiki.example.com;
    ssl_certificate /etc/nginx/tls/tls.crt;
    ssl_certificate_key /etc/nginx/tls/tls.key;

    # begin
`;

test('conf.d/confluence.conf has what docs/examples/confluence.yaml renders for its host', () => {
  const rendered = render(readPolicy(readFileSync(EXAMPLE, 'utf8'))).files['hosts/wiki.example.com.conf'] as string;
  const lines = rendered.replace(/^# For the server .*\n\n/, '').replace(/^(?=.)/gm, '    ');
  const fresh = `${HEAD}${lines}    # end\n}\n`;
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(FILE, fresh);
  else expect(readFileSync(FILE, 'utf8')).toBe(fresh);
});
