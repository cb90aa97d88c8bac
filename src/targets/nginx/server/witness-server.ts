import { ADD_CHECKPOINT, MAX_REQUEST_BYTES } from '../../../audit/witness/add-checkpoint.ts';
import { WITNESS_TIMEOUT_MS } from '../../../base/limits.ts';
import type { Witness } from '../../../policy/schema/audit.ts';
import type { Context } from '../render-context.ts';
import { bodyBuffer, timeouts, verified } from '../route/module.ts';
import { conf, type Directive, literal, variable } from '../text/directive.ts';

/** The witnesses of the sealed log. In the pod of an ingress controller, nothing seals. */
export const witnessesOf = ({ policy: { gateway }, options }: Context): readonly Witness[] =>
  options.inController ? [] : (gateway.audit?.witnesses ?? []);

const time = `${WITNESS_TIMEOUT_MS}ms`;

/** The locations `/witness/N` of the egress server, in the order of the policy. With a variable, nginx looks the name up at
 * each request, so that it starts without DNS. */
export const witnessLocations = (context: Context): readonly Directive[] =>
  witnessesOf(context).flatMap(
    ({ url, caFile }, i) => conf`
      location = /witness/${i} {
        set $meshgate_witness ${literal(`${url}${ADD_CHECKPOINT}`)};
        ${bodyBuffer(MAX_REQUEST_BYTES)}
        proxy_pass $meshgate_witness;
        proxy_method POST;
        proxy_set_header Host $proxy_host; proxy_set_header Connection close;
        proxy_set_header Content-Type text/plain; proxy_set_header User-Agent meshgate;
        ${timeouts(time, time, time)}
        ${verified('proxy', variable('proxy_host'), caFile ?? context.options.systemCa)}
      }
    `,
  );
