import { OBJECT_ID } from '../../policy/forms/addresses.ts';
import { parsePolicy } from '../../policy/index.ts';
import { PARAMETER } from '../../policy/schema/signin-parameters.ts';
import { issuerProblem, kindOfIssuer, type ProviderKindName, providerKinds, TENANT } from '../../providers/index.ts';
import type { Findings } from '../findings.ts';
import { comment, type Draft, type Mapping } from '../new-policy.ts';
import { isAcr, isFile, isJwksUri, isPlainText } from '../text-forms.ts';
import type { Settings } from './settings.ts';

/** The provider of the new policy, as far as other parts need to know it. */
export interface Migrated {
  readonly name: string;
  readonly kind: ProviderKindName;
  /** The kind of provider of oauth2-proxy. */
  readonly type: string;
  /** Whether its tokens say that an address is verified. Without that, no address counts. */
  readonly verifies: boolean;
  /** Set if the provider of oauth2-proxy speaks no OpenID Connect, so that a broker has to stand in between. */
  readonly broker?: true;
}

/** The issuer in a policy until a person writes the right one: no token ever has it. */
export const NO_ISSUER = 'https://fill-in.invalid';

/** The id of a tenant until a person writes the right one. */
const NO_TENANT = '00000000-0000-0000-0000-000000000000';

/** Kinds of oauth2-proxy that speak OpenID Connect, with the issuer that they always have. */
const OPENID: Readonly<Record<string, string | undefined>> = {
  oidc: undefined,
  'keycloak-oidc': undefined,
  keycloak: undefined,
  google: 'https://accounts.google.com',
  azure: undefined,
  'entra-id': undefined,
  adfs: undefined,
  gitlab: 'https://gitlab.com',
  'login.gov': 'https://secure.login.gov/',
  cidaas: undefined,
};

