import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Policy } from '../../../../src/policy/checked/types.ts';
import { envoy } from '../../../../src/targets/envoy/index.ts';
import { readEnvoy } from '../../../../src/targets/envoy/read.ts';
import { render } from './samples.ts';

const wiki = `
services: { wiki: { authority: wiki.mesh, endpoint: "wiki.internal:8080" } }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [{ role: reader, methods: [GET] }, { role: editor, as: wiki-editor }] }
`;

/** The same policy with an assertion that Envoy verifies. */
function asserting(policy: Policy): Policy {
  const { mesh } = policy;
  const own = { ...mesh!.ingress.own!, assertionJwksFile: '/run/own/jwks.json' };
  return {
    ...policy,
    gateway: { ...policy.gateway, assertion: { issuer: 'https://gw.test', keysFile: '/run/keys', lifetime: 60 } },
    mesh: { ...mesh!, ingress: { ...mesh!.ingress, own } },
  };
}

describe('the listener', () => {
  const { tree } = render(wiki);
  const [listener] = tree.static_resources.listeners;
  const tls = listener.filter_chains[0].transport_socket.typed_config;
  const http = listener.filter_chains[0].filters[0].typed_config;

  test('listens where the policy says, with its own certificate', () => {
    expect(listener.address.socket_address).toEqual({ address: '0.0.0.0', port_value: 9443 });
    expect(tls.common_tls_context.tls_certificates).toEqual([
      { certificate_chain: { filename: '/run/own/tls.crt' }, private_key: { filename: '/run/own/tls.key' } },
    ]);
  });

  test.each([
    [[6], { address: '::', port_value: 9443 }],
    [[4, 6], { address: '::', port_value: 9443, ipv4_compat: true }],
  ] as const)('listens with the versions of IP that the gateway uses: %j', (ipVersions, address) => {
    const { policy, rules } = render(wiki);
    const { files } = envoy.emit({ ...policy, gateway: { ...policy.gateway, ipVersions } }, rules);
    expect(parse(files['envoy.yaml'] ?? '').static_resources.listeners[0].address.socket_address).toEqual(address);
  });

  test.each([
    [[4], 'V4_PREFERRED'],
    [[4, 6], 'V4_PREFERRED'],
    [[6], 'AUTO'],
  ] as const)('connects to services with the versions of IP that the gateway uses: %j', (ipVersions, family) => {
    const { policy, rules } = render(wiki);
    const { files } = envoy.emit({ ...policy, gateway: { ...policy.gateway, ipVersions } }, rules);
    expect(parse(files['envoy.yaml'] ?? '').static_resources.clusters[0].dns_lookup_family).toBe(family);
  });

  test('ends every stream when the longest session would end, if there are sessions', () => {
    expect(http.common_http_protocol_options).toEqual({ max_headers_count: 250 });
    const session = { keysFile: '/run/keys', idle: 3600, absolute: 7200, fresh: 600 };
    const { policy, rules } = render(wiki);
    const { files } = envoy.emit({ ...policy, gateway: { ...policy.gateway, session } }, rules);
    const { static_resources: resources } = parse(Object.values(files)[0]!);
    const [{ filters }] = resources.listeners[0].filter_chains;
    const options = filters[0].typed_config.common_http_protocol_options;
    expect(options).toEqual({ max_headers_count: 250, max_stream_duration: '7200s' });
  });

  test('requires a client certificate with exactly one of the identities that rules use', () => {
    expect(tls.require_client_certificate).toBe(true);
    expect(tls.common_tls_context.validation_context).toEqual({
      trusted_ca: { filename: '/run/own/ca.pem' },
      match_typed_subject_alt_names: [
        { san_type: 'URI', matcher: { exact: 'spiffe://example.org/gateway' } },
        { san_type: 'URI', matcher: { exact: 'spiffe://example.org/wiki-editor' } },
      ],
    });
  });

  test('normalises paths, and forwards no client certificate header', () => {
    expect(http).toMatchObject({
      normalize_path: true,
      merge_slashes: true,
      path_with_escaped_slashes_action: 'REJECT_REQUEST',
      forward_client_cert_details: 'SANITIZE_SET',
      use_remote_address: true,
    });
  });

  test('the administration is only reachable from inside', () => {
    expect(tree.admin.address.socket_address.address).toBe('127.0.0.1');
  });

  test('refuses paths that are not canonical before any rule', () => {
    expect(http.http_filters.map(({ name }: { name: string }) => name)).toEqual([
      'meshgate.non_canonical_paths',
      'meshgate.rules',
      'envoy.filters.http.router',
    ]);
    expect(http.http_filters[0].typed_config.rules.action).toBe('DENY');
    expect(http.http_filters[1].typed_config.rules.action).toBe('ALLOW');
  });

  test('there is one virtual host and one cluster for each service', () => {
    expect(http.route_config.virtual_hosts).toEqual([
      {
        name: 'wiki.mesh',
        domains: ['wiki.mesh', 'wiki.mesh:9443'],
        routes: [{ match: { prefix: '/' }, route: { cluster: 'wiki', timeout: '0s' } }],
      },
    ]);
    expect(tree.static_resources.clusters).toMatchObject([
      {
        name: 'wiki',
        load_assignment: {
          endpoints: [
            {
              lb_endpoints: [
                { endpoint: { address: { socket_address: { address: 'wiki.internal', port_value: 8080 } } } },
              ],
            },
          ],
        },
      },
    ]);
  });
});

