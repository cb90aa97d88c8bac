import { passingOf } from '../../../src/caller/service-credential.ts';
import type { ServiceCredential } from '../../../src/policy/checked/types.ts';
import { usualProvider } from '../token/specs/spec.ts';
import { hiding } from './hidden-tokens.ts';
import type { Sample } from './samples.ts';

/* Which `Authorization` headers belong to a service. Each sample runs in Node and in njs. */

const issuer = usualProvider.issuer;
const spiffe = { ...usualProvider, name: 'mesh', issuer: 'https://spire.example.org', trustDomain: 'example.org' };
const issuers = { providers: [usualProvider, spiffe], own: 'https://gateway.example.com' };
const passes: ServiceCredential = {
  schemes: ['basic', 'oauth', 'token'],
  bearer: ['glsa_', 'eyJrIjoi'],
  services: ['wiki'],
};
const opaque: ServiceCredential = { schemes: [], bearer: 'opaque', services: ['wiki'] };

const b64 = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A token with an invalid signature. */
export const jwt = (claims: unknown, header: unknown = { alg: 'RS256', kid: 'k' }): string =>
  `${b64(header)}.${b64(claims)}.${b64('signature')}`;

const ours = jwt({ iss: issuer, sub: 'ada', aud: 'wiki', note: '???>>>~~~ÿÿÿ' });
const foreign = jwt({ iss: 'https://elsewhere.example.com', sub: 'ada' });

const sample = (name: string, authorization: string, scheme: string | undefined, of = passes): Sample => ({
  name: `Authorization ${name}`,
  got: () => passingOf(of, issuers).schemeOf(authorization) ?? 'gateway',
  wanted: scheme ?? 'gateway',
});

const belongs = (name: string, authorization: string, scheme: string, of = passes) =>
  sample(`${name} belongs to the service`, authorization, scheme, of);
const isFor = (name: string, authorization: string, of = passes) =>
  sample(`${name} is for the gateway`, authorization, undefined, of);

