/** Who the test provider knows. */
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

/** The audience of the wiki, and the resource that a client asks a token for. */
export const wikiResource = 'api://wiki';

/** Grant of the test provider by which a token for a person is had without a browser. */
export const personaGrant = 'urn:meshgate:test:persona';

export interface ClientEntry {
  readonly id: string;
  readonly secret: string;
  readonly grants: readonly string[];
  /** Signature algorithm of its access tokens. */
  readonly algorithm: 'RS256' | 'ES256';
  /** Groups of the service account itself. */
  readonly groups?: readonly string[];
}

/** Clients by what they are for: people's command lines, and service accounts. */
export const clients: readonly ClientEntry[] = [
  { id: 'wiki-cli', secret: 'wiki-cli-secret', grants: [personaGrant], algorithm: 'RS256' },
  { id: 'wiki-cli-es256', secret: 'wiki-cli-secret', grants: [personaGrant], algorithm: 'ES256' },
  { id: 'wiki-index', secret: 'wiki-index-secret', grants: ['client_credentials'], algorithm: 'RS256' },
  { id: 'wiki-index-es256', secret: 'wiki-index-secret', grants: ['client_credentials'], algorithm: 'ES256' },
];
