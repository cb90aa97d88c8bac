/** The people that the test provider knows. */
export interface Person {
  readonly name: string;
  readonly email: string;
  readonly groups: readonly string[];
}

/** People by subject. */
export const people: Readonly<Record<string, Person>> = {
  ada: { name: 'Ada Lovelace', email: 'ada@example.org', groups: ['confluence-editors', 'staff'] },
  ben: { name: 'Ben Franklin', email: 'ben@example.org', groups: ['confluence-readers', 'staff'] },
  cleo: { name: 'Cleo Patra', email: 'cleo@example.org', groups: [] },
};

/** The audience of the wiki, and the resource for which a client requests a token. */
export const wikiResource = 'api://wiki';

/** Grant of the test provider for a token of a person without a browser. */
export const personaGrant = 'urn:meshgate:test:persona';

export interface ClientEntry {
  readonly id: string;
  readonly secret: string;
  readonly grants: readonly string[];
  /** Signature algorithm of its access tokens. */
  readonly algorithm: 'RS256' | 'ES256';
  /** Groups of the service account itself. */
  readonly groups?: readonly string[];
  /** How it authenticates; default `client_secret_basic`. */
  readonly auth?: 'client_secret_basic' | 'client_secret_post' | 'none';
  /** Each of its authorization requests must be pushed. */
  readonly pushes?: true;
  /** Its access tokens are not JWTs: recipients have to introspect them. */
  readonly opaque?: true;
}

/** The secret of every client in the gateway's policies of the tests. */
const gatewaySecret = 'the client secret of the tests';

const codeFlow = ['authorization_code', 'refresh_token'];

/** Clients by purpose: people's command lines, service accounts, an agent, and gateways at which people sign in. */
export const clients: readonly ClientEntry[] = [
  { id: 'wiki-cli', secret: 'wiki-cli-secret', grants: [personaGrant], algorithm: 'RS256' },
  { id: 'wiki-cli-es256', secret: 'wiki-cli-secret', grants: [personaGrant], algorithm: 'ES256' },
  { id: 'wiki-opaque', secret: 'wiki-cli-secret', grants: [personaGrant], algorithm: 'RS256', opaque: true },
  { id: 'wiki-asks', secret: gatewaySecret, grants: [], algorithm: 'RS256' },
  { id: 'wiki-index', secret: 'wiki-index-secret', grants: ['client_credentials'], algorithm: 'RS256' },
  { id: 'wiki-index-es256', secret: 'wiki-index-secret', grants: ['client_credentials'], algorithm: 'ES256' },
  { id: 'release-bot', secret: 'release-bot-secret', grants: [personaGrant], algorithm: 'RS256' },
  { id: 'gateway', secret: gatewaySecret, grants: codeFlow, algorithm: 'RS256' },
  { id: 'gateway-post', secret: gatewaySecret, grants: codeFlow, algorithm: 'ES256', auth: 'client_secret_post' },
  { id: 'gateway-pushes', secret: gatewaySecret, grants: codeFlow, algorithm: 'RS256', pushes: true },
  { id: 'gateway-public', secret: '', grants: codeFlow, algorithm: 'RS256', auth: 'none' },
];
