/** Vectors of other projects, through real nginx: each stops, or passes, where the table in ../vectors.ts says. */
import { expect, test } from 'vitest';
import { type Answer, startEcho, startGateway, startIssuer, testStage, until, valuesOf } from '../harness/index.ts';
import { describeWith } from '../harness/needs.ts';
import { istioVectors, lacksVectors, rfcVectors, type Vector, wycheproofVectors } from '../vectors.ts';

const lacks = lacksVectors();
const vectors: readonly Vector[] =
  lacks === undefined ? [...wycheproofVectors(), ...rfcVectors(), ...istioVectors()] : [];

/** One provider and one host for each group: its keys belong to their own issuer. */
const byIssuer = new Map<string, Vector[]>();
for (const vector of vectors) {
  const key = `${vector.group} ${vector.issuer ?? ''}`;
  byIssuer.set(key, [...(byIssuer.get(key) ?? []), vector]);
}
const groups = [...byIssuer.values()].map((members, index) => ({
  name: `g${index}`,
  host: `g${index}.test`,
  members,
  jwks: members[0]!.jwks,
  issuer: members[0]!.issuer,
  audience: members[0]!.audience ?? 'vectors',
}));
/** Most of Istio's tokens have no audience: on these hosts it does not matter. */
const istio = groups.filter(({ members }) => members[0]!.group.startsWith('istio'));
const hostOf = new Map(groups.flatMap(({ host, members }) => members.map(({ id }) => [id, host] as const)));

describeWith(lacks, 'vectors', async () => {
  const stage = await testStage('vectors');
  const echo = await startEcho(stage, { alias: 'wiki' });
  const issuers = await startIssuer(stage);
  await issuers.put(
    Object.fromEntries(groups.map(({ name, jwks }) => [`/${name}/jwks`, { body: JSON.stringify(jwks) }])),
  );
  const gateway = await startGateway(stage, {
    policy: `
version: 1
gateway: { insecure_http: true, listen: 8080 }
providers:
${groups
  .map(
    ({ name, issuer, audience }) =>
      `  ${name}: { issuer: "${issuer ?? `${issuers.origin}/${name}`}", jwks_uri: ${issuers.origin}/${name}/jwks, audiences: [${audience}], algorithms: [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA], ca_file: /run/provider/ca.pem }`,
  )
  .join('\n')}
${istio
  .map(
    ({ name, issuer }) =>
      `  any-${name}: { issuer: "${issuer}", jwks_uri: ${issuers.origin}/${name}/jwks, insecure_any_audience: true, ca_file: /run/provider/ca.pem }`,
  )
  .join('\n')}
services:
  wiki: { insecure_url: "http://wiki:8080" }
headers:
  X-Forwarded-User: subject
  X-Groups: groups
  X-Scope: { claim: scope }
  X-Permission: { claim: permission }
  X-Nested-List: { claim: nested.nested-2.key1 }
  X-Nested-Text: { claim: nested.nested-2.key2 }
hosts:
${groups.map(({ name, host }) => `  ${host}: { providers: [${name}], /*: { service: wiki, allow: [authenticated] } }`).join('\n')}
${istio.map(({ name, host }) => `  any-${host}: { providers: [any-${name}], /*: { service: wiki, allow: [authenticated] } }`).join('\n')}
`,
  });

  const agents = new Map(groups.map(({ host }) => [host, gateway.keepAlive(host, 1)]));
  const ask = ({ id, token }: Vector): Promise<Answer> => {
    const host = hostOf.get(id)!;
    return gateway.send(host, { token, agent: agents.get(host)! });
  };

  test('the keys of every provider are fetched, or its log line says why there are none', async () => {
    for (const { host, members } of groups) {
      await until(
        async () => {
          const answer = await ask(members[0]!);
          if (answer.status < 500) return true;
          const name = host.replace('.test', '');
          return gateway.box.logs.lines.some((line) => line.includes(`keys of provider ${name}:`)) || undefined;
        },
        { what: `the keys and the service's address for ${host}, or why there are no keys` },
      );
    }
  });

  /** The result of a vector at a gateway, where it has a header and its keys come as a set. */
  const expectedOf = ({ token, expected }: Vector, answer: Answer): string => {
    if (token === '') return 'credential_unsupported';
    // A set without a usable key yields no keys, so such a vector stops before its key is looked up.
    const noKeys = expected.outcome === 'key_unknown' && answer.json().reason === 'provider_unavailable';
    return noKeys ? 'provider_unavailable' : expected.outcome;
  };

  test(`${vectors.length} vectors, twice each: none is accepted wrongly, and each has its reason`, async () => {
    const wrong: string[] = [];
    const counts = { verified: 0, pastSignature: 0, refused: 0 };
    for (const run of [1, 2]) {
      for (const vector of vectors) {
        const answer = await ask(vector);
        const { outcome, detail } = vector.expected;
        const got = answer.status === 200 ? 'verified' : answer.json().reason;
        if (got !== expectedOf(vector, answer)) wrong.push(`${vector.id}, run ${run}: ${got} and not ${outcome}`);
        if (typeof detail === 'string' && answer.json().detail !== detail) {
          wrong.push(`${vector.id}, run ${run}: ${answer.json().detail} and not ${detail}`);
        }
        if (got === 'verified') counts.verified++;
        else if (detail === 'the payload is not a claims set') counts.pastSignature++;
        else counts.refused++;
      }
    }
    expect(wrong).toEqual([]);
    expect(counts.pastSignature, 'vectors that got past their signature').toBeGreaterThan(20);
    expect(counts.verified, 'Istio’s tokens that passed').toBeGreaterThan(0);
  });

  test('claims of Istio’s tokens reach the service: lists, nested and space-delimited ones', async () => {
    let compared = 0;
    for (const vector of istioVectors().filter(({ expected }) => expected.outcome !== 'token_expired')) {
      await echo.clear();
      const answer = await gateway.send(`any-${hostOf.get(vector.id)}`, { token: vector.token });
      expect([vector.id, answer.status]).toEqual([vector.id, 200]);
      const [received] = await echo.requests();
      for (const [header, value] of Object.entries(expectedHeaders(vector.claims))) {
        expect(valuesOf(received!, header), `${vector.id}: ${header}`).toEqual(value === undefined ? [] : [value]);
        if (value !== undefined) compared++;
      }
    }
    expect(compared).toBeGreaterThan(20);
  });
});

/** The headers that a service must receive for a claims set, by the policy above. */
function expectedHeaders(claims: Record<string, unknown>): Record<string, string | undefined> {
  const {
    sub,
    groups: list,
    scope,
    permission,
    nested,
  } = claims as {
    sub?: string;
    permission?: string;
    scope?: string | string[];
    groups?: string[];
    nested?: { key1?: string[]; 'nested-2'?: { key1?: string[]; key2?: string } };
  };
  return {
    'X-Forwarded-User': sub,
    'X-Groups': list?.join(','),
    'X-Scope': scope === undefined ? undefined : [scope].flat().join(','),
    'X-Permission': permission,
    'X-Nested-List': nested?.['nested-2']?.key1?.join(','),
    'X-Nested-Text': nested?.['nested-2']?.key2,
  };
}