export const credentialSamples: readonly Sample[] = [
  belongs('of Basic', `Basic ${base64('ada:secret')}`, 'basic'),
  belongs('of a scheme in other letters', `bAsIc ${base64('ada:secret')}`, 'basic'),
  belongs('of Basic with padding', `Basic ${base64('a:bc')}`, 'basic'),
  belongs('of OAuth 1', 'OAuth realm="https%3A%2F%2Fjira", oauth_token="a", oauth_signature="b%2Fc%3D"', 'oauth'),
  belongs('of a token scheme', 'token ghp_0123456789abcdef', 'token'),
  belongs('of a prefix', 'Bearer glsa_HOruNAb7SOiCdshU8algkrq7FDsNSLAa_55e2f8be', 'bearer'),
  belongs('of an old key of Grafana', `Bearer ${base64('{"k":"b0NTWDVKbjZGdDRkZ","n":"ci","id":1}')}`, 'bearer'),
  belongs('of a foreign JWT under another scheme', `Token ${foreign}`, 'token'),
  belongs('of an opaque token', 'Bearer NDc4NDkyNDg3ODE3OstHYSeYC1HgXqRacSqvUbookcZk', 'bearer', opaque),
  belongs('of an opaque token with a dot', 'bearer abc.def==', 'bearer', opaque),
  isFor('of a scheme that is not named', 'Digest username="ada"'),
  isFor('of a scheme that only begins like one', `Basicx ${base64('ada:secret')}`),
  isFor('of a token without the prefix', 'Bearer glsb_x'),
  isFor('of a prefix in other letters', 'Bearer GLSA_x'),
  isFor('of a Bearer token if none is named', 'Bearer glsa_x', { ...passes, bearer: [], schemes: ['basic'] }),
  isFor('of Basic if only tokens are named', `Basic ${base64('ada:secret')}`, opaque),
  isFor('of a JWT', `Bearer ${foreign}`, opaque),
  isFor('of a JWT with more parts', `Bearer ${foreign}.x.y`, opaque),
  isFor('of an encrypted JWT', `Bearer ${b64({ alg: 'dir', enc: 'A256GCM' })}..a.b.c`, opaque),
  isFor('of a JWT in the other alphabet', `Bearer ${foreign.replaceAll('-', '+').replaceAll('_', '/')}`, opaque),
  isFor('of a JWT whose header has a byte order mark', `Bearer ${b64('\ufeff{"alg":"none"}')}.e30.x`, opaque),
  isFor('of the scheme DPoP', 'DPoP glsa_x', opaque),
  isFor('without a credential', 'Basic'),
  isFor('with an empty credential', 'Basic '),
  isFor('with two spaces', `Basic  ${base64('ada:secret')}`),
  isFor('with two spaces before a token', 'Bearer  glsa_x'),
  isFor('with a TAB', `Basic\t${base64('ada:secret')}`),
  isFor('with a TAB inside', 'Token a\tb'),
  isFor('with a control character', 'Token a\u0001b'),
  isFor('with other letters than ASCII', 'Token ä'),
  isFor('with a space at the end', 'Token a '),
  isFor('with a space in a Bearer token', 'Bearer glsa_x y'),
  isFor('with two tokens', 'Bearer glsa_x, Bearer y'),
  isFor('with two credentials of Basic', `Basic ${base64('a:b')}, Basic ${base64('c:d')}`),
  isFor('behind the word for a token in the URL', `query Basic ${base64('ada:secret')}`),
  belongs('of 4 KB', `Token ${'x'.repeat(4090)}`, 'token'),
  isFor('of more than 4 KB', `Token ${'x'.repeat(4091)}`),
  isFor('of an opaque token that is too long', `Bearer ${'x'.repeat(9000)}`, opaque),
  ...hiding.map(([name, form]) => isFor(`with a provider’s token ${name}`, form(ours))),
  ...hiding.map(([name, form]) => isFor(`with the gateway’s assertion ${name}`, form(jwt({ iss: issuers.own })))),
  // A decoder reads four characters at once, so a prefix of one to three of them hides what follows.
  ...['a', 'ab', 'abc', 'abcd', 'atl_a'].flatMap((prefix) => [
    isFor(`with an encoded token behind ${prefix}`, `Bearer ${prefix}${b64(ours)}`, opaque),
    isFor(`with an encoded token behind ${prefix} in a password`, `Basic ${base64(`ada:${prefix}${b64(ours)}`)}`),
    isFor(`with the claims of a token behind ${prefix}`, `Token ${prefix}${ours.split('.')[1]}`),
  ]),
  isFor('with a token of the trust domain', `Token ${jwt({ sub: 'spiffe://example.org/wiki', aud: 'x' })}`),
  isFor('with an issuer that is given twice', `Token ${jwt(`{"iss":"${issuer}","iss":"https://elsewhere"}`)}`),
  isFor('with an escaped issuer', `Token ${jwt(`{"\\u0069ss":"${issuer.replaceAll('/', '\\/')}"}`)}`),
  isFor('with a byte order mark', `Token ${jwt(`\ufeff{"iss":"${issuer}"}`)}`),
  isFor('with text after the claims', `Token ${jwt(`{"iss":"${issuer}"} x`)}`),
  isFor('with spaces in the claims', `Token ${jwt(`{ "a": 1, "iss" :\n "${issuer}" }`)}`),
  {
    name: 'Authorization for one service is erased for another',
    got: () => {
      const { schemeFor } = passingOf(passes, issuers);
      const basic = `Basic ${base64('ada:secret')}`;
      return [schemeFor('wiki', basic), schemeFor('canary', basic) ?? 'erased', schemeFor('wiki', undefined) ?? 'none'];
    },
    wanted: ['basic', 'erased', 'none'],
  },
  {
    name: 'Authorization headers one after the other are read one by one',
    got: () => {
      const { schemeOf } = passingOf(passes, issuers);
      const of = (text: string) => schemeOf(text) ?? 'gateway';
      return ['Token a', `Token ${ours}`, 'Token a', '', 'Token b', `Bearer ${ours}`, `Bearer ${ours}`].map(of);
    },
    wanted: ['token', 'gateway', 'token', 'gateway', 'token', 'gateway', 'gateway'],
  },
];
