import * as z from 'zod';
import { HOST, LABEL } from './addresses.ts';
import { hints } from './hints.ts';
import { togethers } from './mapping.ts';
import { text } from './scalars.ts';
import { SPIFFE_ID } from './spiffe-id.ts';

/** Names that workloads have in a mesh and in certificates. */

const lowered = (pattern: RegExp) => (value: unknown) => {
  const lower = typeof value === 'string' ? value.toLowerCase().replace(/_/g, '-') : '';
  return pattern.test(lower) ? lower : undefined;
};

/** A host name that a route of Linkerd can contain. It is not an IP address. */
export const LINKERD_HOST = new RegExp(`^(?=.{1,253}$)(?![0-9.]+$)${LABEL}(?:\\.${LABEL})*$`);

export const namespace = text(new RegExp(`^${LABEL}$`), {
  what: 'the name of a Kubernetes namespace',
  write: 'lower case letters, digits and -, as in istio-system',
  fix: lowered(new RegExp(`^${LABEL}$`)),
});

export const serviceAccount = text(HOST, {
  what: 'the name of a Kubernetes service account',
  write: 'lower case letters, digits, - and dots, as in ingress',
  fix: lowered(HOST),
});

const CONSUL_NAME = new RegExp(`^${LABEL}$`);

/** The name of a Consul service. Consul puts it into a regular expression, in which a dot would match any character. */
export const consulService = text(CONSUL_NAME, {
  what: 'the name of a service in Consul',
  write: 'lower case letters, digits and -, as in confluence',
  fix: lowered(CONSUL_NAME),
});

const LABEL_NAME = '[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?';
/** The key of a Kubernetes label. It may have a prefix. */
export const LABEL_KEY = new RegExp(`^(?:(?=[^/]{1,253}/)${LABEL}(?:\\.${LABEL})*/)?${LABEL_NAME}$`);

const labelValue = text(new RegExp(`^(?:${LABEL_NAME})?$`), {
  what: 'the value of a Kubernetes label',
  write: 'at most 63 letters, digits and - _ . in between',
  fix: (value) => (typeof value === 'number' || typeof value === 'boolean' ? `"${value}" in quotes` : undefined),
});

const DNS_LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const DNS_NAME = `${DNS_LABEL}(?:\\.${DNS_LABEL})*`;
const nameFix = (pattern: RegExp) => (value: unknown) => {
  const lower = typeof value === 'string' ? value.toLowerCase().replace(/^(?:dns|uri):/, '') : '';
  return pattern.test(lower) ? lower : undefined;
};
const ONE_NAME = new RegExp(`^(?=.{1,253}$)${DNS_NAME}$|${SPIFFE_ID.source}`);
const SOME_NAME = new RegExp(`^(?=.{1,253}$)(?:\\*\\.)?${DNS_NAME}$|${SPIFFE_ID.source}`);

export const oneCertificateName = text(ONE_NAME, {
  what: 'a name in a certificate',
  write: 'a SPIFFE id or a DNS name, as in spiffe://example.org/ns/ci/sa/deployer or ci.example.com',
  fix: nameFix(ONE_NAME),
});

/** A name in a client's certificate, or `*.` and a DNS name, which stands for all names with one more label. */
export const certificateName = text(SOME_NAME, {
  what: 'a name in a certificate',
  write:
    'a SPIFFE id, a DNS name, or *. and a DNS name, as in spiffe://example.org/ns/ci/sa/deployer or *.ci.example.com',
  fix: nameFix(SOME_NAME),
});

export const trustDomain = text(/^[a-z0-9][a-z0-9._-]{0,254}$/, {
  what: 'a trust domain',
  write: 'lower case letters, digits, dots and dashes, as in example.org',
});

export const spiffeId = text(SPIFFE_ID, {
  what: 'a SPIFFE id',
  write: 'spiffe://TRUST_DOMAIN/PATH, as in spiffe://example.org/ns/edge/sa/gateway',
});

/** The label that Istio puts on the pods of a Gateway of the Gateway API. */
export const GATEWAY_CLASS = 'gateway.networking.k8s.io/gateway-class-name';

/** The classes whose proxies are not Envoy. Only the Gateway API configures them: they read none of the rendered
 * objects. */
export const isAgentgateway = (name: unknown): boolean => /^istio-agentgateway(-waypoint)?$/.test(String(name));

/** What to write beside labels. */
export const OF_LABELS = 'the namespace of the pods that the labels select';

/** @param whose the owner of the pods, for the description */
export const labels = (whose: string) =>
  z
    .record(z.string(), labelValue)
    .register(togethers, {
      notEmpty: 'an empty mapping selects every pod of the namespace; write { app: confluence }',
    })
    .register(hints, { what: 'a mapping of labels', write: '{ app: confluence }' })
    .meta({
      propertyNames: { pattern: LABEL_KEY.source },
      minProperties: 1,
      description: `Labels of the ${whose}’s pods.`,
    });
