import { expect, test } from 'vitest';
import {
  expectCleanLog,
  type Files,
  type Gateway,
  render,
  replaceIn,
  type Stage,
  startGateway,
  until,
  waitForWorkers,
} from '../harness/index.ts';

const conf = '/run/meshgate/conf';

/** A change of the rendered files: the surroundings in an operator's nginx, or a rendering without some line. */
export type Change = (files: Files) => Files;

/** One gateway that loads one rendering after the other, so that many mutants need only one container. */
export class Lab {
  readonly gateway: Gateway;
  /** The rendered files of the policy. */
  readonly rendered: Files;
  #loaded: Files;

  constructor(gateway: Gateway, rendered: Files) {
    this.gateway = gateway;
    this.rendered = rendered;
    this.#loaded = rendered;
  }

  /** Loads the rendering with these changes; resolves when the worker before it accepts no more connections. */
  async load(...changes: readonly Change[]): Promise<void> {
    const files = changes.reduce<Files>((before, change) => change(before), this.rendered);
    const changed = Object.entries(files).filter(([path, text]) => this.#loaded[path] !== text);
    if (changed.length === 0) return;
    const { box } = this.gateway;
    await box.write(Object.fromEntries(changed.map(([path, text]) => [`${conf}/${path}`, text])));
    this.#loaded = files;
    const mark = this.gateway.mark();
    await box.signal('SIGHUP');
    await until(
      () => {
        const text = box.logs.since(mark).join('\n');
        const refused = /^.*\[emerg\].*$/m.exec(text)?.[0];
        if (refused !== undefined) throw new Error(`nginx refuses the changed configuration: ${refused}`);
        return /start worker process \d+/.test(text) && /gracefully shutting down/.test(text);
      },
      { what: 'the changed configuration', help: () => box.logs.tail() },
    );
  }
}

/** Starts a gateway for {@link Lab}; one worker. */
export async function startLab(stage: Stage, policy: string, files: Files = {}): Promise<Lab> {
  const rendered = await render('nginx', policy);
  return new Lab(await startGateway(stage, { policy, rendered, files }), rendered);
}

export interface Trap<R> {
  /** One sentence: the attack that is prevented. */
  readonly name: string;
  /** The operator's configuration that would make it possible. */
  readonly around?: Change;
  /** The rendering without the line that prevents it. */
  readonly without: Change;
  /** Runs the attack, and returns the result. */
  readonly attack: () => Promise<R>;
  /** The result with the unchanged rendering. */
  readonly held: R;
  /** The result without the line, which shows that the test can detect it. */
  readonly open: R;
  /** Lines of the error log that the attack causes. */
  readonly expected?: readonly RegExp[];
}

const asItIs: Change = (files) => files;

/** Defines a test that runs the attack on the unchanged rendering, and again without the line that prevents it. */
export function trap<R>(lab: Lab, one: Trap<R>): void {
  test(one.name, async () => {
    const around = one.around ?? asItIs;
    await lab.load(around);
    const mark = await waitForWorkers(lab.gateway);
    expect(await one.attack(), 'as it is rendered').toEqual(one.held);
    await expectCleanLog(lab.gateway, mark, one.expected);
    await lab.load(around, one.without);
    expect(await one.attack(), 'without the line').toEqual(one.open);
  });
}

/** Lines at the http level, before the gateway's. */
export const atHttpLevel =
  (lines: string): Change =>
  (files) => ({ ...files, 'http.conf': `${lines}\n${files['http.conf']}` });

/** The operator's own lines in the server of a host, after the gateway's. */
export const inServer =
  (host: string, lines: string): Change =>
  (files) => ({ ...files, [`hosts/${host}.conf`]: `${files[`hosts/${host}.conf`]}\n${lines}\n` });

/** Files that others include, and their indentation. */
const INCLUDED: readonly (readonly [RegExp, number])[] = [
  [/^(server|refuse|refuse-pages)\.conf$/, 0],
  [
    /^(check|check-session|proxy|proxy-grpc|headers|headers-grpc|erase|erase-grpc|session|signin|page|inside|ingress[^/]*)\.conf$/,
    1,
  ],
  [/^(answer|caller[^/]*|endpoint|endpoint-limit|whoami|cors-\d+|services\/.*|requests\/.*)\.conf$/, 2],
];

/** A line with each of its directives on its own line, and without the comment behind them. */
function single(line: string): string {
  const words = line.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g, (quoted) => '_'.repeat(quoted.length));
  const bare = words.split(' # ')[0]!;
  if (/[{}#]/.test(bare)) return line;
  const indent = /^ */.exec(line)![0];
  const ends = [...bare.matchAll(/;/g)].map(({ index }) => index + 1);
  const directives = ends.map((end, i) => indent + line.slice(ends[i - 1] ?? 0, end).trim());
  return ends.length === 0 ? line : directives.join('\n');
}

/** Changes text in some files, with one directive on each line, indented as with its file in its place. */
function changed(files: Files, paths: RegExp, pattern: RegExp | string, by: string): Files {
  const depth = (path: string) => '    '.repeat(INCLUDED.find(([name]) => name.test(path))?.[1] ?? 0);
  const moved = Object.fromEntries(
    Object.entries(files).map(([path, text]) => [
      path,
      text
        .split('\n')
        .map(single)
        .join('\n')
        .replace(/^(?=.)/gm, depth(path)),
    ]),
  );
  const after = replaceIn(moved, paths, pattern, by);
  return Object.fromEntries(
    Object.entries(after).map(([path, text]) => [
      path,
      text === moved[path] ? files[path]! : text.replace(new RegExp(`^${depth(path)}`, 'gm'), ''),
    ]),
  );
}

/** The servers of hosts, except the inner listener's, and what is rendered for http {}. */
const HOSTS = /^(hosts\/.*|services\/.*|requests\/.*|(?!(http|maps|log|servers|inside|hop)\.)[a-z0-9_-]+)\.conf$/;

/** Text changed in the files of all hosts. */
export const inHosts =
  (pattern: RegExp | string, by = ''): Change =>
  (files) =>
    changed(files, HOSTS, pattern, by);

/** Text changed in http.conf and what it includes. */
export const inHttp =
  (pattern: RegExp | string, by = ''): Change =>
  (files) =>
    changed(files, /^(http|maps|log|inside)\.conf$/, pattern, by);

const hop = /location \^~ \/\.meshgate\/check\/ \{[^}]*\}/;

const withoutHop = (files: Files): Files =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [path, text.replace(hop, '@hop@')]));

