/** `meshgate status` for URLs alone, for Node: the probe of the manifests for ingress controllers. */

import { exit, systemRuntime } from '../cli/machine/runtime.ts';
import { program } from '../cli/program.ts';
import { statusProbe } from '../cli/status/urls-alone.ts';

exit(await program(statusProbe, 'meshgate status')(systemRuntime()));
