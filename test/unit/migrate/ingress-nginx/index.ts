import { sample as certificates } from './certificates.ts';
import { sample as corsLimits } from './cors-limits.ts';
import { sample as globalAuth } from './global-auth.ts';
import { sample as networks } from './networks.ts';
import { sample as oauth2Proxy } from './oauth2-proxy.ts';
import { sample as passwords } from './passwords.ts';
import { sample as protocols } from './protocols.ts';
import { sample as rewrites } from './rewrites.ts';
import { sample as satisfy } from './satisfy.ts';
import { sample as snippets } from './snippets.ts';

/** Ten sets of manifests for ingress-nginx. */
export const ingresses = {
  oauth2Proxy,
  networks,
  satisfy,
  passwords,
  certificates,
  rewrites,
  corsLimits,
  protocols,
  snippets,
  globalAuth,
} as const;
