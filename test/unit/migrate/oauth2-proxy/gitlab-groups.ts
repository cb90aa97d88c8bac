import type { Sample } from '../case.ts';

const person = (groups: readonly string[]) => ({
  claims: { sub: '1', email: 'ann@example.com', email_verified: true, groups },
});
const url = 'https://docs.example.com/';

/** oauth2-proxy with a GitLab of one's own. */
export const sample: Sample = {
  shape:
    'the documentation of the provider gitlab: a self-hosted server, a group and a project, every e-mail domain, a CA of one’s own',
  command: 'oauth2-proxy',
  files: {
    'oauth2-proxy.toml': `
provider = "gitlab"
oidc_issuer_url = "https://gitlab.example.com"
gitlab_groups = ["engineering", "engineering/docs"]
gitlab_projects = ["engineering/handbook=30"]
email_domains = "*"
client_id = "0d1e"
client_secret_file = "/etc/oauth2-proxy/secret"
cookie_secret_file = "/etc/oauth2-proxy/cookie"
provider_ca_files = ["/etc/ssl/corp.pem"]
redirect_url = "https://docs.example.com/oauth2/callback"
upstreams = ["http://docs:8000/"]
cookie_expire = "24h0m0s"
cookie_refresh = "5m"
`,
  },
  cases: [
    { as: 'nobody', url, before: 'refused' },
    { as: person(['engineering']), url, before: 'passes' },
    { as: person(['x', 'engineering/docs']), url, before: 'passes' },
    { as: person(['engineering/other']), url, before: 'refused' },
    { as: person([]), url, before: 'refused' },
  ],
  lists: [['gitlab_projects', /group/]],
};
