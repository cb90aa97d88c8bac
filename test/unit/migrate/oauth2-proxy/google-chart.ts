import type { Sample } from '../case.ts';

const url = 'https://tools.example.com/';

/** oauth2-proxy with Google, as values of the Helm chart. */
export const sample: Sample = {
  shape:
    'values of the Helm chart of oauth2-proxy with its default provider Google: one e-mail domain in config.configFile, further flags in extraArgs',
  command: 'oauth2-proxy',
  files: {
    'values.yaml': `
config:
  clientID: 123456.apps.googleusercontent.com
  clientSecret: GOCSPX-not-a-secret
  cookieSecret: c2VlZC1mb3ItY29va2llcw==
  configFile: |-
    email_domains = [ "example.com" ]
    upstreams = [ "file:///dev/null" ]
extraArgs:
  provider: google
  upstream: http://tools.default.svc.cluster.local:80
  redirect-url: https://tools.example.com/oauth2/callback
  approval-prompt: force
  skip-provider-button: true
`,
  },
  cases: [
    { as: 'nobody', url, before: 'refused' },
    {
      as: { claims: { sub: '1', hd: 'example.com', email: 'ann@example.com', email_verified: true } },
      url,
      before: 'passes',
    },
    {
      as: { claims: { sub: '2', hd: 'example.net', email: 'ann@example.net', email_verified: true } },
      url,
      before: 'refused',
    },
    // An account of no organisation may have an address of any domain.
    {
      as: { claims: { sub: '3', email: 'ann@example.com', email_verified: true } },
      url,
      before: 'passes',
      differs: 'email_domains',
    },
  ],
  lists: [
    ['email_domains', /hd/],
    ['config.clientSecret', /\/run\/secrets\/google/],
  ],
  secrets: ['GOCSPX-not-a-secret', 'c2VlZC1mb3ItY29va2llcw=='],
};
