import { expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { meshTarget, meshTargetNames } from '../../../src/targets/index.ts';

const TD = '5f1c0b6e-1d9a-4f0e-9b0e-2f3f7a1c9d42.consul';
const OWN = 'own: { cert_file: /run/c, key_file: /run/k, client_ca_file: /run/ca, listen: 8443 }';

const meshed = (domain: string, spiffe: string, ingress: string) => `
  trust_domain: ${domain}
  ingress: { address: "ingress.mesh:8443", ca_file: /run/ca, ${ingress} }
  identities: { default: { spiffe: "spiffe://${domain}/${spiffe}", pem_file: /run/gw.pem } }`;

const text = (kind: string, gateway: string, host: string, route: string) => `version: 1
gateway:
  tls: { cert_file: /run/c, key_file: /run/k }
  ${gateway}
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles: { staff: { group: staff } }
mesh:
  kind: ${kind}${
    kind === 'consul'
      ? meshed(TD, 'ns/default/dc/dc1/svc/gateway', 'consul_service: ingress')
      : meshed(
          'example.org',
          'ns/edge/sa/gateway',
          kind === 'envoy' ? OWN : 'namespace: edge, labels: { app: gw }, service_account: gw',
        )
  }
services: { wiki: { authority: wiki.wiki.svc.cluster.local${
  kind === 'consul' || kind === 'envoy' ? '' : ', namespace: wiki, labels: { app: wiki }, port: 8080'
} } }
hosts:
  wiki.example.com:
    ${host}
    /*: { service: wiki, allow: [staff], ${route} }
    /x: { service: wiki, allow: [staff] }
`;

function gapsOf(kind: (typeof meshTargetNames)[number], ...parts: [string, string, string]) {
  const { policy, errors } = parsePolicy(text(kind, ...parts), 'p.yaml');
  if (policy === undefined) throw new Error(errors.map(formatError).join());
  return meshTarget(kind).emit(policy, compile(policy), {}).gaps;
}

const LIMIT = '{ rate: 1/s }';

test.each(meshTargetNames)('%s renders no limit, and reports that once, on the first', (kind) => {
  const without = gapsOf(kind, '', '', '');
  const added = (...parts: [string, string, string]) => {
    const before = new Set(without.map((gap) => JSON.stringify(gap)));
    return gapsOf(kind, ...parts).filter((gap) => !before.has(JSON.stringify(gap)));
  };
  expect(added('', '', `limit: ${LIMIT}`)).toEqual([
    { part: 'wiki.example.com/* limit', text: expect.stringContaining('this limit is enforced only at the gateway') },
  ]);
  expect(added(`limits: { callers: ${LIMIT} }`, '', `limit: ${LIMIT}`)).toEqual([
    {
      part: 'gateway.limits',
      text: expect.stringContaining('this and another limit are enforced only at the gateway'),
    },
  ]);
  expect(added('', `limit: ${LIMIT}`, 'limit: null')).toEqual([
    {
      part: 'hosts."wiki.example.com".limit',
      text: expect.stringContaining('this limit is enforced only at the gateway'),
    },
  ]);
});
