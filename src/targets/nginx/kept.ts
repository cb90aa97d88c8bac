import { carrier, isAlways } from '../../rules/carrier.ts';
import { variable } from './directive.ts';
import { headerVariable, underscored } from './names.ts';
import type { Scene } from './scene.ts';

/** The variable that keeps the value of a header of the answer. */
export const keptAs = (header: string) => variable(underscored(header).slice('x_'.length));

/** The variable of an identity header. If all routes send a value that each answer has anyway, it is that value's
 * variable. */
export function identityVariable({ sharedSources }: Pick<Scene, 'sharedSources'>, index: number) {
  const source = sharedSources[index];
  return source !== undefined && isAlways(source) ? keptAs(carrier(source, index)) : variable(headerVariable(index));
}
