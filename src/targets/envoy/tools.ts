import {
  ANY_NAME,
  type HeaderText,
  METHOD_HEADER,
  NAME_HEADER,
  type ToolMessages,
  toolMessages,
  VERSION_HEADER,
} from '../kit/tool-messages.ts';
import { allOf, anyOf, type EnvoyPermission, headerIn, type StringMatch } from './permission.ts';

const header = (name: string, string_match: StringMatch): EnvoyPermission => ({ header: { name, string_match } });
const like = (name: string, regex: string): EnvoyPermission => header(name, { safe_regex: { regex } });

/** Matches a header. For Envoy, one matching value of a repeated header is enough: see `twiceText`. */
function hasText(name: string, text: HeaderText): EnvoyPermission {
  if ('exact' in text) return header(name, text);
  // One regular expression for both parts would exceed Envoy's limit if the prefix is long.
  return allOf([header(name, { prefix: text.prefix }), like(name, `${text.of}+`)]);
}

const anyName = anyOf([
  like(NAME_HEADER, ANY_NAME.encoded),
  allOf([like(NAME_HEADER, ANY_NAME.plain), { not_rule: like(NAME_HEADER, ANY_NAME.marked) }]),
]);

function message({ versions, methods, names }: ToolMessages): EnvoyPermission {
  const named = names === 'any' ? anyName : names && anyOf(names.map((text) => hasText(NAME_HEADER, text)));
  return allOf([
    headerIn(VERSION_HEADER, versions),
    anyOf(methods.map((text) => hasText(METHOD_HEADER, text))),
    ...(named === undefined ? [] : [named]),
  ]);
}

/** Matches the MCP messages that a rule allows: listings, and calls of its tools. */
export const toolPermission = (tools: readonly string[]): EnvoyPermission => anyOf(toolMessages(tools).map(message));

/** A permission and all permissions inside it. */
function* below(permission: EnvoyPermission): Generator<EnvoyPermission> {
  yield permission;
  if ('and_rules' in permission) for (const it of permission.and_rules.rules) yield* below(it);
  if ('or_rules' in permission) for (const it of permission.or_rules.rules) yield* below(it);
  if ('not_rule' in permission) yield* below(permission.not_rule);
}

/** Whether a permission reads MCP messages. */
export const isOfTools = (permission: EnvoyPermission): boolean =>
  [...below(permission)].some((it) => 'header' in it && it.header.name === METHOD_HEADER);

/** The tools in a permission that {@link toolPermission} made. */
export function toolsIn(permission: EnvoyPermission): readonly string[] {
  const named = [...below(permission)].flatMap((it): readonly string[] => {
    if (!('header' in it) || it.header.name !== NAME_HEADER) return [];
    const match = it.header.string_match;
    if ('exact' in match) return [match.exact];
    return 'prefix' in match ? [`${match.prefix}*`] : [];
  });
  return named.length === 0 ? ['*'] : named;
}
