import { ingressTargetNames, ingressTargets } from '../../targets/ingress/index.ts';
import type { Controller, IngressOptions } from '../../targets/ingress/types.ts';
import type { Emitted } from '../../targets/types.ts';
import { flag, WrongUse } from '../common/context.ts';
import { type Loaded, utf8 } from '../common/load.ts';
import { routesToAsk } from '../status/routes-to-ask.ts';
import { gatewayAddress } from '../test/at-gateway.ts';

const PROBE_IMAGE = 'node:24-slim';

/** The flags of `render` for ingress controllers. */
export const controllerFlags = {
  form: flag(
    'FORM',
    'How the ingress controller gets the gateway (NIC: configmap, ingress, mergeable, virtualserver, external-auth, external-auth-ingress; NGF: snippets, external-auth)',
  ),
  gateway: flag('NAME', 'The Gateway of the routes, as in NAMESPACE/NAME/LISTENER (NGF; default: gateway)'),
  probeImage: flag('IMAGE', `The image with Node for the probe of the routes (NIC, NGF; default: ${PROBE_IMAGE})`),
  probeAddress: flag(
    'URL',
    'Where the probe reaches the controller, https://SERVICE.NAMESPACE.svc (NIC, NGF; default: what the names of the hosts resolve to)',
  ),
} as const;

interface Given {
  readonly form?: string | undefined;
  readonly gateway?: string | undefined;
  readonly sidecar?: string | undefined;
  readonly probeImage?: string | undefined;
  readonly probeAddress?: string | undefined;
}

/** Whether a target of `render` is an ingress controller. */
export const isController = (target: string): target is Controller =>
  (ingressTargetNames as readonly string[]).includes(target);

/** What is mounted over NIC's file of the same name, besides the bundles of the gateway. */
export const CONTROLLER_BUNDLE = 'apikey_auth.js';

/** The program of the probe. */
export const PROBE_BUNDLE = 'status.js';

/** Whether a form asks a sidecar. */
export const asksSidecar = (target: string, form: string | undefined): boolean =>
  isController(target) && ingressTargets[target].extAuth.includes(form ?? '');

/** Reads the Service of the sidecar. The controller looks for it in the namespace of the hosts. */
function sidecarService(text: string): { readonly name: string; readonly port: number } {
  const [, name, port] = /^([a-z][a-z0-9-]{0,61}[a-z0-9]):([1-9][0-9]{0,4})$/.exec(text) ?? [];
  if (name === undefined || Number(port) > 65535) {
    throw new WrongUse(
      `--sidecar ${text}: give a Service in the namespace of the hosts and its port, as in meshgate:8080`,
    );
  }
  return { name, port: Number(port) };
}

/** Checks the values of flags for ingress controllers. */
export function checkController(target: string, { form, probeImage, probeAddress }: Given): void {
  if (probeImage !== undefined && !/^[\w./:@-]+$/.test(probeImage)) {
    throw new WrongUse(`--probe-image ${probeImage}: write an image such as ${PROBE_IMAGE}`);
  }
  if (probeAddress !== undefined) gatewayAddress(probeAddress, '--probe-address');
  if (form === undefined || !isController(target)) return;
  const { forms } = ingressTargets[target];
  if (!forms.includes(form)) throw new WrongUse(`--form ${form}: write one of ${forms.join(', ')}`);
}

/** What the probe asks, and how. */
function probeOf(loaded: Loaded, { probeImage, probeAddress }: Given, program: string): IngressOptions['probe'] {
  const urls = routesToAsk(loaded).flatMap((it) => ('skipped' in it ? [] : [it.url]));
  return urls.length === 0 ? undefined : { urls, image: probeImage ?? PROBE_IMAGE, address: probeAddress, program };
}

/** Renders for a controller.
 * @param bundles the JavaScript bundles */
export function emitController(
  target: Controller,
  loaded: Loaded,
  given: Given,
  paths: Omit<IngressOptions, 'form' | 'gateway' | 'sidecar' | 'probe' | 'bundles'>,
  bundles: Readonly<Record<string, Uint8Array>>,
): Emitted {
  const { form, gateway, sidecar } = given;
  const all = Object.entries(bundles).map(([name, bytes]) => [name, utf8(bytes) ?? ''] as const);
  const { [PROBE_BUNDLE]: program = '', ...texts } = Object.fromEntries(all);
  return ingressTargets[target].emit(loaded.policy, loaded.rules, {
    ...paths,
    ...{ form, gateway, bundles: texts, probe: probeOf(loaded, given, program) },
    sidecar: sidecar === undefined ? undefined : sidecarService(sidecar),
  });
}
