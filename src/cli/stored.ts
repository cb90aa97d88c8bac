import type { StoredNames } from '../rules/stored.ts';
import { nginxOptions } from '../targets/nginx/options.ts';
import { toScene } from '../targets/nginx/scene.ts';
import { storedNames } from '../targets/nginx/stored-names.ts';
import type { Loaded } from './load.ts';

/** Returns the names of a policy under which gateways store something. */
export const storedNamesOf = ({ policy, rules }: Loaded): StoredNames =>
  storedNames(toScene(policy, rules, nginxOptions({ dir: '/' })));
