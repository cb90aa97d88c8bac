import type { Sample } from '../case.ts';

const url = 'https://traefik.example.com/dashboard/';

/** oauth2-proxy with GitHub, as a service of compose. */
export const sample: Sample = {
  shape:
    'compose files for a home server: GitHub with an organisation and two teams, variables of the service and of .env, every e-mail domain, a bypass for one user',
  command: 'oauth2-proxy',
  files: {
    'compose.yaml': `
services:
  oauth2-proxy:
    image: quay.io/oauth2-proxy/oauth2-proxy:latest
    command: --upstream=http://traefik:8080 --cookie-refresh=1h
    environment:
      OAUTH2_PROXY_PROVIDER: github
      OAUTH2_PROXY_GITHUB_ORG: acme
      OAUTH2_PROXY_GITHUB_TEAM: core,ops
      OAUTH2_PROXY_GITHUB_USERS: bob
      OAUTH2_PROXY_EMAIL_DOMAINS: '*'
      OAUTH2_PROXY_CLIENT_ID: \${CLIENT_ID}
      OAUTH2_PROXY_CLIENT_SECRET: \${CLIENT_SECRET}
      OAUTH2_PROXY_COOKIE_SECRET: \${COOKIE_SECRET}
      OAUTH2_PROXY_REDIRECT_URL: https://traefik.example.com/oauth2/callback
  traefik:
    image: traefik:3
    command: --email-domain=nothing.example
`,
    '.env': 'CLIENT_ID=Iv1.0123456789\nCLIENT_SECRET="github-secret"\nCOOKIE_SECRET=cookie-seed\nOTHER=1\n',
  },
  cases: [
    { as: 'nobody', url, before: 'refused' },
    {
      as: { claims: { sub: '1', email: 'a@example.com', email_verified: true, groups: ['acme:core'] } },
      url,
      before: 'passes',
    },
    {
      as: { claims: { sub: '1', email: 'a@example.com', email_verified: true, groups: ['acme:sales'] } },
      url,
      before: 'refused',
    },
    {
      as: { claims: { sub: '1', email: 'b@example.com', email_verified: true, groups: [] } },
      url,
      before: 'refused',
    },
  ],
  lists: [
    ['OAUTH2_PROXY_PROVIDER', /broker/i],
    ['OAUTH2_PROXY_GITHUB_USERS', /broker|Dex/],
    ['OAUTH2_PROXY_CLIENT_SECRET', /\/run\/secrets\/broker/],
  ],
  secrets: ['github-secret', 'cookie-seed'],
};
