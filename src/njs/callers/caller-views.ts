import { TO_CHECK } from '../../base/internal-headers.ts';
import { VIEWS_PER_CALLER } from '../../base/limits.ts';
import { ok, type Result } from '../../base/reasons.ts';
import { ANONYMOUS_CALLER } from '../../caller/reserved.ts';
import { inView, type RequestRoles, requestRoles } from '../../caller/roles/views.ts';
import { isNamed } from '../../policy/facts/certificate.ts';
import { networkName } from '../../policy/facts/network.ts';
import type { RequestView } from '../../policy/facts/operator.ts';
import type { Table, TableRequest } from '../../rules/types.ts';
import { type KnownCaller, knownCaller } from '../shared/known.ts';
import { clientReader } from './certificate-callers.ts';

type HeadersIn = NginxHTTPRequest['headersIn'];

const truthOf = (digit: string | undefined): boolean | undefined =>
  digit === '1' ? true : digit === '0' ? false : undefined;

/** Adds the roles that network and certificate give to the callers of single requests. The view of a request is a text
 * with one digit for each network and each certificate name of the policy. There are few different views, and each
 * caller is computed once for each view. */
class Views {
  readonly #of: RequestRoles;
  readonly #networks: ReadonlyMap<string, number>;
  readonly #names: ReadonlyMap<string, number>;
  /** Returns one digit for each name in the policy: whether the certificate has this name. */
  readonly #digitsOf: (escaped: string, now: number) => Result<string>;
  readonly #nobody = new Map<string, KnownCaller | null>();

  constructor(of: RequestRoles, { networks, certificates }: TableRequest) {
    const places = (texts: readonly string[]) => new Map(texts.map((text, place) => [text, place]));
    this.#of = of;
    this.#networks = places(networks);
    this.#names = places(certificates);
    this.#digitsOf = clientReader((it) => ok(certificates.map((name) => (isNamed(it, name) ? '1' : '0')).join('')));
  }

  /** Returns the digits for the networks of a request; for a valid certificate, a space and more digits follow. */
  #view(headersIn: HeadersIn, now: number): string {
    const networks = headersIn[TO_CHECK.networks] ?? '';
    const escaped = this.#names.size === 0 ? undefined : headersIn['SSL-Client-Cert'];
    if (escaped === undefined) return networks;
    const digits = this.#digitsOf(escaped, now);
    return digits.ok ? `${networks} ${digits.value}` : networks;
  }

  #requestOf(view: string): RequestView {
    const [networks = '', names = ''] = view.split(' ');
    return {
      within: (ranges) => truthOf(networks[this.#networks.get(networkName(ranges)) as number]),
      named: (name) => truthOf(names[this.#names.get(name) as number]),
    };
  }

  /** Returns a known caller with the roles of this request. */
  see(known: KnownCaller, headersIn: HeadersIn, now: number): KnownCaller {
    const view = this.#view(headersIn, now);
    let seen = known.views?.get(view);
    if (seen !== undefined) return seen;
    const caller = inView(known.caller, this.#of, this.#requestOf(view));
    seen = { ...known, caller, roles: caller.roles.join(','), ...(known.ready !== undefined && { ready: new Map() }) };
    delete seen.views;
    delete seen.assertions;
    if (known.ready !== undefined) {
      known.views ??= new Map();
      if (known.views.size >= VIEWS_PER_CALLER) known.views.clear();
      known.views.set(view, seen);
    }
    return seen;
  }

  /** Returns the anonymous caller of a request; undefined if it has no role, also at other addresses. */
  nobody(headersIn: HeadersIn): KnownCaller | undefined {
    // An anonymous caller shows no credential, so a certificate gives no role here.
    const view = headersIn[TO_CHECK.networks] ?? '';
    let seen = this.#nobody.get(view);
    if (seen === undefined) {
      const caller = inView(ANONYMOUS_CALLER, this.#of, this.#requestOf(view));
      const isSomebody = caller.roles.length > 0 || caller.elsewhere !== undefined;
      seen = isSomebody
        ? { ...knownCaller(caller, caller.roles.join(','), Number.POSITIVE_INFINITY, ''), ready: new Map() }
        : null;
      if (this.#nobody.size >= VIEWS_PER_CALLER) this.#nobody.clear();
      this.#nobody.set(view, seen);
    }
    return seen ?? undefined;
  }
}

/** Returns the views for a policy; undefined if no role depends on the request. */
export function viewsOf(table: Table): Views | undefined {
  const of = requestRoles(table);
  return of === undefined || table.request === undefined ? undefined : new Views(of, table.request);
}
