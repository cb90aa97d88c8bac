import { providerKinds } from '../../providers/index.ts';
import type { Findings } from '../findings.ts';
import { type Draft, type Fact, freeName, type Rule } from '../new-policy.ts';
import { isAddress, isClaim, isDomain, isGroup } from '../text-forms.ts';
import type { Migrated } from './provider.ts';
import type { Settings } from './settings.ts';

/** What a caller must have, besides a credential of the provider. */
export interface Demands {
  readonly domains: readonly string[];
  readonly addresses: readonly string[];
  readonly groups: readonly string[];
}

/** The fact that is never true, in places that a person has to fill in: no provider gives anyone this address. */
export const NEVER = 'fill-in@migrate.invalid';

/** Options that restrict access by something that a policy cannot say. If one is set, the role stays closed. */
const CLOSING = ['google-group', 'github-repo', 'bitbucket-repository'];

/** Options that let further people in. Without one of the others, only these people pass, and the role stays closed. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  'gitlab-project': ['gitlab-group'],
  'github-user': ['github-org', 'github-team'],
};

/** Which options about groups oauth2-proxy reads for a kind of provider. It reads the others for no other kind. */
const READ_FOR: Readonly<Record<string, readonly string[]>> = {
  gitlab: ['gitlab-group', 'gitlab-project'],
  keycloak: ['keycloak-group'],
  'keycloak-oidc': ['allowed-group', 'allowed-role'],
  google: ['allowed-group', 'google-group'],
  github: ['allowed-group', 'github-org', 'github-team', 'github-repo', 'github-user'],
  bitbucket: ['allowed-group', 'bitbucket-team', 'bitbucket-repository'],
};

const OF_GROUPS = [...new Set(Object.values(READ_FOR).flat())];

/** Options whose values restrict access. If a value is not in the files, the role stays closed. */
const RESTRICTING = [
  ...['email-domain', 'authenticated-emails-file', 'allowed-group', 'allowed-role', 'keycloak-group', 'gitlab-group'],
  ...['google-group', 'gitlab-project', 'github-org', 'github-team', 'github-repo', 'bitbucket-team'],
  ...['github-user', 'bitbucket-repository', 'provider', 'oidc-email-claim', 'user-id-claim', 'oidc-groups-claim'],
  ...['oidc-audience-claim', 'oidc-enabled-signing-alg', 'oidc-issuer-url', 'azure-tenant', 'entra-id-allowed-tenant'],
];

const any = (facts: readonly Fact[]): Fact | undefined => (facts.length > 1 ? { any: facts } : facts[0]);

interface Given {
  readonly settings: Settings;
  readonly provider: Migrated;
  readonly draft: Draft;
  readonly findings: Findings;
  /** Addresses of people, of a file that lists them. */
  readonly addresses: readonly string[];
  /** Whether the policy has several providers, so that each fact names its provider. */
  readonly several: boolean;
}

/** Writes the roles of callers that oauth2-proxy lets pass. */
export class Access {
  readonly #given: Given;
  readonly #declared: Demands & { readonly everyAddress: boolean };
  /** The groups of which a caller needs one besides those of `#said`. */
  readonly #teams: readonly string[];
  #isClosed = false;

