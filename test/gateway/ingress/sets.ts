/** The forms of `meshgate render` for ingress controllers, and what the controllers render for each. */
import type { Rendered, SetOptions, Snippets } from './controllers.ts';

type Form = Pick<SetOptions, 'set' | 'target' | 'form' | 'snippets' | 'volumes'>;

const WIKI = 'wiki.example.com';

const config = ({ files }: Rendered) => files['values.yaml']![0].controller.config.entries;

/** The http level of NIC, which its ConfigMap sets. */
const http = (rendered: Rendered): Snippets => ({
  MAIN: config(rendered)['main-snippets'],
  HTTP: config(rendered)['http-snippets'],
});

/** What NIC puts into a server if the object of the host brings no snippet. */
export const guardOf = (rendered: Rendered): string => config(rendered)['server-snippets'];

const ingress = ({ files }: Rendered, type?: string) =>
  files['hosts.yaml']!.find(
    ({ kind, metadata, spec }) =>
      kind === 'Ingress' &&
      spec.rules[0].host === WIKI &&
      metadata.annotations['nginx.org/mergeable-ingress-type'] === type,
  ).metadata.annotations;

const ofChart = ({ files }: Rendered) => files['values.yaml']![0].controller;

export const NIC: readonly Form[] = [
  {
    ...{ set: 'nic-ingress-configmap', target: 'nic', form: 'configmap', volumes: ofChart },
    snippets: (rendered) => ({ ...http(rendered), SERVER: guardOf(rendered) }),
  },
  {
    ...{ set: 'nic-ingress', target: 'nic', form: 'ingress', volumes: ofChart },
    snippets: (rendered) => ({
      ...http(rendered),
      SERVER: ingress(rendered)['nginx.org/server-snippets'],
      LOCATION: ingress(rendered)['nginx.org/location-snippets'],
    }),
  },
  {
    ...{ set: 'nic-mergeable', target: 'nic', form: 'mergeable', volumes: ofChart },
    snippets: (rendered) => ({
      ...http(rendered),
      SERVER: ingress(rendered, 'master')['nginx.org/server-snippets'],
      LOCATION: ingress(rendered, 'minion')['nginx.org/location-snippets'],
    }),
  },
  {
    ...{ set: 'nic-virtualserver', target: 'nic', form: 'virtualserver', volumes: ofChart },
    snippets: (rendered) => {
      const { spec } = rendered.files['hosts.yaml']!.find((it) => it.kind === 'VirtualServer' && it.spec.host === WIKI);
      return {
        ...http(rendered),
        SERVER: spec['server-snippets'],
        LOCATION: spec.routes[0]['location-snippets'],
      };
    },
  },
];

const ngf = (set: string): Form => ({
  ...{ set, target: 'ngf', form: 'snippets' },
  volumes: ({ files }) => {
    const { pod, container } = files['nginxproxy.yaml']![0].spec.kubernetes.deployment;
    return { ...pod, ...container };
  },
  snippets: ({ files }) => {
    const { filters } = files['hosts.yaml']!.find(
      ({ kind, spec }) => kind === 'HTTPRoute' && spec.hostnames.includes(WIKI),
    ).spec.rules[0];
    const { name } = filters[0].extensionRef;
    const { snippets } = files['hosts.yaml']!.find(
      ({ kind, metadata }) => kind === 'SnippetsFilter' && metadata.name === name,
    ).spec;
    const of = (context: string) => snippets.find((it: { context: string }) => it.context === context)?.value;
    return {
      ...{ MAIN: of('main'), HTTP: of('http'), SERVER: of('http.server'), LOCATION: of('http.server.location') },
    };
  },
});

export const NGF: readonly Form[] = [ngf('ngf-snippets'), ngf('ngf-snippets-main')];

export const FORMS = [...NIC, ...NGF];
