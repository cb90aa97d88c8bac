import { type Box, startContainer } from './container.ts';
import { ldapImage } from './images.ts';
import type { Stage } from './stage.ts';

export interface LdapPerson {
  readonly uid: string;
  readonly name: string;
  readonly mail: string;
}

/** The root of the directory, and the account that may read it. The password of each person is their uid. */
export const LDAP_ROOT = 'dc=example,dc=com';
export const LDAP_ADMIN = { dn: `cn=admin,${LDAP_ROOT}`, password: 'admin' };

const person = ({ uid, name, mail }: LdapPerson) => {
  const [given = uid, family = uid] = name.split(' ');
  return `
dn: uid=${uid},ou=people,${LDAP_ROOT}
objectClass: inetOrgPerson
uid: ${uid}
cn: ${name}
givenName: ${given}
sn: ${family}
mail: ${mail}
userPassword: ${uid}
`;
};

const group = (name: string, members: readonly string[]) => `
dn: cn=${name},ou=groups,${LDAP_ROOT}
objectClass: groupOfNames
cn: ${name}
${members.map((uid) => `member: uid=${uid},ou=people,${LDAP_ROOT}`).join('\n')}
`;

const folder = (name: string) => `
dn: ou=${name},${LDAP_ROOT}
objectClass: organizationalUnit
ou: ${name}
`;

/** Starts a real OpenLDAP at ldaps://ALIAS:1636, with people and groups. */
export async function startLdap(
  stage: Stage,
  people: readonly LdapPerson[],
  groups: Readonly<Record<string, readonly string[]>>,
): Promise<Box> {
  const { cert, key } = await stage.ca.server('ldap');
  const root = `dn: ${LDAP_ROOT}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n`;
  const entries = [
    ...[root, folder('people'), folder('groups'), ...people.map(person)],
    ...Object.entries(groups).map(([name, members]) => group(name, members)),
  ];
  return startContainer(stage, {
    image: ldapImage,
    alias: 'ldap',
    files: {
      '/etc/directory/tls.crt': cert,
      '/etc/directory/tls.key': key,
      '/etc/directory/entries.ldif': entries.join('\n'),
    },
    ready: /slapd starting/,
  });
}
