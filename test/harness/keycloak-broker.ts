import { LDAP_ADMIN, LDAP_ROOT } from './ldap.ts';

/* Keycloak in front of a directory and of a provider of SAML, as docs/brokers.md says: parts of realms as it imports
 * them. */

type Json = Readonly<Record<string, unknown>>;

/** A component's settings: each value is a list. */
const listed = (config: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(config).map(([key, value]) => [key, [value]]));

const attribute = (name: string, ldap: string, user: string) => ({
  name,
  providerId: 'user-attribute-ldap-mapper',
  subComponents: {},
  config: listed({
    ...{ 'ldap.attribute': ldap, 'user.model.attribute': user, 'read.only': 'true' },
    ...{ 'always.read.value.from.ldap': 'true', 'is.mandatory.in.ldap': 'true' },
  }),
});

const groups = {
  name: 'groups',
  providerId: 'group-ldap-mapper',
  subComponents: {},
  config: listed({
    ...{ 'groups.dn': `ou=groups,${LDAP_ROOT}`, 'group.name.ldap.attribute': 'cn', mode: 'READ_ONLY' },
    ...{ 'group.object.classes': 'groupOfNames', 'membership.ldap.attribute': 'member' },
    ...{ 'membership.attribute.type': 'DN', 'membership.user.ldap.attribute': 'uid', 'groups.path': '/' },
    'user.roles.retrieve.strategy': 'LOAD_GROUPS_BY_MEMBER_ATTRIBUTE',
    'preserve.group.inheritance': 'false',
    'ignore.missing.groups': 'false',
    'drop.non.existing.groups.during.sync': 'false',
  }),
};

/** People and groups of a directory. */
export const ldapParts: Json = {
  components: {
    'org.keycloak.storage.UserStorageProvider': [
      {
        name: 'ldap',
        providerId: 'ldap',
        config: listed({
          ...{ enabled: 'true', priority: '0', vendor: 'other', editMode: 'READ_ONLY', importEnabled: 'true' },
          ...{ connectionUrl: 'ldaps://ldap:1636', useTruststoreSpi: 'always', authType: 'simple' },
          ...{ bindDn: LDAP_ADMIN.dn, bindCredential: LDAP_ADMIN.password, usersDn: `ou=people,${LDAP_ROOT}` },
          ...{ usernameLDAPAttribute: 'uid', rdnLDAPAttribute: 'uid', uuidLDAPAttribute: 'entryUUID' },
          ...{ userObjectClasses: 'inetOrgPerson', searchScope: '1', trustEmail: 'true', pagination: 'false' },
        }),
        subComponents: {
          'org.keycloak.storage.ldap.mappers.LDAPStorageMapper': [
            ...[attribute('username', 'uid', 'username'), attribute('email', 'mail', 'email')],
            ...[attribute('first name', 'givenName', 'firstName'), attribute('last name', 'sn', 'lastName'), groups],
          ],
        },
      },
    ],
  },
};

const samlAttribute = (name: string) => ({
  name,
  identityProviderAlias: 'saml',
  identityProviderMapper: 'saml-user-attribute-idp-mapper',
  config: { syncMode: 'FORCE', 'attribute.name': name, 'user.attribute': name },
});

/** A provider of SAML, whose people sign in through this realm.
 * @param own the URL of this realm
 * @param other the URL of the realm that is the provider of SAML
 * @param group a group of this realm that is taken over from the attribute `groups` */
export const samlParts = (own: string, other: string, group: string): Json => ({
  identityProviders: [
    {
      alias: 'saml',
      providerId: 'saml',
      enabled: true,
      trustEmail: true,
      firstBrokerLoginFlowAlias: 'first broker login',
      config: {
        ...{ entityId: own, idpEntityId: other, singleSignOnServiceUrl: `${other}/protocol/saml`, syncMode: 'FORCE' },
        ...{ postBindingResponse: 'true', postBindingAuthnRequest: 'false', principalType: 'SUBJECT' },
        ...{ validateSignature: 'true', wantAssertionsSigned: 'true', useMetadataDescriptorUrl: 'true' },
        metadataDescriptorUrl: `${other}/protocol/saml/descriptor`,
        nameIDPolicyFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
      },
    },
  ],
  identityProviderMappers: [
    ...[samlAttribute('email'), samlAttribute('firstName'), samlAttribute('lastName')],
    {
      name: 'group',
      identityProviderAlias: 'saml',
      identityProviderMapper: 'saml-advanced-group-idp-mapper',
      config: {
        ...{ syncMode: 'FORCE', 'are.attribute.values.regex': 'false', group: `/${group}` },
        attributes: JSON.stringify([{ key: 'groups', value: group }]),
      },
    },
  ],
});

const reported = (name: string) => ({
  name,
  protocol: 'saml',
  protocolMapper: 'saml-user-property-mapper',
  config: { 'user.attribute': name, 'attribute.name': name, 'attribute.nameformat': 'Basic' },
});

/** A realm that is a provider of SAML for another realm. The password of each person is their name.
 * @param broker the URL of the other realm */
export const samlRealm = (
  broker: string,
  people: readonly {
    readonly id: string;
    readonly name: string;
    readonly email: string;
    readonly groups: readonly string[];
  }[],
): Json => ({
  realm: 'partners',
  enabled: true,
  sslRequired: 'all',
  loginTheme: 'keycloak',
  passwordPolicy: 'hashAlgorithm(pbkdf2-sha256) and hashIterations(1)',
  groups: [...new Set(people.flatMap((it) => it.groups))].map((name) => ({ name })),
  clients: [
    {
      clientId: broker,
      protocol: 'saml',
      enabled: true,
      frontchannelLogout: true,
      redirectUris: [`${broker}/broker/saml/endpoint`],
      attributes: {
        ...{ 'saml.assertion.signature': 'true', 'saml.server.signature': 'true', 'saml.client.signature': 'false' },
        ...{ 'saml.force.post.binding': 'true', saml_name_id_format: 'persistent', 'saml.authnstatement': 'true' },
      },
      protocolMappers: [
        ...[reported('email'), reported('firstName'), reported('lastName')],
        {
          name: 'groups',
          protocol: 'saml',
          protocolMapper: 'saml-group-membership-mapper',
          config: { 'attribute.name': 'groups', 'attribute.nameformat': 'Basic', single: 'true', 'full.path': 'false' },
        },
      ],
    },
  ],
  users: people.map(({ id, name, email, groups: of }) => {
    const [firstName, lastName] = name.split(' ');
    return {
      ...{ username: id, enabled: true, email, emailVerified: true, firstName, lastName },
      credentials: [{ type: 'password', value: id, temporary: false }],
      groups: of.map((group) => `/${group}`),
    };
  }),
});
