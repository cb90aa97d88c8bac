import { describe, expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../../src/policy/index.ts';
import { render } from './golden.ts';

const usual = 'okta: { issuer: https://okta.test, audiences: [wiki], subject: { prefix: okta- } }';

const routes = {
  keyed: 'keyed',
  agent: 'keyed, { agent: bot }',
  any: 'sure',
  all: 'both',
  'any-agent': 'keyed, { agent: any }',
  staff: 'keyed, staff',
  anyone: 'keyed, anyone',
  authenticated: 'keyed, authenticated',
  either: 'either',
  certified: 'certified',
};

/** The gateway's metadata of the resources of wiki.test, by path. */
function metadata(gateway = 'proof: {}', provider = ''): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const proofs = gateway !== '';
  const all = Object.entries(proofs ? routes : { staff: 'staff' });
  const { errors, policy } = parsePolicy(
    `version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key${proofs ? ', client_ca_file: /run/tls/ca.pem' : ''} }
  ${gateway}
providers:
  ${usual}
  ${provider}
roles:
  staff: { group: staff, provider: okta }
${
  proofs
    ? `  keyed: { all: [staff, { bound: dpop }] }
  sure: { any: [keyed, { all: [{ group: x, provider: okta }, { bound: dpop }] }] }
  both: { all: [{ any: [staff, keyed] }, keyed] }
  either: { any: [keyed, { group: x, provider: okta }] }
  certified: { all: [staff, { bound: certificate }] }
agents:
  bot: { match: { client_id: bot, provider: okta }, acts_for: [keyed], bound: dpop }
  any: { match: { client_id: any, provider: okta }, acts_for: [keyed], bound: any }`
    : ''
}
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  wiki.test:
    providers: [okta${provider === '' ? '' : ', other'}]
${all.map(([path, allow]) => `    /${path}: { service: wiki, allow: [${allow}] }`).join('\n')}
`,
    'meshgate.yaml',
  );
  if (policy === undefined) throw new Error(errors.map(formatError).join('\n'));
  const conf = render(policy).files['http.conf'] ?? '';
  const lines = [...conf.matchAll(/"wiki\.test\/([a-z-]+)" '(.*)';$/gm)];
  return new Map(lines.map(([, path = '', text]) => [path, JSON.parse(`{"resource":"https://wiki.test${text}`)]));
}

describe('a resource', () => {
  const reported = metadata();

  test.each(['keyed', 'agent', 'any', 'all'])('accepts only tokens with a DPoP key: /%s', (path) => {
    expect(reported.get(path)).toMatchObject({ dpop_bound_access_tokens_required: true });
  });

  test.each(['any-agent', 'staff', 'anyone', 'authenticated', 'either', 'certified'])(
    'accepts other tokens: /%s',
    (path) => {
      expect(reported.get(path)).toMatchObject({
        resource: `https://wiki.test/${path}`,
        dpop_signing_alg_values_supported: expect.arrayContaining(['ES256']),
        tls_client_certificate_bound_access_tokens: true,
      });
      expect(reported.get(path)).not.toHaveProperty('dpop_bound_access_tokens_required');
    },
  );

  test('without proofs and certificates does not mention them', () => {
    expect(Object.keys(metadata('').get('staff') ?? {})).toEqual([
      'resource',
      'authorization_servers',
      'bearer_methods_supported',
    ]);
  });
});

test.each([
  'kind: google, issuer: https://accounts.google.com',
  'kind: github-actions, issuer: https://token.actions.githubusercontent.com',
  'kind: kubernetes, issuer: https://kubernetes.default.svc',
])('no client is sent to a provider that issues it no usable token: %s', (text) => {
  const reported = metadata('', `other: { ${text}, audiences: [wiki], subject: { prefix: other- } }`);
  expect(reported.get('staff')?.authorization_servers).toEqual(['https://okta.test']);
});

test('scopes hold no character that nginx would read', () => {
  const scope = 'a$b {c} "d" é';
  const { errors, policy } = parsePolicy(
    `version: 1
gateway: { insecure_http: true }
providers: { ${usual} }
roles: { staff: { scope: ${JSON.stringify(scope)} } }
services: { wiki: { insecure_url: "http://wiki:8080" } }
hosts: { wiki.test: { /x: { service: wiki, allow: [staff] } } }
`,
    'meshgate.yaml',
  );
  expect(errors).toEqual([]);
  const [, text = ''] = /"wiki\.test\/x" (.*);$/m.exec(render(policy!).files['http.conf'] ?? '') ?? [];
  expect(text).not.toMatch(/[$\x7f-\uffff]/);
  // As nginx reads a quoted text.
  const read = text.slice(1, -1).replace(/\\(["'\\])/g, '$1');
  expect(JSON.parse(`{"resource":"https://wiki.test${read}`).scopes_supported).toEqual([scope]);
});
