import { foreign } from '../../base/hostile-text.ts';
import { withoutSlashes } from '../../base/slashes.ts';
import {
  command,
  commands,
  Failed,
  type FlagsOf,
  flag,
  formatFlag,
  NO,
  policyArgument,
  switchFlag,
  WrongUse,
  YES,
} from '../common/context.ts';
import { type Loaded, loadValid, readText } from '../common/load.ts';
import { count, type Paint } from '../common/print.ts';
import { network } from '../common/provider.ts';
import { sourceFlags, sourceOf } from '../common/source.ts';
import { splitUrl } from '../decide/ask.ts';
import type { Runtime } from '../machine/runtime.ts';
import { gatewayAddress } from '../test/at-gateway.ts';
import {
  type Access,
  compareGroups,
  type Drift,
  groupNames,
  groupsOf,
  membersOf,
  NoAnswer,
} from './confluence-groups.ts';

const flags = {
  url: flag('URL', 'The address of Confluence: https://HOST:PORT, with its context path if it has one'),
  tokenFile: flag('FILE', 'A personal access token of an administrator of Confluence'),
  host: flag('HOST', 'The host of the policy that leads to Confluence (default: its only host)'),
  ignore: flag(
    'GROUPS',
    'Groups of Confluence that no role has to give, with commas between them; * stands for any text',
  ),
  members: switchFlag('Count the accounts of each group'),
  caFile: flag('FILE', "CA of Confluence's certificate, PEM (default: the system's)"),
  overlay: sourceFlags.overlay,
  env: sourceFlags.env,
  format: formatFlag,
} as const;

type Flags = FlagsOf<typeof flags>;

function accessOf(runtime: Runtime, { url, tokenFile, caFile }: Flags): Access {
  if (url === undefined || tokenFile === undefined) throw new WrongUse('give --url and --token-file');
  const { host = '', target = '/' } = splitUrl(url) ?? {};
  const { address, port, tls } = gatewayAddress(url.replace(/^(https?:\/\/[^/?#]*).*$/is, '$1'));
  if (!tls && !['localhost', '127.0.0.1', '::1'].includes(address)) {
    throw new WrongUse(`--url ${url}: write https:, because the token is sent there`);
  }
  const token = readText(runtime, tokenFile, 'the token').trim();
  if (!/^[\x21-\x7e]{1,4096}$/.test(token)) throw new WrongUse(`${tokenFile}: the file has no token, or more than one`);
  return {
    ...{
      address,
      port,
      tls,
      name: host.replace(/:\d*$/, ''),
      authority: host,
      token,
      base: withoutSlashes(target),
    },
    ...(caFile !== undefined && { ca: readText(runtime, caFile, 'the CA') }),
  };
}

function hostOf({ policy }: Loaded, host: string | undefined): string {
  const names = policy.hosts.map(({ name }) => name);
  if (host !== undefined && names.includes(host)) return host;
  if (host === undefined && names.length === 1) return names[0] as string;
  throw new WrongUse(
    `${host === undefined ? 'the policy has several hosts' : `no host ${host}`}: give --host with one of ${names.join(', ')}`,
  );
}

/** Whether a name matches one of the patterns. */
function ignoresOf(patterns = ''): (name: string) => boolean {
  const all = patterns.split(',').map((it) =>
    it
      .trim()
      .toLowerCase()
      .replace(/[^\w*]/g, '\\$&')
      .replaceAll('*', '.*'),
  );
  const pattern = new RegExp(`^(?:${all.join('|')})$`);
  return (name) => pattern.test(name.toLowerCase());
}

type Members = ReadonlyMap<string, number>;

async function counted(runtime: Runtime, access: Access, groups: readonly string[]): Promise<Members> {
  const members = new Map<string, number>();
  for (const group of groups) members.set(group, await membersOf(network(runtime, 'drift'), access, group));
  return members;
}

function textOf({ both, missing, notGiven }: Drift, members: Members, paint: Paint): string {
  const line = (tone: 'good' | 'bad', word: string, group: string, why: string) => {
    const accounts = members.get(group);
    return `${paint(tone, word.padEnd(9))} ${foreign(group)}${why}${accounts === undefined ? '' : ` (${count(accounts, 'account')})`}\n`;
  };
  const differences = missing.length + notGiven.length;
  return [
    ...both.map((it) => line('good', 'same', it, '')),
    ...missing.map((it) => line('bad', 'missing', it, ': a role of the policy, and no group of Confluence')),
    ...notGiven.map((it) => line('bad', 'not given', it, ': a group of Confluence that no role gives')),
    differences === 0 ? 'nothing differs\n' : `${count(differences, 'difference')}\n`,
  ].join('');
}

const confluenceCommand = command({
  brief: "Compare the policy's roles with the groups of Confluence",
  text: 'Compares the roles that the rules of a host name with the groups of a Confluence Data Center, by its REST API. The roles that the profile makes for itself (-console, -break-glass, -links) are left out. Says which roles are no group of Confluence, and which groups no role gives. Which groups of the provider a person has, only the provider knows: so this command cannot say who should leave a group. Needs Node.',
  exits: { 0: 'nothing differs', 1: 'something differs, or Confluence does not answer' },
  examples: [
    'meshgate drift confluence --url https://confluence.internal:8443 --token-file pat meshgate.yaml',
    "meshgate drift confluence --url https://confluence.internal:8443 --token-file pat --ignore 'space-*,jira-users' meshgate.yaml",
  ],
  flags,
  args: [policyArgument],
  async run(runtime, flags, file) {
    const ask = network(runtime, 'drift');
    const access = accessOf(runtime, flags);
    const loaded = loadValid(runtime, sourceOf(runtime, file, flags));
    const roles = groupNames(loaded, hostOf(loaded, flags.host));
    const ignores = ignoresOf(flags.ignore);
    try {
      const groups = (await groupsOf(ask, access)).filter((it) => roles.includes(it) || !ignores(it));
      const drift = compareGroups(roles, groups);
      const members = flags.members ? await counted(runtime, access, [...drift.both, ...drift.notGiven]) : new Map();
      const isSame = drift.missing.length + drift.notGiven.length === 0;
      return {
        code: isSame ? YES : NO,
        value: { same: isSame, ...drift, members: flags.members ? Object.fromEntries(members) : undefined },
        text: (paint) => textOf(drift, members, paint),
      };
    } catch (error) {
      throw error instanceof NoAnswer ? new Failed(foreign(error.message)) : error;
    }
  },
});

/** `meshgate drift`: compares the policy with what an application has. */
export const driftCommands = commands('Compare the policy with the groups of an application', {
  confluence: confluenceCommand,
});