/** Changes text in the location that leads to the check. */
export const inHop =
  (pattern: RegExp | string, by = ''): Change =>
  (files) => {
    const hosts = Object.entries(files).filter(([path, text]) => path.startsWith('hosts/') && hop.test(text));
    const blocks = Object.fromEntries(hosts.map(([path, text]) => [path, hop.exec(text)![0]]));
    const shared = Object.fromEntries(Object.entries(files).filter(([path]) => /^check(-session)?\.conf$/.test(path)));
    const own = changed({ ...blocks, ...shared }, /./, pattern, by);
    const after = hosts.map(([path, text]) => [path, text.replace(hop, () => own[path]!)]);
    return { ...files, ...own, ...Object.fromEntries(after) };
  };

const ROUTES = /^(hosts\/.*|services\/.*|requests\/.*|(proxy|headers|erase)[a-z-]*|session|caller.*|cors-\d+)\.conf$/;

/** Changes text in the locations of the routes, and not in the one that leads to the check. */
export const inRoutes =
  (pattern: RegExp | string, by = ''): Change =>
  (files) =>
    Object.fromEntries(
      Object.entries(changed(withoutHop(files), ROUTES, pattern, by)).map(([path, text]) => [
        path,
        text.replace('@hop@', () => hop.exec(files[path]!)![0]),
      ]),
    );

/**
 * Makes routes forward every request, decided or not: if another line closes a trap as well, this second line would
 * hide the first.
 *
 * @param upstream name of the service's upstream block
 */
export const undecidedPass = (upstream: string, authority: string): Change =>
  all(
    inRoutes(/proxy_pass \$meshgate_to;/g, `proxy_pass http://${upstream};`),
    inRoutes(/proxy_set_header Host .*;/g, `proxy_set_header Host ${authority};`),
  );

/** Combines several changes. */
export const all =
  (...changes: readonly Change[]): Change =>
  (files) =>
    changes.reduce<Files>((before, change) => change(before), files);
