import type { Policy } from '../../../policy/checked/types.ts';
import type { Rule } from '../../../rules/types.ts';
import { type NginxOptions, nginxOptions } from '../options.ts';
import { renderNginx } from '../render.ts';
import { SERVERS_ABOUT, UNGUARDED } from '../server/controller.ts';
import { CHECK_UPSTREAM } from '../text/names.ts';
import { allDirectives, type ConfTree } from './dump.ts';
import { type ReadText, type Warning, warn } from './read.ts';

/** The warnings about a configuration, in the order of the dump's files and then by line. */
export interface Inspection {
  readonly warnings: readonly Warning[];
  /** A rendered file that could not be read and was therefore not compared with the policy. */
  readonly unread?: string;
}

const AGAIN = 'render the policy again, and reload nginx';

const folder = (path: string): string => path.slice(0, path.lastIndexOf('/'));

/** The options with which the files were rendered. They are read from the content of the files. */
function optionsOf(tree: ConfTree, http: string): NginxOptions {
  const all = allDirectives(tree.files.get(http)?.nodes ?? []);
  const [check] = all.filter(({ name, args }) => name === 'upstream' && args[0] === CHECK_UPSTREAM);
  const socket = check?.block?.find(({ name }) => name === 'server')?.args[0];
  const state = all
    .flatMap(({ name, args }) => (name === 'js_shared_dict_zone' ? args : []))
    .find((it) => it.startsWith('state='));
  const log = [...tree.files.keys()]
    .filter((name) => tree.kind(name) === 'shared')
    .flatMap((name) => tree.files.get(name)?.nodes ?? [])
    .find(({ name, args }) => name === 'access_log' && args[1] === 'meshgate')?.args[0];
  const resolver = all.find(({ name }) => name === 'resolver')?.args.filter((it) => !it.includes('='));
  // In an ingress controller, http.conf has the map of the hosts that the controller's own servers must not serve.
  const isInController = all.some(({ name, args }) => name === 'map' && args[1] === `$${UNGUARDED}`);
  const ownServers = [...tree.files.values()].some(({ text }) => text.startsWith(`# ${SERVERS_ABOUT}`));
  return nginxOptions({
    ...(isInController && { inController: ownServers ? { ownServers } : {} }),
    dir: all.find(({ name }) => name === 'js_path')?.args[0] ?? folder(http),
    ...(socket?.startsWith('unix:') && { runDir: folder(socket.slice('unix:'.length)) }),
    ...(state !== undefined && { stateDir: folder(state.slice('state='.length)) }),
    ...(log !== undefined && { accessLog: log }),
    ...(resolver !== undefined && { resolver }),
  });
}

/** Warns of the first line of a file that differs from the rendered file. */
function changed(file: string, text: string, wanted: string): readonly Warning[] {
  if (text === wanted) return [];
  const others = wanted.split('\n');
  const lines = text.split('\n');
  const found = lines.findIndex((line, i) => line !== others[i]);
  const line = found < 0 ? lines.length : found + 1;
  return warn({ file, line }, 'this line is not what meshgate renders from the policy now', AGAIN);
}

/** Compares the files with what meshgate renders from the policy now, or throws an UnprintableError. */
export function rendered(tree: ConfTree, policy: Policy, rules: readonly Rule[], read: ReadText): Inspection {
  const http = [...tree.files.keys()].find((name) => tree.kind(name) === 'http');
  if (http === undefined) {
    const at = tree.main.find(({ name }) => name === 'http') ?? { file: [...tree.files.keys()][0] ?? '', line: 1 };
    return {
      warnings: warn(at, 'http {} does not include http.conf of the rendered files', 'include …/http.conf; in http {}'),
    };
  }
  const options = optionsOf(tree, http);
  const { files } = renderNginx(policy, rules, options);
  const now = new Map(Object.entries(files).map(([name, text]) => [`${options.dir}/${name}`, text]));
  const warnings = [...tree.files].flatMap(([name, { text }]) => {
    if (tree.kind(name) === 'other') return [];
    const wanted = now.get(name);
    if (wanted === undefined) {
      return warn({ file: name, line: 1 }, 'the policy needs no such file', `no include of it; ${AGAIN}`);
    }
    return changed(name, text, wanted);
  });
  const scripts = ['policy.js', 'signin-policy.js', 'audit/seal.json']
    .map((name) => `${options.dir}/${name}`)
    .filter((it) => now.has(it));
  const texts = scripts.map((path) => [path, read(path)] as const);
  const unread = texts.find(([, text]) => text === undefined)?.[0];
  const others = texts.flatMap(([path, text = now.get(path) ?? '']) => changed(path, text, now.get(path) ?? ''));
  return { warnings: [...warnings, ...others], ...(unread !== undefined && { unread }) };
}