describe('the rules', () => {
  test('match authority, path, methods and identity, each exactly', () => {
    const { tree } = render(`${wiki}    /rest/*: { service: wiki, allow: [editor] }\n`);
    const filter = tree.static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters[1];
    expect(filter.typed_config.rules.policies['wiki.test/*#1']).toEqual({
      permissions: [
        {
          and_rules: {
            rules: [
              {
                or_rules: {
                  rules: ['wiki.mesh', 'wiki.mesh:9443'].map((exact) => ({
                    header: { name: ':authority', string_match: { exact } },
                  })),
                },
              },
              { url_path: { path: { prefix: '/' } } },
              {
                not_rule: {
                  or_rules: {
                    rules: [{ url_path: { path: { exact: '/rest' } } }, { url_path: { path: { prefix: '/rest/' } } }],
                  },
                },
              },
              {
                or_rules: {
                  rules: ['GET', 'HEAD'].map((exact) => ({ header: { name: ':method', string_match: { exact } } })),
                },
              },
            ],
          },
        },
      ],
      principals: [
        {
          custom: {
            name: 'envoy.rbac.principals.mtls_authenticated',
            typed_config: {
              '@type': 'type.googleapis.com/envoy.extensions.rbac.principals.mtls_authenticated.v3.Config',
              san_matcher: { san_type: 'URI', matcher: { exact: 'spiffe://example.org/gateway' } },
            },
          },
        },
      ],
    });
  });

  test('text of the policy never becomes a regular expression', () => {
    const { tree, text } = render(
      wiki.replace('/*:', '"/.+/(a)/*":').replace('authority: wiki.mesh', 'authority: "wiki.mesh:8080"'),
    );
    expect(text.match(/regex: .*/g)).toHaveLength(2);
    expect(text).toContain('"/.+/(a)"');
    expect(tree.static_resources.listeners[0].filter_chains[0].filters[0].typed_config.route_config).toMatchObject({
      virtual_hosts: [{ domains: ['wiki.mesh:8080', 'wiki.mesh'] }],
    });
  });

  test('require the identity and the role of an assertion, and its service as the audience', () => {
    const { policy, rules } = render(wiki);
    const changed = asserting(policy);
    const { files, gaps } = envoy.emit(changed, rules);
    expect(gaps).toEqual([]);
    const [jwt, , allow] = parse(files['envoy.yaml'] ?? '').static_resources.listeners[0].filter_chains[0].filters[0]
      .typed_config.http_filters;
    expect(jwt.typed_config.providers).toEqual({
      wiki: {
        issuer: 'https://gw.test',
        audiences: ['wiki'],
        from_headers: [{ name: 'X-Meshgate-Assertion' }],
        forward: true,
        payload_in_metadata: 'assertion',
        clock_skew_seconds: 30,
        local_jwks: { filename: '/run/own/jwks.json' },
      },
    });
    const [{ and_ids }] = allow.typed_config.rules.policies['wiki.test/*#2'].principals;
    const claim = (name: string, value: unknown) => ({
      sourced_metadata: {
        metadata_matcher: {
          filter: 'envoy.filters.http.jwt_authn',
          path: [{ key: 'assertion' }, { key: name }],
          value,
        },
      },
    });
    expect(and_ids.ids.slice(1)).toEqual([
      claim('as', { string_match: { exact: 'wiki-editor' } }),
      claim('roles', { list_match: { one_of: { string_match: { exact: 'editor' } } } }),
    ]);
  });

  test('the file of another program is not read', () => {
    expect(() => readEnvoy({ 'envoy.yaml': 'static_resources: {}' })).toThrow(
      'no rules of meshgate; give the file that',
    );
  });
});