/** The realm of Keycloak that an endpoint belongs to: the old provider `keycloak` has no issuer. */
const realmOf = (url: string | undefined): string | undefined =>
  /^(https:\/\/[^?#]*\/realms\/[^/?#]+)\/protocol\//.exec(url ?? '')?.[1];

function wantedIssuer(settings: Settings, type: string): string | undefined {
  const declared = settings.text('oidc-issuer-url');
  if (type === 'keycloak') {
    const urls = ['login-url', 'redeem-url', 'profile-url', 'validate-url'].map((it) => realmOf(settings.text(it)));
    return declared ?? urls.find((it) => it !== undefined);
  }
  if (declared === undefined && (type === 'azure' || type === 'entra-id')) {
    return `https://login.microsoftonline.com/${settings.text('azure-tenant') ?? 'common'}/v2.0`;
  }
  return declared ?? OPENID[type];
}

/** Whether people can sign in at this issuer, by the checks of the policy itself. */
function isIssuer(issuer: string, tenants?: readonly string[]): boolean {
  const of = JSON.stringify({ issuer, client: { id: 'x' }, ...(tenants && { tenants }) });
  const policy = `version: 1\ngateway: { session: { keys_file: /k } }\nproviders: { p: ${of} }\nroles: { r: { all: [{ claim: hd, is: x }, { claim: sub, is: x }] } }\nservices: { s: { url: "https://s" } }\nhosts: { h.example: { /*: { service: s, allow: [r] } } }\n`;
  return !issuer.includes('${') && parsePolicy(policy, 'x').errors.length === 0;
}

interface Issuer {
  readonly issuer: string;
  readonly tenants?: readonly string[];
}

const MANY_TENANTS = /^https:\/\/login\.microsoftonline\.com\/(?:common|organizations|consumers)(?:\/|$)/;

/** Returns the issuer for the policy. */
function issuerOf(settings: Settings, type: string, findings: Findings): Issuer | undefined {
  const wanted = wantedIssuer(settings, type);
  if (wanted === undefined) return undefined;
  const allowed = settings.list('entra-id-allowed-tenant');
  const own = /^https:\/\/login\.microsoftonline\.com\/([^/]+)/.exec(wanted)?.[1] ?? '';
  if (type === 'entra-id' && allowed.length > 0 && !MANY_TENANTS.test(wanted) && !allowed.includes(own))
    settings.close(settings.label('entra-id-allowed-tenant'), 'the tenant of the issuer is not among these');
  if (MANY_TENANTS.test(wanted)) {
    // A token has the id of its tenant in small letters.
    const tenants = allowed.filter((it) => OBJECT_ID.test(it) && it === it.toLowerCase());
    if (tenants.length === 0) {
      findings.ask(
        settings.label(settings.has('azure-tenant') ? 'azure-tenant' : 'oidc-issuer-url'),
        'oauth2-proxy accepts every tenant of Entra ID, and anyone can create one: list the ids of your tenants in tenants',
      );
    }
    const issuer = `https://login.microsoftonline.com/${TENANT}/v2.0`;
    return { issuer, tenants: tenants.length > 0 ? tenants : [NO_TENANT] };
  }
  const right = issuerProblem(kindOfIssuer(wanted), wanted) ?? wanted;
  if (isIssuer(right)) {
    if (right !== wanted) {
      findings.differ(
        settings.label('oidc-issuer-url'),
        `the issuer is ${right}: no token has the one with another end`,
      );
    }
    return { issuer: right };
  }
  const label = settings.label(settings.has('oidc-issuer-url') ? 'oidc-issuer-url' : 'azure-tenant');
  findings.ask(
    label,
    'not an issuer that the gateway accepts: write the https: URL exactly as in "iss" of a token, with a DNS name',
  );
  return { issuer: NO_ISSUER };
}

const NAMES: Readonly<Record<string, string>> = {
  adfs: 'adfs',
  gitlab: 'gitlab',
  'login.gov': 'login-gov',
  cidaas: 'cidaas',
};

/** Kinds whose tokens do not say whether an address is verified, although they have one. */
const SAYS_NOTHING = ['adfs', 'azure', 'entra-id'];

const SECRETS = '/run/secrets';

function clientOf(settings: Settings, name: string, type: string, draft: Draft, findings: Findings): Mapping {
  const id = settings.text('client-id');
  const isId = id !== undefined && /^[!-~]{1,256}$/.test(id) && !id.includes('${');
  if (!isId) findings.ask(settings.label('client-id'), `write the id of the client into providers.${name}.client`);
  const client: Mapping = { id: isId ? id : 'FILL-IN' };
  if (type === 'login.gov') {
    client.keys_file = `${SECRETS}/${name}.jwks`;
    const label = settings.label(settings.has('jwt-key-file') ? 'jwt-key-file' : 'jwt-key');
    findings.ask(label, `write the private key as a JWKS into ${client.keys_file}, which only its owner may read`);
    return client;
  }
  const file = settings.text('client-secret-file');
  client.secret_file = isFile(file) ? file : `${SECRETS}/${name}`;
  if (!isFile(file)) {
    const label = settings.label(settings.has('client-secret') ? 'client-secret' : 'client-secret-file');
    const how = `write the client secret into ${client.secret_file}, which only its owner may read (umask 077)`;
    findings.ask(label, `${how}; it is not in the policy`);
    comment(
      draft,
      `providers.${name}`,
      `The client secret is in ${client.secret_file}: only its owner may read the file.`,
    );
  }
  return client;
}

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

function algorithmsOf(settings: Settings, findings: Findings): readonly string[] {
  const declared = [...new Set(settings.list('oidc-enabled-signing-alg'))];
  const others = declared.filter((it) => !ALGORITHMS.includes(it));
  if (others.length > 0) {
    findings.differ(
      settings.label('oidc-enabled-signing-alg'),
      'the gateway never accepts HMAC and none: they are left out',
    );
  }
  const kept = declared.filter((it) => ALGORITHMS.includes(it));
  if (declared.length > 0 && kept.length === 0)
    settings.close(settings.label('oidc-enabled-signing-alg'), 'the gateway accepts none of these algorithms');
  return kept;
}

/** A scope (RFC 6749, section 3.3). */
const SCOPE = /^[!#-[\]-~]{1,128}$/;

function signinOf(settings: Settings, type: string, kind: ProviderKindName, findings: Findings): Mapping {
  const signin: Mapping = {};
  const scopes =
    settings
      .text('scope')
      ?.split(/\s+/)
      .filter((it) => SCOPE.test(it) && !it.includes('${')) ?? [];
  const asksGroups = type === 'oidc' && settings.has('allowed-group') && scopes.length === 0;
  if (asksGroups)
    signin.scopes = [
      ...((providerKinds[kind] as { signin?: { scopes: readonly string[] } }).signin?.scopes ?? ['openid']),
      'groups',
    ];
  else if (scopes.length > 0) signin.scopes = [...new Set(['openid', ...scopes])];
  const prompt = settings.text('prompt');
  if (prompt !== undefined) {
    if (['login', 'consent', 'select_account'].includes(prompt)) signin.prompt = prompt;
    else findings.differ(settings.label('prompt'), 'write login, consent or select_account: other values are left out');
  }
  const acr = settings.text('acr-values')?.split(/\s+/).filter(isAcr) ?? [];
  if (acr.length > 0) signin.acr_values = [...new Set(acr)];
  const label = settings.text('provider-display-name');
  if (isPlainText(label) && !label.includes('${')) signin.label = label;
  if (settings.is('skip-claims-from-profile-url')) signin.userinfo = false;
  const resource = settings.text('resource');
  const parameters = { ...settings.parameters, ...(resource !== undefined && { resource }) };
  const fitting = Object.entries(parameters).filter(([name, value]) => PARAMETER.test(name) && isPlainText(value));
  const accepted = fitting.filter(([name, value]) => isParameter(name, value)).slice(0, 16);
  for (const name of Object.keys(parameters).filter((it) => !accepted.some(([other]) => other === it))) {
    findings.lose(`parameter ${name}`, 'the gateway sets it itself, or a browser must not see it');
  }
  if (accepted.length > 0) signin.parameters = Object.fromEntries(accepted);
  return signin;
}

/** Whether a policy may set a parameter of the authorization request. */
function isParameter(name: string, value: string): boolean {
  const signin = JSON.stringify({ parameters: { [name]: value } });
  const text = `version: 1\ngateway: { session: { keys_file: /k } }\nproviders: { p: { issuer: "https://p.example", client: { id: x }, signin: ${signin} } }\nservices: { s: { url: "https://s" } }\nhosts: { h.example: { /*: { service: s, allow: [authenticated] } } }\n`;
  return !value.includes('${') && parsePolicy(text, 'x').errors.length === 0;
}

/** Adds the provider of oauth2-proxy to the policy. */
export function migrateProvider(settings: Settings, draft: Draft, findings: Findings): Migrated {
  const type = settings.text('provider') ?? 'google';
  const isOpenId = Object.hasOwn(OPENID, type);
  const found = isOpenId ? issuerOf(settings, type, findings) : undefined;
  if (found === undefined && isOpenId) {
    findings.ask(settings.label('oidc-issuer-url'), 'write the issuer, exactly as in "iss" of a token');
  }
  const { issuer, tenants } = found ?? { issuer: NO_ISSUER };
  const kind = kindOfIssuer(issuer);
  const name = isOpenId ? (NAMES[type] ?? (kind === 'generic' ? 'sso' : kind)) : 'broker';
  if (!isOpenId) {
    const label = settings.label('provider');
    const why = `the provider ${JSON.stringify(type.slice(0, 40))} of oauth2-proxy does not speak OpenID Connect, which the gateway needs`;
    findings.differ(label, `${why}: put Keycloak or Dex in front of it (docs/brokers.md), and write its issuer`);
    comment(
      draft,
      `providers.${name}`,
      'FILL IN: the issuer of a broker in front of your provider, such as Dex or Keycloak (docs/brokers.md).',
    );
  } else if (issuer === NO_ISSUER)
    comment(draft, `providers.${name}`, 'FILL IN: the issuer, exactly as in "iss" of a token.');
  if (tenants?.includes(NO_TENANT))
    comment(draft, `providers.${name}`, 'FILL IN: the ids of the tenants whose people may sign in.');
  const keys: Mapping = { issuer, ...(tenants && { tenants }) };
  const jwks = settings.text('oidc-jwks-url');
  if (isJwksUri(jwks) && kind !== 'google') keys.jwks_uri = jwks;
  const cas = settings.list('provider-ca-file');
  if (cas.length > 1 || (cas.length === 1 && !isFile(cas[0]))) {
    keys.ca_file = '/run/provider/ca.pem';
    findings.ask(settings.label('provider-ca-file'), `put the certificates into one file, ${keys.ca_file}`);
  } else if (cas[0] !== undefined) keys.ca_file = cas[0];
  const algorithms = algorithmsOf(settings, findings);
  if (algorithms.length > 0) keys.algorithms = algorithms;
  keys.client = clientOf(settings, name, type, draft, findings);
  const signin = signinOf(settings, type, kind, findings);
  if (Object.keys(signin).length > 0) keys.signin = signin;
  draft.providers[name] = keys;
  return {
    name,
    kind,
    type,
    verifies: !SAYS_NOTHING.includes(type) && kind !== 'entra',
    ...(!isOpenId && { broker: true }),
  };
}
