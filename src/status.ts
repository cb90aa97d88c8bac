/** `meshgate status` for URLs alone, for Node: the probe of the manifests for ingress controllers. */

import { program } from './cli/program.ts';
import { exit, systemRuntime } from './cli/runtime.ts';
import { statusProbe } from './cli/status-probe.ts';

exit(await program(statusProbe, 'meshgate status')(systemRuntime()));
