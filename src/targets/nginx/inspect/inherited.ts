import { allDirectives, type ConfTree, effective, type Server } from './dump.ts';
import { type ConfNode, type Warning, warn, warnAll } from './read.ts';

/** For each directive that sets a variable, the index of the argument that names the variable. */
const MAKERS: Readonly<Record<string, number>> = {
  ...{ set: 0, auth_request_set: 0, js_set: 0, js_var: 0, perl_set: 0 },
  ...{ map: 1, split_clients: 1 },
};

function made({ name, args }: ConfNode): readonly string[] {
  const named = name === 'geo' ? args.at(-1) : args[MAKERS[name] ?? Number.NaN];
  const groups = [name, ...args].flatMap((text) =>
    [...text.matchAll(/\(\?P?[<'](\w+)[>']/g)].map(([, it]) => `$${it}`),
  );
  return named === undefined ? groups : [named, ...groups];
}

/** Variables that nginx makes from the request, and that the check reads. */
const CREDENTIAL = /^\$http_(authorization|cookie)$/;

/** Warns if directives of others set variables of the rendered files. */
function variables(tree: ConfTree): readonly Warning[] {
  return allDirectives(tree.http).flatMap((node) =>
    tree.kind(node.file) !== 'other'
      ? []
      : made(node)
          .filter((name) => name.startsWith('$meshgate_') || (node.name !== 'set' && CREDENTIAL.test(name)))
          .flatMap((name) =>
            warn(
              node,
              CREDENTIAL.test(name)
                ? `${node.name} makes ${name}, which replaces the credential that the client sent`
                : `${node.name} changes ${name}, which the rendered files need for the decision`,
              'another variable',
            ),
          ),
  );
}

/** Directives that the rendered locations inherit, and what they change there. */
const INHERITED: readonly (readonly [name: string, isHarmless: RegExp, text: string, instead: string])[] = [
  [
    'auth_basic',
    /^off$/,
    'asks for a password in the header in which clients send their tokens: nginx refuses every token',
    'auth_basic off; in this server',
  ],
  [
    'proxy_method',
    /^$/,
    'sends another method to the services than the one that the policy allowed',
    'no proxy_method here',
  ],
  ['proxy_set_body', /^$/, 'replaces the bodies that clients send to the services', 'no proxy_set_body here'],
  [
    'proxy_pass_request_body',
    /^on$/,
    'removes the bodies that clients send to the services',
    'proxy_pass_request_body in the location that needs it',
  ],
  [
    'proxy_pass_request_headers',
    /^on$/,
    'removes the headers that clients send to the services',
    'proxy_pass_request_headers in the location that needs it',
  ],
];

/** Warns of directives that the rendered locations inherit and that the rendered files do not set. */
function settings(tree: ConfTree, ours: readonly Server[]): readonly Warning[] {
  return INHERITED.flatMap(([name, isHarmless, text, instead]) => {
    const found = new Set(ours.flatMap(({ body }) => effective(name, body, tree.http)));
    return warnAll(
      [...found].filter(({ file, args }) => tree.kind(file) === 'other' && !isHarmless.test(args[0] ?? '')),
      ({ args }) => `the locations of the hosts inherit ${name} ${args.join(' ')}, which ${text}`,
      instead,
    );
  });
}

/** The findings about variables and settings that reach the rendered files from around them. */
export const inheritedWarnings = (tree: ConfTree, ours: readonly Server[]): readonly Warning[] => [
  ...variables(tree),
  ...settings(tree, ours),
];
