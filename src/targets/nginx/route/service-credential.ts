import { FROM_CHECK, TO_CHECK } from '../../../base/internal-headers.ts';
import type { Context, HostContext } from '../render-context.ts';
import { conf, type Directive, line, literal, regex, template, variable } from '../text/directive.ts';
import { keptAs, requestHeader } from '../text/names.ts';
import type { Module } from './module.ts';

/* A service's own credential. On routes that pass it on, nginx sends the client's `Authorization` to the service if the
 * check has said for this request that the header belongs to the service. */

/** Whether a route of the policy passes a service's own credential on. */
export const passesAny = ({ hosts }: Pick<Context, 'hosts'>): boolean => hosts.some(({ passes }) => passes);

const passed = variable('meshgate_authorization');
const scheme = variable(keptAs(FROM_CHECK.serviceCredential));

/** The map for the header. The check has said its scheme; a header with another scheme is erased. */
export const credentialMaps = (context: Context): readonly Directive[] =>
  passesAny(context)
    ? conf`
        # Authorization for a service: only if the check has said the scheme of this header.
        map ${template(scheme, ' ', requestHeader('Authorization'))} ${passed} {
          default "";
          ${regex('~*', '^(?<meshgate_scheme>[^ ]+) \\k<meshgate_scheme> [!-~][ -~]*$')} ${requestHeader('Authorization')};
        }
        map ${passed} $meshgate_log_credential { "" ""; default ${scheme}; }
      `
    : [];

/** The `Authorization` header for services.
 * @param passes whether it passes on if the check says so, or is always erased */
export const authorization = (module: Module, passes: boolean): readonly Directive[] => [
  line(`${module}_set_header`, 'Authorization', passes ? passed : literal('')),
];

/** Sends the gateway's token to the check, if it can be in a header of its own. */
export function shownToken({ policy }: Context, { passes }: HostContext): readonly Directive[] {
  const { credentialHeader } = policy.gateway;
  if (!passes || credentialHeader === undefined) return [];
  return conf`proxy_set_header ${TO_CHECK.credential} ${requestHeader(credentialHeader)};`;
}
