import type { Call } from '../services/bad-provider.ts';
import type { Alterations, TokenAlteration } from '../services/shared/alterations.ts';
import type { Box } from './container.ts';
import { callAdmin, startService } from './services.ts';
import type { Stage } from './stage.ts';

export type { Alterations, Call, TokenAlteration };

const port = 8443;

/** A provider that works correctly until a test gives it faults: test/services/shared/alterations.ts. */
export class BadProvider {
  readonly box: Box;
  readonly issuer: string;

  constructor(box: Box) {
    this.box = box;
    this.issuer = `https://${box.alias}:${port}`;
  }

  /** Sets its faults; without any it works correctly again. */
  async alter(alterations: Alterations = {}): Promise<void> {
    await callAdmin(this.box, 'PUT', '/alter', alterations);
  }

  /** Calls since the last {@link forget}, all or those of one path (`/token`, `/userinfo`, `/jwks`, `/logout`, …). */
  async calls(path?: string): Promise<Call[]> {
    const all: Call[] = await callAdmin(this.box, 'GET', '/calls');
    return path === undefined ? all : all.filter((call) => call.path === path);
  }

  async forget(): Promise<void> {
    await callAdmin(this.box, 'DELETE', '/calls');
  }

  /** Another key signs from now on, and is the published one. */
  async rotate(): Promise<void> {
    await callAdmin(this.box, 'POST', '/rotate');
  }

  /** The newest session. */
  last(): Promise<{ person: string; sid: string }> {
    return callAdmin(this.box, 'GET', '/last');
  }

  /** A logout token for the newest session, to be sent to the gateway as `logout_token`. */
  async logoutToken(alteration: TokenAlteration = {}): Promise<string> {
    return (await callAdmin(this.box, 'POST', '/logout-token', alteration)).token;
  }
}

export interface BadProviderOptions {
  /** Name in the network, default `bad`; the issuer is `https://ALIAS:8443`. */
  readonly alias?: string;
  /** Default `wiki` and `wiki-secret`. */
  readonly client?: { readonly id: string; readonly secret: string };
}

export async function startBadProvider(stage: Stage, options: BadProviderOptions = {}): Promise<BadProvider> {
  const alias = options.alias ?? 'bad';
  const { id, secret } = options.client ?? { id: 'wiki', secret: 'wiki-secret' };
  const box = await startService(stage, 'bad-provider', {
    alias,
    files: { '/etc/service/tls.pem': (await stage.ca.server(alias)).pem },
    env: { ISSUER: `https://${alias}:${port}`, CLIENT_ID: id, CLIENT_SECRET: secret },
  });
  return new BadProvider(box);
}