  constructor(given: Given) {
    this.#given = given;
    const { settings, addresses } = given;
    const domains = settings.list('email-domain').map((it) => it.toLowerCase());
    this.#declared = {
      everyAddress: domains.includes('*'),
      domains: domains.filter((it) => it !== '*'),
      addresses: settings.has('authenticated-emails-file') ? addresses : [],
      groups: this.#groups(),
    };
    this.#teams = this.#teamsIn();
    this.#restrict();
    this.#explain();
  }

  /** Which options about groups oauth2-proxy reads. */
  #read(name: string): boolean {
    return (READ_FOR[this.#given.provider.type] ?? ['allowed-group']).includes(name);
  }

  /** Names of groups as the provider of oauth2-proxy calls them. A caller needs one of them. */
  #groups(): readonly string[] {
    const { settings } = this.#given;
    const named = ['allowed-group', 'keycloak-group', 'gitlab-group'].filter((it) => this.#read(it));
    const roles = this.#read('allowed-role') ? settings.values('allowed-role') : [];
    return [...new Set([...named.flatMap((it) => settings.list(it)), ...roles.map((it) => `role:${it}`)])];
  }

  /** Names of organisations and teams, of which a caller needs one, too. */
  #teamsIn(): readonly string[] {
    const { settings } = this.#given;
    if (this.#read('bitbucket-team')) return settings.list('bitbucket-team');
    if (!this.#read('github-org')) return [];
    const teams = (settings.text('github-team') ?? '').split(',').flatMap((it) => it.trim() || []);
    const org = settings.text('github-org');
    if (org !== undefined) return teams.length === 0 ? [org] : teams.map((it) => `${org}:${it}`);
    // With a team of no organisation, oauth2-proxy admits no caller.
    return teams.every((it) => it.includes(':')) ? teams : [''];
  }

  /** Closes the role if something restricts access that a policy cannot say. */
  #restrict(): void {
    const { settings, provider } = this.#given;
    const isSet = (it: string) => settings.values(it).length > 0 && settings.values(it).join('') !== '';
    const close = (name: string, why: string) => {
      this.#isClosed = true;
      this.#given.findings.ask(settings.label(name), `${why}: write who may pass into the role`);
    };
    for (const name of OF_GROUPS.filter((it) => isSet(it) && !this.#read(it))) {
      const why = `oauth2-proxy does not read it for the provider ${JSON.stringify(provider.type.slice(0, 40))}`;
      if (this.#declared.groups.length + this.#teams.length === 0) close(name, `${why}, and admits others too`);
      else this.#given.findings.differ(settings.label(name), `${why}, so the role does not have it`);
    }
    const oidc = settings.text('oidc-email-claim') ?? 'email';
    const isOld = oidc === 'email' && settings.text('user-id-claim') !== undefined;
    const name = isOld ? 'user-id-claim' : 'oidc-email-claim';
    if ((isOld ? settings.text(name) : oidc) !== 'email') {
      close(name, 'oauth2-proxy compares addresses with another claim than email');
    }
    if ((settings.values('oidc-audience-claim')[0] ?? 'aud') !== 'aud') {
      close('oidc-audience-claim', 'oauth2-proxy compares the audience with another claim than aud');
    }
    const isAlone = ([name, others]: readonly [string, readonly string[]]) => isSet(name) && !others.some(isSet);
    if (CLOSING.some(isSet) || Object.entries(BESIDE).some(isAlone)) this.#isClosed = true;
  }

  /** Reports how the facts about people differ from those of oauth2-proxy. */
  #explain(): void {
    const { settings, findings, provider } = this.#given;
    const { everyAddress, domains, addresses } = this.#declared;
    const label = settings.label('email-domain');
    if (domains.length > 0 || addresses.length > 0) {
      findings.differ(
        label,
        'oauth2-proxy compares addresses in lower case, and the gateway exactly as the provider sends them',
      );
    }
    if (!everyAddress && settings.has('authenticated-emails-file') && addresses.length === 0) {
      findings.ask(
        settings.label('authenticated-emails-file'),
        'give this file to the command as a further file, or write its addresses into the role',
      );
    }
    if (!everyAddress && domains.length === 0 && !settings.has('authenticated-emails-file') && addresses.length === 0) {
      findings.ask(
        '--email-domain',
        'oauth2-proxy does not start without email-domain or authenticated-emails-file: write who may pass into the role',
      );
    }
    if (everyAddress && provider.kind === 'google') {
      findings.ask(
        label,
        'anyone in the world has a Google account, so the gateway needs an organisation: write its hd into the role, or the addresses of people',
      );
    } else if (everyAddress && this.#declared.groups.length + this.#teams.length === 0) {
      findings.differ(
        label,
        'every account of the provider may pass, as before: if anyone can make an account there, name groups or domains in the role',
      );
    }
    if (provider.kind === 'google' && domains.length > 0) {
      findings.differ(
        label,
        'the gateway needs the organisation of the account (hd) besides the address: an account of no organisation may have an address of any domain',
      );
    }
    if (!provider.verifies) {
      findings.differ(
        label,
        domains.length > 0 || addresses.length > 0
          ? 'oauth2-proxy accepts addresses that this provider does not verify, and the gateway does not: for Entra ID, add the optional claims email and xms_edov; or use groups'
          : 'oauth2-proxy signs in only people with an e-mail address, and the gateway also people without one',
        ...(domains.length > 0 || addresses.length > 0 ? ([] as const) : ([true] as const)),
      );
    } else if (settings.is('insecure-oidc-allow-unverified-email') && everyAddress) {
      findings.differ(
        label,
        'oauth2-proxy signs in only people with an e-mail address, and the gateway also people without one',
        true,
      );
    } else {
      findings.differ(
        label,
        'oauth2-proxy also accepts an address if the provider says nothing about its verification; the gateway needs email_verified: true',
      );
    }
    if (this.#declared.groups.some((it) => it.startsWith('role:'))) {
      findings.ask(
        settings.label('allowed-role'),
        'oauth2-proxy reads roles of Keycloak in the access token, and a session of the gateway in the ID token: switch on "Add to ID token" in the mappers of the client scope roles',
      );
    }
  }

  /** Adds `provider` to a fact, if the policy has several. */
  #of(fact: Readonly<Record<string, string | boolean>>): Fact {
    return this.#given.several ? { ...fact, provider: this.#given.provider.name } : fact;
  }

  #group(name: string): readonly Fact[] {
    const [, inner] = /^role:([\s\S]+)$/.exec(name) ?? [];
    if (inner !== undefined && this.#given.provider.type === 'keycloak-oidc') {
      const [, client, role] = /^([^:]+):([\s\S]+)$/.exec(inner) ?? [];
      const claim = client === undefined ? 'realm_access.roles' : `resource_access.${client}.roles`;
      const value = role ?? inner;
      return isClaim(claim) && isGroup(value) ? [this.#of({ claim, is: value })] : [];
    }
    const claim = this.#given.settings.text('oidc-groups-claim') ?? 'groups';
    const usual: string | undefined = (providerKinds[this.#given.provider.kind] as { groups?: string }).groups;
    if (!isGroup(name) || name.includes('${')) return [];
    if (this.#given.provider.broker) return [this.#of({ group: name })];
    if (claim === usual) return [this.#of({ group: name })];
    return isClaim(claim) && !claim.includes('${') ? [this.#of({ claim, is: name })] : [];
  }

  #domain(text: string): readonly Fact[] {
    const isBelow = /^\*?\./.test(text);
    const domain = text.replace(/^\*?\./, '');
    if (!isDomain(domain)) return [];
    const email = this.#of({ claim: 'email', like: isBelow ? `*@*.${domain}` : `*@${domain}` });
    if (this.#given.provider.kind !== 'google') return [email];
    return isBelow ? [] : [{ all: [this.#of({ claim: 'hd', is: domain }), email] }];
  }

  /** The facts about the address; undefined if every address is enough. */
  #people({ domains, addresses }: Demands, everyAddress: boolean): Fact | undefined {
    const never = this.#of({ claim: 'email', is: NEVER });
    if (everyAddress) {
      if (this.#given.provider.kind === 'google') return never;
      const isAny = !this.#given.provider.verifies || this.#given.settings.is('insecure-oidc-allow-unverified-email');
      return isAny ? undefined : this.#of({ claim: 'email', like: '*@*' });
    }
    const found = [
      ...domains.flatMap((it) => {
        const facts = this.#domain(it);
        if (facts.length === 0) {
          const why = 'not carried over: write the organisation (hd) or the addresses of these people into the role';
          this.#given.findings.ask(
            this.#given.settings.label('email-domain'),
            `${JSON.stringify(it.slice(0, 80))}: ${why}`,
          );
        }
        return facts;
      }),
      ...addresses.filter(isAddress).map((it) => this.#of({ claim: 'email', is: it })),
    ];
    return any(found) ?? never;
  }

  /** Returns the fact for callers that oauth2-proxy lets pass, with further demands of one place.
   * @returns undefined if any caller of the provider passes */
  fact(more?: Demands): Fact | undefined {
    const { groups, everyAddress, ...declared } = this.#declared;
    const { settings } = this.#given;
    const closes = this.#isClosed || settings.isClosed || RESTRICTING.some((it) => settings.isElsewhere(it));
    const never = this.#of({ claim: 'email', is: NEVER });
    const inGroups = [groups, this.#teams].flatMap((names) =>
      names.length === 0 ? [] : [any(names.flatMap((it) => this.#group(it))) ?? never],
    );
    const people = this.#people({ ...declared, groups }, everyAddress);
    const further = more === undefined ? [] : this.#further(more);
    const all = [people, ...inGroups, ...(closes ? [never] : []), ...further].filter((it) => it !== undefined);
    const different = [...new Map(all.map((it) => [JSON.stringify(it), it])).values()];
    return different.length > 1 ? { all: different } : different[0];
  }

  #further({ domains, addresses, groups }: Demands): readonly Fact[] {
    const never = this.#of({ claim: 'email', is: NEVER });
    const each = [
      [groups, () => groups.flatMap((it) => this.#group(it))],
      [domains, () => domains.flatMap((it) => this.#domain(it))],
      [addresses, () => addresses.filter(isAddress).map((it) => this.#of({ claim: 'email', is: it }))],
    ] as const;
    return each.flatMap(([wanted, facts]) => (wanted.length === 0 ? [] : [any(facts()) ?? never]));
  }

  /** Returns the rule for callers that oauth2-proxy lets pass, and adds its role.
   * @param more what a place demands besides the settings of oauth2-proxy */
  rule(name: string, more?: Demands): Rule {
    const fact = this.fact(more);
    if (fact === undefined && !this.#given.several) return 'authenticated';
    return roleFor(this.#given.draft, name, fact ?? { provider: this.#given.provider.name });
  }
}

/** The fact that is never true, for a policy with these providers. */
export function neverTrue({ providers }: Draft): Fact {
  const [first, ...others] = Object.keys(providers);
  return { claim: 'email', is: NEVER, ...(first !== undefined && others.length > 0 && { provider: first }) };
}

/** Adds a role with this fact, unless the policy has one. */
export function roleFor(draft: Draft, name: string, fact: Fact): string {
  const declared = JSON.stringify(fact);
  const [known] = Object.entries(draft.roles).find(([, it]) => JSON.stringify(it) === declared) ?? [];
  if (known !== undefined) return known;
  const free = freeName(name, draft.roles);
  draft.roles[free] = fact;
  if (declared.includes(NEVER)) {
    const text = `FILL IN: who has this role. ${NEVER} stands for people that the files do not name, and no caller has it.`;
    draft.comments.set(`roles.${free}`, [text]);
  }
  return free;
}
