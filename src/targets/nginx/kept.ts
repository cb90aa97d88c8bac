import { carrier, isAlways } from '../../rules/carrier.ts';
import { variable } from './directive.ts';
import { headerVariable, underscored } from './names.ts';
import type { Scene } from './scene.ts';

/** Where what a header of the answer says is kept. */
export const keptAs = (header: string) => variable(underscored(header).slice('x_'.length));

/** The variable of an identity header: what each answer has anyway has one already, if all routes send that. */
export function identityVariable({ sharedSources }: Pick<Scene, 'sharedSources'>, index: number) {
  const source = sharedSources[index];
  return source !== undefined && isAlways(source) ? keptAs(carrier(source, index)) : variable(headerVariable(index));
}
