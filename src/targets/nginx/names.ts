import { type Arg, literal, type Part, template, variable } from './directive.ts';

/** Holds the one character that nginx has no escape for; a `geo`, since that takes its values as they are. */
export const DOLLAR = 'meshgate_dollar';

/** Text of a policy for a value that nginx evaluates: a `$` in it stays a `$`. */
export function text(value: string): Arg {
  return value.includes('$') ? template(...textParts(value)) : literal(value);
}

/** The same as parts of a template. */
export function textParts(value: string): readonly Part[] {
  return value
    .split('$')
    .flatMap((piece, i) => [...(i > 0 ? [variable(DOLLAR)] : []), ...(piece === '' ? [] : [literal(piece)])]);
}

/** The variable in which nginx has a header of the request. */
export function requestHeader(name: string): Part {
  return variable(`http_${underscored(name)}`);
}

/** The variable in which nginx has a header of the check's answer. */
export function answerHeader(name: string): Part {
  return variable(`upstream_http_${underscored(name)}`);
}

/** Variable of the i-th identity header. */
export function headerVariable(index: number): string {
  return `meshgate_h${index}`;
}

export function underscored(name: string): string {
  return name.toLowerCase().replaceAll('-', '_');
}

export const CHECK_UPSTREAM = 'meshgate_check';
export const CHECK_PATH = '/.meshgate/check/';
/** Where internal redirects of ours go. */
export const ODD_PATH = '/.meshgate/odd';
export const BAD_PATH = '/.meshgate/bad';

/** Upstream block towards the mesh's ingress under one identity. */
export function ingressUpstream(identity: string): string {
  return `meshgate_ingress_${identity}`;
}

/** Upstream block of a service that is reached directly. */
export function directUpstream(service: string): string {
  return `meshgate_direct_${service}`;
}
