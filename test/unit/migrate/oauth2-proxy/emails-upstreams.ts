import type { Sample } from '../case.ts';

const person = (email: string) => ({ claims: { sub: '1', email, email_verified: true } });
const at = (path: string) => `https://lab.example.org${path}`;

/** A list of people, and several services by path. */
export const sample: Sample = {
  shape:
    'systemd units on one machine: a unit with flags and a file of variables, authenticated-emails-file beside a domain below example.org, an htpasswd file, upstreams by path, static files',
  command: 'oauth2-proxy',
  files: {
    'oauth2-proxy.service': `[Service]
ExecStart=/usr/local/bin/oauth2-proxy --provider=oidc --upstream=http://127.0.0.1:8888/ --upstream=http://127.0.0.1:3838/shiny/ --upstream=http://127.0.0.1:9090/status --upstream=file:///var/www/static/#/static/ --config=/etc/oauth2-proxy.cfg
`,
    'oauth2-proxy.env': `# variables of the unit
OAUTH2_PROXY_OIDC_ISSUER_URL=https://idp.example.org/oidc
OAUTH2_PROXY_CLIENT_ID=lab
OAUTH2_PROXY_CLIENT_SECRET='lab-secret'
OAUTH2_PROXY_EMAIL_DOMAINS=.example.org
OAUTH2_PROXY_PROVIDER=google
`,
    'oauth2-proxy.cfg': `
cookie_secret = "lab-seed"
authenticated_emails_file = "/etc/oauth2-proxy/emails"
htpasswd_file = "/etc/oauth2-proxy/htpasswd"
display_htpasswd_form = true
oidc_issuer_url = "https://wrong.example.org"
redirect_url = "https://lab.example.org/oauth2/callback"
pass_basic_auth = false
pass_user_headers = true
cookie_samesite = "strict"
`,
    emails: '# people of other domains\nbob@partner.example.net\ncarol@other.example\n',
  },
  cases: [
    { as: 'nobody', url: at('/'), before: 'refused' },
    { as: person('ann@physics.example.org'), url: at('/tree'), before: 'passes' },
    { as: person('ann@physics.example.org'), url: at('/shiny/app'), before: 'passes' },
    { as: person('ann@physics.example.org'), url: at('/status'), before: 'passes' },
    { as: person('bob@partner.example.net'), url: at('/tree'), before: 'passes' },
    { as: person('mallory@partner.example.net'), url: at('/tree'), before: 'refused' },
    // The domain begins with a point, so that it stands for the names below it.
    { as: person('ann@example.org'), url: at('/tree'), before: 'refused' },
    { as: person('ann@notexample.org'), url: at('/tree'), before: 'refused' },
    { as: person('ann@example.org.evil.example'), url: at('/tree'), before: 'refused' },
  ],
  lists: [
    ['htpasswd_file', /passwords/],
    ['--upstream', /serves no files/],
    ['cookie_samesite', /Lax/],
    ['display_htpasswd_form', /passwords/],
  ],
  secrets: ['lab-secret', 'lab-seed'],
};
