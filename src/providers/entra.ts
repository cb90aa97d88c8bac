import { deepFreeze } from './freeze.ts';
import type { ProviderKind } from './types.ts';

/**
 * Microsoft Entra ID, one tenant. Anybody can put any address into a directory of their own: `email` counts only where
 * Entra says that the domain's owner vouches for it (`xms_edov`), and `preferred_username` and `upn` never do.
 */
export const entra: ProviderKind = Object.freeze({
  name: 'entra',
  groups: 'groups',
  // Of somebody in more than 200.
  leftOut: '_claim_names',
  scopes: Object.freeze(['scp']),
  // Tokens of version 2, and of version 1.
  client: Object.freeze(['azp', 'appid']),
  tellsByClient: true,
  // The optional claim idtyp says so. Without it: what only people's tokens have, is not there, and the subject is the
  // service principal itself.
  alone: deepFreeze([
    [{ claim: 'idtyp', is: 'app' }],
    [
      { claim: 'idtyp', absent: true },
      { claim: 'scp', absent: true },
      { claim: 'sub', as: 'oid' },
    ],
  ]),
  // Facets of who acts, and of the subject: 11 is an agent's identity, 13 the account that an agent has of its own, with
  // nobody behind it. Agents alone are of a parent application.
  agents: deepFreeze([
    { claim: 'xms_act_fct', has: '11' },
    { claim: 'xms_sub_fct', has: '11', alone: true },
    { claim: 'xms_sub_fct', has: '13', alone: true },
    { claim: 'xms_par_app_azp' },
  ]),
  displayName: 'name',
  email: 'email',
  emailVerified: 'xms_edov',
  verifiedAs: Object.freeze([true, 1, '1']),
  refusedTypes: Object.freeze([]),
  signin: Object.freeze({
    scopes: Object.freeze(['openid', 'profile', 'email', 'offline_access']),
    // It is another host's, and has nothing that the ID token has not.
    userinfo: false,
  }),
});
