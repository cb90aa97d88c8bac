import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { EXPIRING_AT, SVIDS_JOB_INTERVAL_S } from '../../../src/base/limits.ts';
import { DEFAULTS } from '../../../src/policy/forms/bounds.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import type { Context } from '../../../src/targets/nginx/render-context.ts';
import { rotationTimes } from '../../../src/targets/nginx/upstream/upstream-blocks.ts';
import { goldenPolicy } from '../targets/nginx/golden.ts';

/** docs/svids.md and docs/health.md are true. */

const read = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');
const svids = read('svids.md');
const health = read('health.md');
const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, block = '']) => block);

/** A policy around some parts. */
const around = (part: string) => `version: 1
${part}
providers:
  okta: { issuer: https://example.okta.com/oauth2/default, audiences: [api://wiki] }
roles:
  staff: { group: staff }
  editor: { group: editors }
services:
  wiki: { authority: wiki.svc }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [ { role: editor, as: wiki-editor }, staff ] }
`;
const ingress =
  'mesh:\n  kind: envoy\n  trust_domain: example.org\n  ingress: { address: a.mesh:8443, ca_file: /ca.pem }\n';

describe('spiffe-helper', () => {
  const [identities = ''] = blocks(svids, 'yaml');
  const { policy, errors } = parsePolicy(around(identities.replace('mesh:\n', ingress)), 'svids.md');
  /** Its keys (cmd/spiffe-helper/config, 0.11), as far as they are used here. */
  const keys = ['agent_address', 'cert_dir', 'hint', 'svid_bundle_file_name', 'svid_file_name', 'svid_key_file_name'];

  test('the policy is valid', () => expect(errors).toEqual([]));

  test('one configuration for each identity writes the files that the policy names', () => {
    const helpers = blocks(svids, 'hcl').map((text) =>
      Object.fromEntries([...text.matchAll(/^(\w+) = "(.*)"$/gm)].map(([, key = '', value]) => [key, value])),
    );
    const files = helpers.map(({ cert_dir, svid_file_name, svid_key_file_name, hint }) => ({
      name: hint,
      certFile: `${cert_dir}/${svid_file_name}`,
      keyFile: `${cert_dir}/${svid_key_file_name}`,
    }));
    const named = Object.values(policy?.mesh?.identities ?? {});
    expect(files).toEqual(named.map(({ name, certFile, keyFile }) => ({ name, certFile, keyFile })));
    for (const helper of helpers) expect(Object.keys(helper).sort()).toEqual(keys);
    for (const { name, spiffe } of named) expect(svids).toContain(`-spiffeID ${spiffe} -hint ${name}`);
  });
});

describe('the time of a rotation', () => {
  const policy = goldenPolicy('demo');
  const times = (rotation: number) => {
    return rotationTimes({ policy: { ...policy, mesh: { ...policy.mesh!, rotation } } } as unknown as Context);
  };

  test('is the sum of its parts, for every rotation', () => {
    for (let rotation = 10; rotation <= 3600; rotation++) {
      const { cache, time, idle } = times(rotation);
      // nginx counts whole seconds of the cache, so one second more.
      expect(cache + 1 + time + idle).toBe(rotation);
      expect(Math.min(cache, time, idle)).toBeGreaterThanOrEqual(1);
      expect(time).toBeGreaterThanOrEqual(idle);
    }
  });

  test('is the one in the document', () => {
    const { cache, time, idle } = times(DEFAULTS.rotation);
    expect(svids).toContain(`| of the ${DEFAULTS.rotation} s | |`);
    for (const part of [cache + 1, time, idle]) expect(svids).toContain(`| ${part} s | how long`);
    expect(svids).toContain(`\`${DEFAULTS.rotation}s\` unless the policy says otherwise, from \`10s\` to \`1h\``);
    expect(times(10)).toEqual({ cache: 1, time: 4, idle: 4 });
    expect(svids).toContain('with `10s` each connection lives for 4 to 8 seconds');
  });

  test('the times of the watch are in the document', () => {
    expect(SVIDS_JOB_INTERVAL_S).toBe(5);
    expect(EXPIRING_AT).toBe(1 / 3);
    for (const text of [svids, health]) expect(text).toMatch(/every 5 seconds/i);
  });
});

describe('health', () => {
  test('the policy accepts the listener', () => {
    const [listener = ''] = blocks(health, 'yaml');
    const { errors, policy } = parsePolicy(
      around(
        `${listener}${ingress}  identities:\n    default: { spiffe: spiffe://example.org/a, svid_dir: /a }\n    wiki-editor: { spiffe: spiffe://example.org/b, svid_dir: /b }`,
      ),
      'health.md',
    );
    expect(errors).toEqual([]);
    expect(policy?.gateway.health).toBe('127.0.0.1:8081');
  });

  test('probes request existing paths', () => {
    const [, command = '', port = ''] = blocks(health, 'yaml');
    const requested = JSON.stringify([parse(command), parse(port)]);
    expect(Object.keys(parse(command))).toEqual(['startupProbe', 'livenessProbe', 'readinessProbe']);
    expect(requested.match(/livenessProbe[^}]*healthz/g)).toHaveLength(2);
    expect(requested.match(/readinessProbe[^}]*readyz/g)).toHaveLength(2);
    for (const path of requested.matchAll(/"path":"([^"]*)"/g)) expect(health).toContain(`| \`${path[1]}\` |`);
  });

  test('its example is a real answer', () => {
    const [example = ''] = blocks(health, 'json');
    expect(Object.keys(JSON.parse(example))).toEqual([
      'ready',
      'policy',
      'check',
      'providers',
      'assertion',
      'session',
      'clients',
      'certificates',
      'files',
      'changes',
      'ca',
      'identities',
    ]);
  });
});
