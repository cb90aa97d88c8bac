import { expect, test } from 'vitest';
import { isAlone } from '../../../src/caller/agent.ts';
import { type ProviderKindName, providerKinds } from '../../../src/providers/index.ts';
import { clientOf } from '../../../src/token/client-id.ts';

const ids = { oid: 'ad8a', sub: 'ad8a', tid: 't' };

test.each<[kind: ProviderKindName, claims: object, alone: boolean]>([
  ['okta', { sub: '0oa1', cid: '0oa1', scp: ['jobs'] }, true],
  ['okta', { sub: '0oa1', cid: '0oa1', uid: '00u1' }, false],
  ['okta', { sub: 'ann@example.com', cid: '0oa1', uid: '00u1' }, false],
  ['entra', { idtyp: 'app', appid: 'a', ...ids }, true],
  ['entra', { azp: 'a', roles: ['Jobs.Run'], ...ids }, true],
  ['entra', { azp: 'a', idtyp: 'user', ...ids }, false],
  ['entra', { azp: 'a', scp: 'wiki.read', ...ids }, false],
  ['entra', { azp: 'a', roles: ['Jobs.Run'], ...ids, sub: 'another' }, false],
  ['entra', { azp: 'a', sub: 'x' }, false],
  ['keycloak', { sub: 'f1', preferred_username: 'service-account-bot', client_id: 'Bot', azp: 'Bot' }, true],
  ['keycloak', { sub: 'f1', preferred_username: 'service-account-bot', azp: 'Bot' }, true],
  ['keycloak', { sub: 'f1', preferred_username: 'service-account-bot', azp: 'bot', clientId: 'bot' }, true],
  ['keycloak', { sub: 'f1', preferred_username: 'service-account-bot', clientId: 'bot' }, true],
  ['keycloak', { sub: 'f1', preferred_username: 'service-account-other', azp: 'bot' }, false],
  ['keycloak', { sub: 'f1', preferred_username: 'ann', client_id: 'bot', azp: 'bot' }, false],
  ['generic', { sub: 'bot', client_id: 'bot' }, true],
  ['generic', { sub: 'bot', azp: 'bot' }, true],
  ['generic', { sub: 'ann', azp: 'bot', client_id: 'bot' }, false],
  ['generic', { sub: '', azp: '' }, false],
  ['generic', {}, false],
])('a token of %s with %j acts alone: %s', (kind, claims, alone) => {
  expect(isAlone(claims as never, providerKinds[kind])).toBe(alone);
});

test.each<[kind: ProviderKindName, claims: object, client: string | undefined]>([
  ['entra', { azp: 'v2' }, 'v2'],
  ['entra', { appid: 'v1' }, 'v1'],
  ['okta', { cid: '0oa1', client_id: 'x' }, '0oa1'],
  ['generic', { client_id: 'a', cid: 'b' }, 'a'],
  ['generic', { azp: ['a'], client_id: 'a' }, 'a'],
  ['generic', { azp: '' }, undefined],
  ['generic', {}, undefined],
])('the client of a token of %s with %j is %s', (kind, claims, client) => {
  expect(clientOf(claims as never, providerKinds[kind])).toBe(client);
});
