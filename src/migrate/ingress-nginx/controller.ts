import type { Findings } from '../findings.ts';
import type { Mapping } from '../new-policy.ts';
import { type Outcome, report } from '../table.ts';
import { durationText, rangeOf, truthOf } from '../text-forms.ts';
import { CONTROLLER, controllerKeys } from './annotations.ts';
import { ASKED_HEADERS, isHarmless, setsHeaders } from './snippets.ts';
import type { Everywhere } from './who.ts';

type ConfigMap = ReadonlyMap<string, string>;

const isOn = (text: string | undefined): boolean => truthOf(text) === true;

/** Whether a proxy in front of ingress-nginx says the address of a client. */
export const hasProxies = (controller: ConfigMap): boolean =>
  ['use-forwarded-headers', 'use-proxy-protocol', 'enable-real-ip'].some((it) => isOn(controller.get(it)));

const listOf = (text: string | undefined): readonly string[] =>
  (text ?? '').split(',').flatMap((it) => it.trim() || []);

/** Reads which proxies may say the address of a client. */
export function trustedProxies(controller: ConfigMap, findings: Findings): readonly string[] {
  if (!hasProxies(controller)) return [];
  const declared = listOf(controller.get('proxy-real-ip-cidr'));
  const ranges = [...new Set(declared.flatMap((it) => rangeOf(it) ?? []))];
  if (isOn(controller.get('use-proxy-protocol'))) {
    findings.ask(
      'ConfigMap use-proxy-protocol',
      'the gateway reads X-Forwarded-For of gateway.trusted_proxies: let the load balancer send it, or pass the address of the client',
    );
  }
  if (ranges.length === 0) {
    findings.ask(
      'ConfigMap proxy-real-ip-cidr',
      'without it, ingress-nginx believes X-Forwarded-For of everyone: write the addresses of your proxies into gateway.trusted_proxies',
    );
  }
  return ranges;
}

/** Reads what the ConfigMap of the controller demands everywhere. */
export function everywhereOf(controller: ConfigMap, blind: boolean, findings: Findings): Everywhere {
  const snippets = [...controllerKeys.values()]
    .filter(({ name, snippet }) => snippet && !isHarmless(controller.get(name) ?? ''))
    .map(({ name }) => name);
  for (const name of snippets) {
    findings.ask(
      `ConfigMap ${name}`,
      'its lines may decide who passes, so every path is closed: write rules for what they decide',
    );
  }
  if (setsHeaders(controller.get('global-auth-snippet') ?? ''))
    findings.differ('ConfigMap global-auth-snippet', ASKED_HEADERS, true);
  const url = controller.get('global-auth-url')?.trim();
  const listsOf = (...names: readonly string[]) =>
    names.map((it) => listOf(controller.get(it)).join(',')).filter((it) => it !== '');
  return {
    authUrl: url === '' ? undefined : url,
    allowed: listsOf('whitelist-source-range'),
    denied: listsOf('denylist-source-range', 'block-cidrs'),
    closed: snippets.length > 0,
    blind,
  };
}

/** The header Strict-Transport-Security, which ingress-nginx sends unless the ConfigMap says otherwise. */
export function hstsOf(controller: ConfigMap, findings: Findings): Mapping {
  if (controller.size === 0) {
    findings.differ(
      'ConfigMap hsts',
      'ingress-nginx sends Strict-Transport-Security by default, for a year and all subdomains: write gateway.hsts if you want it',
    );
    return {};
  }
  if (controller.get('hsts')?.trim().toLowerCase() === 'false') return {};
  const age = Number(controller.get('hsts-max-age') ?? 31_536_000);
  if (!(age >= 86_400)) return {};
  const isComplete = controller.get('hsts-include-subdomains')?.trim().toLowerCase() !== 'false';
  return {
    hsts: { max_age: durationText(Math.min(age, 999_999 * 60)), ...(isComplete && { include_subdomains: true }) },
  };
}

/** Reports what becomes of each key of the ConfigMap. */
export function reportController(controller: ConfigMap, findings: Findings): void {
  for (const [key, value] of controller) {
    const row: Outcome = controllerKeys.get(key) ?? { lost: CONTROLLER };
    const isSet = !['', 'false'].includes(value.trim());
    report({ ...row, refuses: isSet ? row.refuses : undefined }, `ConfigMap ${key.slice(0, 100)}`, false, findings);
  }
}
