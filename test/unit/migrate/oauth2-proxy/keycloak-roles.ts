import type { Sample } from '../case.ts';

const person = (claims: object) => ({
  claims: { sub: '1', email: 'ann@example.com', email_verified: true, ...claims },
});
const url = 'https://internal.example.com/reports';

/** oauth2-proxy with Keycloak, roles and groups, as a command line. */
export const sample: Sample = {
  shape:
    'the command line in the documentation of the provider keycloak-oidc: a realm role, a role of a client, a group with its full path, every e-mail domain, PKCE',
  command: 'oauth2-proxy',
  files: {
    'run.sh': `#!/bin/sh
exec oauth2-proxy \\
  --provider=keycloak-oidc \\
  --client-id=internal-app \\
  --client-secret='keycloak secret with spaces' \\
  --cookie-secret=0123456789abcdef \\
  --redirect-url=https://internal.example.com/oauth2/callback \\
  --oidc-issuer-url=https://sso.example.com/realms/staff \\
  --email-domain='*' \\
  --allowed-role=reporting \\
  --allowed-role=internal-app:viewer \\
  --allowed-group=/finance \\
  --code-challenge-method=S256 \\
  --upstream http://reports.internal:3000/
`,
  },
  cases: [
    { as: 'nobody', url, before: 'refused' },
    { as: person({ realm_access: { roles: ['reporting'] } }), url, before: 'passes' },
    { as: person({ resource_access: { 'internal-app': { roles: ['viewer'] } } }), url, before: 'passes' },
    { as: person({ resource_access: { other: { roles: ['viewer'] } } }), url, before: 'refused' },
    { as: person({ groups: ['/finance'] }), url, before: 'passes' },
    { as: person({ groups: ['/finance/interns'] }), url, before: 'refused' },
    { as: person({ groups: ['finance'] }), url, before: 'refused' },
    { as: person({}), url, before: 'refused' },
    { as: person({ groups: ['/finance'], email_verified: false }), url, before: 'refused' },
  ],
  lists: [
    ['--allowed-role', /Add to ID token/],
    ['--client-secret', /\/run\/secrets\/keycloak/],
  ],
  secrets: ['keycloak secret with spaces', '0123456789abcdef'],
};
