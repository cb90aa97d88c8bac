import { randomBytes } from 'node:crypto';
import { sessionText } from '../../src/caller/ready.ts';
import type { Policy } from '../../src/policy/index.ts';
import { compile } from '../../src/rules/compile.ts';
import { toTable } from '../../src/rules/table/table.ts';
import type { Table } from '../../src/rules/types.ts';
import { keep, readClaims } from '../../src/session/cookie-claims.ts';
import { type Ring, readRing } from '../../src/session/keys/ring.ts';
import { open, seal } from '../../src/session/keys/seal.ts';
import { SESSION_COOKIE } from '../../src/session/names.ts';
import { readRecord, recordText } from '../../src/session/record.ts';
import type { SessionClaims } from '../../src/session/types.ts';
import type { UserAgent } from './agent.ts';

/** For `gateway.signin` of a policy whose test signs in more often, from one address, than people do. */
export const MANY_SIGNINS = 'limit: { rate: 10000/s, burst: 10000 }';

/** The places of a gateway's session data beside the cookies. */
export interface Records {
  get(sid: string): Promise<string | undefined>;
  put(sid: string, sealed: string): Promise<void>;
}

/** Seals sessions as a gateway with the same policy and the same keys does. */
export class Sealer {
  readonly #ring: Ring;
  readonly #table: Table;
  readonly #settings: NonNullable<Table['session']>;

  private constructor(ring: Ring, table: Table, settings: NonNullable<Table['session']>) {
    this.#ring = ring;
    this.#table = table;
    this.#settings = settings;
  }

  /** @param keys text of the file with the session keys */
  static async of(policy: Policy, keys: string): Promise<Sealer> {
    const ring = await readRing(keys, Date.now() / 1000);
    if (typeof ring === 'string') throw new Error(ring);
    const table = toTable(policy, compile(policy), { egress: '', check: '' });
    if (table.session === undefined) throw new Error('the policy has no gateway.session');
    return new Sealer(ring, table, table.session);
  }

  /** A session of a person who signed in just now, with the claims that it keeps. */
  session(provider: string, claims: SessionClaims['claims'], changes: Partial<SessionClaims> = {}): SessionClaims {
    const now = Math.floor(Date.now() / 1000);
    return {
      sid: randomBytes(16).toString('base64url'),
      provider,
      issuer: this.#table.providers[provider]?.issuer ?? '',
      selection: this.#table.selection,
      gen: 0,
      since: now,
      authTime: now,
      sealed: now,
      fresh: now + this.#settings.fresh,
      end: now + this.#settings.absolute,
      claims: keep(claims, this.#settings.keep, provider),
      ...changes,
    };
  }

  /** The value of a host's session cookie. */
  seal(host: string, session: SessionClaims): Promise<string> {
    const now = Date.now() / 1000;
    return seal(this.#ring, 'session', host, sessionText(session, this.#table, this.#settings, now), now);
  }

  /** A `Cookie` line of a host that has only this session. */
  async cookie(host: string, session: SessionClaims): Promise<string> {
    return `${SESSION_COOKIE}=${await this.seal(host, session)}`;
  }

  /**
   * Makes a session older than it is, at the gateway and in its browser: no test waits until the provider's word is too
   * old.
   *
   * @param fresh seconds from now until it is; below zero: it is already
   */
  async age(records: Records, agent: UserAgent, origin: string, fresh: number): Promise<void> {
    const cookie = agent.cookies(origin).find(({ key }) => key === SESSION_COOKIE);
    const older = await this.older(records, new URL(origin).hostname, cookie?.value ?? '', fresh);
    agent.setCookie(`${SESSION_COOKIE}=${older}; Path=/; Secure`, origin);
  }

  /**
   * Makes a session older at the gateway.
   *
   * @param cookie value of its cookie
   * @returns the value of the cookie that its browser is to have
   */
  async older(records: Records, host: string, cookie: string, fresh: number): Promise<string> {
    const session = readClaims((await open(this.#ring, 'session', host, cookie)) ?? '');
    if (session === undefined) throw new Error(`no session of ${host} to make older`);
    const sealed = await records.get(session.sid);
    const record = readRecord((await open(this.#ring, 'record', '', sealed ?? '')) ?? '', session.sid);
    if (record === undefined) throw new Error(`the gateway keeps nothing of the session of ${host}`);
    const now = Date.now() / 1000;
    const until = Math.floor(now) + fresh;
    const older = recordText({ ...record, session: { ...record.session, fresh: until } });
    await records.put(session.sid, await seal(this.#ring, 'record', '', older, now));
    return this.seal(host, { ...session, fresh: until });
  }
}
