import type { Finding, Findings } from '../migrate/findings.ts';
import type { Migrated } from '../migrate/index.ts';
import { isHost } from '../policy/forms/addresses.ts';
import { formatError, parsePolicy } from '../policy/index.ts';
import { argument, command, commands, type FlagsOf, flag, formatFlag, NO, WrongUse, YES } from './common/context.ts';
import { decoded, readText, reasonOf } from './common/load.ts';
import { json } from './common/print.ts';
import { codeOf, type Runtime } from './machine/runtime.ts';

const output = {
  out: flag('FILE', 'Write the policy into this file, which must not exist (default: standard output)'),
  format: formatFlag,
};

type Output = FlagsOf<typeof output>;

const readAll = (runtime: Runtime, files: readonly string[]) =>
  files.map((name) => ({ name, text: readText(runtime, name, 'the file') }));

/** Writes the findings for people, those first that need an action. */
function reported({ toDo, differs, notCarried, carried }: Findings): string {
  const lines = (title: string, list: readonly Finding[]) =>
    list.length === 0
      ? []
      : [
          `${title} (${list.length}):`,
          ...list.map(({ option, text, wider }) => `  ${option}: ${wider ? 'WIDER: ' : ''}${text}`),
          '',
        ];
  return [
    ...lines('To do', toDo),
    ...lines('Decided differently', differs),
    ...lines('Not carried over', notCarried),
    `Carried over: ${carried.length} settings. Test the policy with "meshgate validate" and "meshgate explain".`,
    '',
  ].join('\n');
}

function write(runtime: Runtime, file: string, text: string): void {
  const slash = file.lastIndexOf('/');
  const name = file.slice(slash + 1);
  try {
    const folder = runtime.folder(slash < 0 ? '.' : file.slice(0, slash) || '/');
    if (exists(runtime, file)) throw new WrongUse(`${file} exists already: name another file`);
    runtime.write(folder, name, text);
  } catch (error) {
    throw error instanceof WrongUse ? error : new WrongUse(`cannot write ${file}: ${reasonOf(error)}`);
  }
}

function exists(runtime: Runtime, file: string): boolean {
  try {
    decoded(file, runtime.read(file));
    return true;
  } catch (error) {
    return codeOf(error) !== 'ENOENT';
  }
}

/** Loads the bundle of the migration. No other command needs it, so it is a file of its own. */
async function room(runtime: Runtime) {
  try {
    return await runtime.migration();
  } catch {
    throw new WrongUse(`cannot load ${runtime.home}/migrate.js: copy it from the folder that cli.js is from`);
  }
}

/** Prints the policy and the findings. A policy that would not be valid is not printed. */
function finish(runtime: Runtime, migrated: Migrated, { out, format }: Output): number {
  if (migrated.unreadable !== undefined) {
    for (const line of migrated.unreadable) runtime.err(`meshgate: ${line}\n`);
    return NO;
  }
  const { policy: text, findings } = migrated;
  const { errors } = parsePolicy(text, out ?? 'meshgate.yaml');
  if (errors.length > 0) {
    runtime.err(reported(findings));
    for (const error of errors) runtime.err(`${formatError(error)}\n`);
    runtime.err('meshgate: no policy: it would not be valid for these reasons. Change the files, and try again\n');
    return NO;
  }
  if (out !== undefined) write(runtime, out, text);
  if (format === 'json') {
    const { toDo, differs, notCarried, carried } = findings;
    runtime.out(
      json({ ...(out === undefined ? { policy: text } : { written: out }), toDo, differs, notCarried, carried }),
    );
  } else {
    runtime.err(reported(findings));
    if (out === undefined) runtime.out(text);
  }
  return YES;
}

/** The prefix of annotations if the controller was not started with another one. */
const PREFIX = 'nginx.ingress.kubernetes.io';

const FILES = { ...argument('FILE', 'A file of the old configuration; - is standard input'), several: true } as const;

const hostFlag = flag('HOST', 'The host that people open', (text) => {
  if (!isHost(text)) throw new Error('write a DNS name in lower case, such as wiki.example.com');
  return text;
});

/** `meshgate migrate oauth2-proxy`: writes a policy from the configuration of oauth2-proxy. */
const oauth2ProxyCommand = command({
  brief: 'Write a policy from the configuration of oauth2-proxy',
  text: 'Reads the configuration of oauth2-proxy 7: its flags, variables (OAUTH2_PROXY_*), TOML file and alpha YAML, alone or in a Deployment, a ConfigMap, a compose file or the values of its Helm chart, and a list of e-mail addresses. Give all files together: flags win over variables, and variables over a file. Prints a policy. Standard error says what to do, what the gateway decides differently, and which settings were not carried over, and why. Secrets are never printed.',
  examples: [
    'meshgate migrate oauth2-proxy oauth2-proxy.cfg > meshgate.yaml',
    'meshgate migrate oauth2-proxy --host wiki.example.com deployment.yaml oauth2-proxy.cfg emails.txt --out meshgate.yaml',
    'meshgate migrate oauth2-proxy --format json compose.yaml .env',
  ],
  flags: { host: hostFlag, ...output },
  args: [FILES],
  async run(runtime, { host, ...flags }, ...files) {
    const { oauth2Proxy } = await room(runtime);
    return finish(runtime, oauth2Proxy(readAll(runtime, files), host), flags);
  },
});

/** `meshgate migrate ingress-nginx`: writes a policy from Ingress manifests. */
const ingressNginxCommand = command({
  brief: 'Write a policy from Ingress manifests for ingress-nginx',
  text: 'Reads Ingresses with their annotations, and beside them Services and the ConfigMap of the controller: several documents in a file, and Lists. If ingress-nginx asks oauth2-proxy about requests (auth-url), give the files of oauth2-proxy too: its people become roles. Prints a policy. Standard error says what to do, what the gateway decides differently, and which annotations were not carried over, and why. Paths whose rules a policy cannot say are closed.',
  examples: [
    'meshgate migrate ingress-nginx ingress.yaml > meshgate.yaml',
    'meshgate migrate ingress-nginx --oauth2-proxy oauth2-proxy.cfg ingress.yaml services.yaml --out meshgate.yaml',
    'kubectl get ingress,service -A -o yaml | meshgate migrate ingress-nginx --json -',
  ],
  flags: {
    oauth2Proxy: {
      ...flag('FILE', 'A file of the oauth2-proxy that auth-url names; repeat the flag for several'),
      variadic: true as const,
    },
    annotationsPrefix: flag('PREFIX', `The prefix of annotations, if the controller has another one than ${PREFIX}`),
    ...output,
  },
  args: [FILES],
  async run(runtime, { oauth2Proxy, annotationsPrefix, ...flags }, ...files) {
    const { ingressNginx } = await room(runtime);
    const manifests = readAll(runtime, files);
    const proxy = oauth2Proxy && readAll(runtime, oauth2Proxy);
    const prefix = (annotationsPrefix ?? PREFIX).replace(/\/$/, '');
    return finish(runtime, ingressNginx(manifests, proxy, prefix), flags);
  },
});

export const migrateCommands = commands('Write a policy from the configuration of another product', {
  'oauth2-proxy': oauth2ProxyCommand,
  'ingress-nginx': ingressNginxCommand,
});
