import type { Host, Inner } from '../../policy/types.ts';
import { certificates, outerCertificates, shownCertificate } from './client-certificate.ts';
import { type Arg, type Directive, line, variable } from './directive.ts';
import { CHECK_PATH, HOP_PATH } from './names.ts';
import type { Scene, SceneHost } from './scene.ts';

/** A way to a host's routes. Both doors have the same locations; each has a check of its own, which no client can name. */
export interface Door {
  /** Path of the check, before the route's name. */
  readonly check: string;
  /** What goes to the check of who asks. */
  readonly credentials: readonly Directive[];
  /** What the check's answer says that it does not say at the other door. */
  readonly answers: readonly string[];
  /** The `Cookie` line that services receive; absent: the client's. */
  readonly cookie?: Arg;
  /** The server's own lines about certificates. */
  readonly server: readonly Directive[];
}

const authorization = line('proxy_set_header', 'Authorization', variable('http_authorization'));

/** Where people and programs come in, with a credential of their own. */
export function outerDoor(scene: Scene, host: SceneHost): Door {
  return {
    check: CHECK_PATH,
    credentials: [authorization, ...shownCertificate(scene, host)],
    answers: [],
    server: outerCertificates(host),
  };
}

/** Where services ask for the person whose request they serve. */
export function innerDoor(inner: Inner): Door {
  return {
    check: HOP_PATH,
    credentials: [
      authorization,
      line('proxy_set_header', 'X-Meshgate-Assertion', variable('http_x_meshgate_assertion')),
      line('proxy_set_header', 'SSL-Client-Cert', variable('ssl_client_escaped_cert')),
    ],
    answers: ['Agent'],
    server: certificates(
      inner.clientCaFile,
      'on',
      'Services show the certificate of their workload, on every connection anew.',
    ),
  };
}

/** Whether a host has a rule for an agent: the inner listener knows no other. */
export function hasAgents({ routes }: Host): boolean {
  return routes.some(({ allow }) => allow.some(({ who }) => who.kind === 'agent'));
}

/** The hosts of the inner listener. */
export function innerHosts({ hosts }: Pick<Scene, 'hosts'>): readonly SceneHost[] {
  return hosts.filter(({ host }) => hasAgents(host));
}
