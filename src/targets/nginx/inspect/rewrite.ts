import { CHECK_PATH } from '../text/names.ts';
import type { ConfTree, Server } from './dump.ts';
import { type ConfNode, matches, type Warning, warn } from './read.ts';

/** Variables that have the same value in the check's subrequest as in the client's request. */
const SAME =
  /^\$(request_method|request_uri|host|http_\w+|cookie_\w+|scheme|https|server_\w+|remote_addr|ssl_\w+|content_(type|length))$/;

/** Whether the condition of an `if` is true in the check's subrequest; undefined if that is unknown. */
function holds(args: readonly string[], check: string): boolean | undefined {
  const words = args.join(' ').replace(/^\(\s*|(?<!\s)\s*\)$/g, '');
  const [, negated, file] = /^(!?)-[fdex] (\S+)$/.exec(words) ?? [];
  // No file of that name exists.
  if (file !== undefined) return /^\S*\$(request_filename|uri|document_uri)$/.test(file) ? negated === '!' : undefined;
  const [, name = '', operator, value = ''] = /^(\$\w+)(?: (=|!=|~\*?|!~\*?) ?([\s\S]*))?$/.exec(words) ?? [];
  const declared = /^\$(uri|document_uri)$/.test(name)
    ? check
    : /^\$(args|query_string|is_args|arg_\w+)$/.test(name)
      ? ''
      : undefined;
  if (declared === undefined) return undefined;
  if (operator === undefined) return declared !== '' && declared !== '0';
  const positive = operator.endsWith('=')
    ? declared === value
    : matches(value, declared, operator.endsWith('*') ? 'i' : '');
  return positive === undefined ? undefined : positive !== operator.startsWith('!');
}

/** Whether the condition has the same result for the client's request and for the check's subrequest. */
const alike = (args: readonly string[]): boolean =>
  SAME.test(/^(?:\(\s*)?([^\s)=!~]*)/.exec(args.join(' '))?.[1] ?? '');

interface Where {
  /** The path of a subrequest to the check, as nginx makes it. */
  readonly check: string;
  /** Whether the directive comes before the rendered ones. */
  readonly before: boolean;
  /** The condition of the `if` that contains the directive. */
  readonly condition?: readonly string[];
}

function returns(node: ConfNode, { check, condition }: Where): readonly Warning[] {
  if (condition === undefined) {
    const text = 'this return answers every request of the server: no route of the policy is reached';
    return warn(node, text, 'no return here, or a location around it');
  }
  const admits = /^2\d\d$/.test(node.args[0] ?? '');
  const held = holds(condition, check);
  if ((admits ? held === false : held !== true) || alike(condition)) return [];
  const why = admits ? `and ${node.args[0]} lets the client's request pass unchecked` : 'so that nothing passes';
  const text = `this return answers the check's own request as well, ${why}`;
  return warn(node, text, 'a location around this return');
}

function one(node: ConfNode, where: Where): readonly Warning[] {
  const { check, before, condition } = where;
  if (node.name === 'if') return (node.block ?? []).flatMap((inner) => one(inner, { ...where, condition: node.args }));
  if (node.name === 'return') return returns(node, where);
  if (node.name === 'break' && before) {
    return warn(
      node,
      'break skips the rendered directives that refuse paths that are not canonical ("..;", "%2f"): such paths reach the services unchanged',
      'break after the include of the host file',
    );
  }
  if (node.name === 'rewrite') {
    if (condition !== undefined && holds(condition, check) === false) return [];
    if (!matches(node.args[0] ?? '', check)) return [];
    return warn(
      node,
      `rewrite ${node.args[0]} matches the check's own request (${CHECK_PATH}…) as well: another location answers instead, and may allow everything`,
      `a regular expression that does not match it, such as ^(?!/\\.meshgate/)…, or a rewrite inside a location`,
    );
  }
  if (node.name === 'set' && node.args[0] === '$http_authorization') {
    return warn(node, 'set $http_authorization replaces the credential that the client sent', 'another variable');
  }
  return [];
}

/** Warns of rewriting directives in a server with a host file. nginx runs them for the check's subrequest, too. */
export function rewrites(tree: ConfTree, server: Server, path: string, host: string): readonly Warning[] {
  const check = `${path}${host}/*`;
  const ours = ({ file }: ConfNode) => tree.kind(file) !== 'other';
  const first = server.body.findIndex(ours);
  return server.body.flatMap((node, i) => (ours(node) ? [] : one(node, { check, before: i < first })));
}
