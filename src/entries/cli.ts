/** The command `meshgate`, for Node and for `njs -n QuickJS`. */

import { main } from '../cli/app.ts';
import { exit, systemRuntime } from '../cli/machine/runtime.ts';

exit(await main(systemRuntime()));
