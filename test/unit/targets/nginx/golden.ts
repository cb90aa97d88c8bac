import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Policy } from '../../../../src/policy/checked/types.ts';
import { parsePolicy } from '../../../../src/policy/index.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { type NginxOptions, nginxOptions } from '../../../../src/targets/nginx/options.ts';
import { renderNginx } from '../../../../src/targets/nginx/render.ts';
import type { Emitted } from '../../../../src/targets/types.ts';

const FOLDER = join(import.meta.dirname, 'golden');

/** Names of the golden folders. */
export const cases: readonly string[] = readdirSync(FOLDER);

/** A path in a golden folder. */
export const golden = (name: string, ...path: readonly string[]): string => join(FOLDER, name, ...path);

/** The options of every golden output. */
export const options: NginxOptions = nginxOptions({ dir: '/etc/nginx/meshgate', resolver: ['192.0.2.53'] });

/** The policy of a golden folder. */
export function goldenPolicy(name: string): Policy {
  // The rendered files name the policy's file, so its path must not depend on the machine.
  const parsed = parsePolicy(readFileSync(golden(name, 'policy.yaml'), 'utf8'), '/etc/meshgate/meshgate.yaml');
  if (!('policy' in parsed)) throw new Error(JSON.stringify(parsed.errors, null, 2));
  return parsed.policy;
}

/** Renders a policy as the goldens are. */
export function render(policy: Policy, more: Partial<NginxOptions> = {}): Emitted {
  return renderNginx(policy, compile(policy), { ...options, ...more });
}

/** Puts the same digest into every rendered file. Every change of the language changes the digests. */
export const withoutDigest = (text: string): string =>
  text.replace(/(?<="(?:meshgate\.)?policy": ?")[0-9a-f]{32}(?=")/g, '0123456789abcdef0123456789abcdef');
