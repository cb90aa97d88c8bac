import { ingressTargetNames, ingressTargets } from '../targets/ingress/index.ts';
import type { Controller, IngressOptions } from '../targets/ingress/types.ts';
import type { Emitted } from '../targets/types.ts';
import { flag, WrongUse } from './context.ts';
import { type Loaded, utf8 } from './load.ts';

/** The flags of `render` for ingress controllers. */
export const controllerFlags = {
  form: flag(
    'FORM',
    'How the ingress controller gets the gateway (NIC: configmap, ingress, mergeable, virtualserver; NGF: snippets)',
  ),
  gateway: flag('NAME', 'The Gateway of the routes, as in NAMESPACE/NAME/LISTENER (NGF; default: gateway)'),
} as const;

interface Given {
  readonly form?: string | undefined;
  readonly gateway?: string | undefined;
}

/** Whether a target of `render` is an ingress controller. */
export const isController = (target: string): target is Controller =>
  (ingressTargetNames as readonly string[]).includes(target);

/** What is mounted over NIC's file of the same name, besides the bundles of the gateway. */
export const CONTROLLER_BUNDLE = 'apikey_auth.js';

/** Rejects flags that have no effect for the target. */
export function checkController(target: string, { form, gateway }: Given): void {
  if (gateway !== undefined && target !== 'ngf') {
    throw new WrongUse(`--gateway has no effect for ${target}: leave it out`);
  }
  if (form === undefined) return;
  if (!isController(target)) throw new WrongUse(`--form has no effect for ${target}: leave it out`);
  const { forms } = ingressTargets[target];
  if (!forms.includes(form)) throw new WrongUse(`--form ${form}: write one of ${forms.join(', ')}`);
}

/** Renders for a controller.
 * @param bundles the JavaScript bundles */
export function emitController(
  target: Controller,
  { policy, rules }: Loaded,
  { form, gateway }: Given,
  paths: Omit<IngressOptions, 'form' | 'gateway' | 'bundles'>,
  bundles: Readonly<Record<string, Uint8Array>>,
): Emitted {
  const texts = Object.entries(bundles).map(([name, bytes]) => [name, utf8(bytes) ?? ''] as const);
  return ingressTargets[target].emit(policy, rules, { ...paths, form, gateway, bundles: Object.fromEntries(texts) });
}
