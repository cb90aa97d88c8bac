import { foreign } from '../../base/hostile-text.ts';
import { type Advice, groupAdvice, headerAdvice, subjectAdvice } from '../../policy/advice/recommendation.ts';
import { formatError, type PolicyError, place } from '../../policy/index.ts';
import { anonymousAdvice } from '../../rules/compare/anonymous-callers.ts';
import { policyDigest } from '../../rules/digest.ts';
import type { Inspection } from '../../targets/nginx/inspect/warnings.ts';
import { nginxOptions } from '../../targets/nginx/options.ts';
import { toContext } from '../../targets/nginx/render-context.ts';
import { insecureOptions } from '../../targets/nginx/server/server-blocks.ts';
import { locksBytes, renewalsBytes } from '../../targets/nginx/signin/locks.ts';
import { sessionRoom } from '../../targets/nginx/signin/signin.ts';
import { command, flag, formatFlag, NO, policyArgument, switchFlag, WrongUse, YES } from '../common/context.ts';
import { type Loaded, loadPolicy } from '../common/load.ts';
import { count, type Paint, type Report } from '../common/print.ts';
import { caFileFlag } from '../common/provider.ts';
import { readsStdin, sourceFlags, sourceName, sourceOf } from '../common/source.ts';
import { failureText, outcomeJson, testsText } from '../decide/outcome.ts';
import { runTests, type TestOutcome } from '../decide/policy-tests.ts';
import { checkPages, fileFindings } from './named-files.ts';
import { inspected } from './nginx-dump.ts';
import { askProviders, findingsText, hasFaults } from './provider-documents.ts';
import { storedFindings } from './stored-data.ts';

function insecure({ policy, rules }: Loaded): readonly string[] {
  return insecureOptions(toContext(policy, rules, nginxOptions({ dir: '/' })));
}

/** Counts the parts of a policy, or those in the file of a team. */
function contents({ policy, rules: all }: Loaded, only: string | undefined): string {
  const own = <T extends { readonly team?: string }>(parts: Readonly<Record<string, T>> | readonly T[]) =>
    Object.values(parts).filter(({ team }) => only === undefined || team === only);
  const hosts = own(policy.hosts);
  const routes = hosts.flatMap((host) => host.routes);
  const names = new Set(hosts.map(({ name }) => name));
  const rules = all.filter(({ host }) => names.has(host));
  const providers = only === undefined ? { provider: Object.values(policy.providers) } : {};
  const parts = {
    host: hosts,
    route: routes,
    rule: rules,
    role: own(policy.roles),
    ...providers,
    service: own(policy.services),
  };
  const teams = only === undefined && policy.teams ? { team: Object.values(policy.teams) } : {};
  return Object.entries({ ...parts, ...teams })
    .map(([noun, { length }]) => count(length, noun))
    .join(', ');
}

const invalid = (file: string, errors: readonly PolicyError[]): Report => ({
  code: NO,
  value: { file, valid: false, errors },
  text: (paint) =>
    [
      ...errors.map((error) => `${formatError(error)}\n`),
      `${file}: ${paint('bad', 'invalid')}: ${count(errors.length, 'error')}\n`,
    ].join(''),
});

function summary(loaded: Loaded, { name, team }: Named, outcomes: readonly TestOutcome[], paint: Paint): string {
  const verdict = outcomes.every(({ passed }) => passed) ? paint('good', 'valid') : paint('bad', 'invalid');
  const room = team === undefined ? roomText(loaded) : '';
  return `${name}: ${verdict}: ${contents(loaded, team)}; ${testsText(outcomes)}\n${room}`;
}

/** The policy as messages name it, and the only team whose file is checked. */
interface Named {
  readonly name: string;
  readonly team: string | undefined;
}

/** The lines that concern the team whose file is checked: those with a place in it. */
const ofTeam = (loaded: Loaded, team: string | undefined, all: readonly Advice[]): readonly Advice[] => {
  if (team === undefined) return all;
  const { hosts, roles, services } = loaded.policy;
  const own = [...hosts, ...Object.values(roles), ...Object.values(services)].find((it) => it.team === team);
  return all.filter(({ at }) => at.file === own?.at.file);
};

/** Says how much shared memory sessions use, and for how many people it suffices. */
function roomText({ policy }: Loaded): string {
  const { gateway } = policy;
  const { sessionRoom: room } = gateway;
  if (room === undefined) return '';
  const { records, revocations, once } = sessionRoom(gateway);
  const others = once + locksBytes(policy) + renewalsBytes(room.people);
  const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`;
  return `sessions: room for ${room.people} people: ${megabytes(records)} for records, ${megabytes(revocations)} for revocations, ${megabytes(others)} for locks and used values, in the memory of each nginx\n`;
}

/** Returns advice on how to make the policy safer, by role and by service. */
const adviceOf = ({ policy, rules }: Loaded): readonly Advice[] => [
  ...anonymousAdvice(policy, rules),
  ...groupAdvice(policy),
  ...headerAdvice(policy),
  ...subjectAdvice(policy),
];

function inspectionText({ warnings }: Inspection, paint: Paint): string {
  const entire = (text: string) => foreign(text, Number.POSITIVE_INFINITY);
  const lines = warnings.map(
    ({ file, line, text, instead }) => `${entire(`${file}:${line} ${text}; instead: ${instead}`)}\n`,
  );
  const verdict = warnings.length === 0 ? paint('good', 'clean') : paint('bad', count(warnings.length, 'warning'));
  return `${lines.join('')}nginx: ${verdict}\n`;
}

/** `meshgate validate`: checks the policy, its pages, its tests, nginx's configuration and its providers. */
export const validateCommand = command({
  brief: 'Check a policy and run its tests',
  text: 'Checks a policy, reports every error in one run, and runs its tests with the code that decides in the gateway. With --nginx it also reads the whole configuration of the nginx that includes the rendered files, and warns about directives that weaken or break them. With --online, on Node, it reads each provider’s discovery document and keys, and checks what sign-in, introspection and proofs need. It also reads the keys, secrets and certificates that the policy names, if this is the machine of the gateway, and says what the policy does to revocations, sessions and other data of the policy that runs here. With --team, only the file of this team is checked, whatever the files of other teams contain.',
  exits: { 0: 'valid', 1: 'errors, tests that fail, warnings, or a provider that lacks something' },
  examples: [
    'meshgate validate',
    'meshgate validate policies/wiki.yaml',
    'meshgate validate --format json meshgate.yaml',
    'nginx -T | meshgate validate --nginx - meshgate.yaml',
    'meshgate validate --nginx /etc/nginx meshgate.yaml',
    'meshgate validate --online',
    'meshgate validate --team pay',
  ],
  flags: {
    ...sourceFlags,
    team: flag('NAME', 'Check only the file and the tests of this team, and read the file of no other team'),
    nginx: flag(
      'FILE',
      'A folder such as /etc/nginx, or output of nginx -T (- reads standard input): warn about directives around the rendered files that weaken them',
    ),
    nginxPrefix: flag('DIR', 'The path of the folder of --nginx on the machine of nginx, if the folder is a copy'),
    online: switchFlag('Ask each provider whether it offers what the policy requires'),
    caFile: caFileFlag,
    format: formatFlag,
  },
  args: [policyArgument],
  async run(runtime, flags, argument) {
    const { team } = flags;
    if (team !== undefined && (flags.nginx !== undefined || flags.online)) {
      throw new WrongUse('--team checks only the file of a team: leave out --nginx and --online, or --team');
    }
    if (flags.nginxPrefix !== undefined && flags.nginx === undefined)
      throw new WrongUse('--nginx-prefix needs --nginx');
    const source = { ...sourceOf(runtime, argument, flags), ...(team !== undefined && { team }) };
    if (flags.nginx === '-' && readsStdin(source))
      throw new WrongUse('only one file can come from standard input: the policy, or the file of --nginx');
    const loaded = loadPolicy(runtime, source);
    const name = sourceName(source);
    if (!('policy' in loaded)) return invalid(name, loaded);
    const pages = team === undefined ? checkPages(runtime, loaded.policy) : { errors: [] };
    if ('absent' in pages) runtime.err(`not checked: ${pages.absent} is not on this machine\n`);
    else if (pages.errors.length > 0) return invalid(name, pages.errors);
    const outcomes = runTests(loaded, runtime.now());
    const failed = outcomes.filter(({ passed }) => !passed);
    const inspection =
      flags.nginx === undefined ? undefined : inspected(runtime, loaded, flags.nginx, flags.nginxPrefix);
    if (inspection?.unread !== undefined) {
      runtime.err(`not compared with the policy: ${inspection.unread} cannot be read here\n`);
    }
    const found = flags.online ? await askProviders(runtime, loaded.policy, flags.caFile) : undefined;
    const files = flags.online
      ? [...(await fileFindings(runtime, loaded)), ...storedFindings(runtime, loaded)]
      : undefined;
    const options = team === undefined ? insecure(loaded) : [];
    const advice = ofTeam(loaded, team, adviceOf(loaded));
    const hasWarnings = (inspection?.warnings ?? []).length > 0 || hasFaults(found ?? [], files ?? []);
    return {
      code: failed.length === 0 && !hasWarnings ? YES : NO,
      value: {
        ...{ file: name, team, valid: failed.length === 0, digest: policyDigest(loaded.policy, loaded.rules) },
        ...{ errors: [], insecure: options, advice, tests: outcomes.map(outcomeJson) },
        ...{ nginx: inspection, providers: found, files },
      },
      text: (paint) =>
        [
          ...failed.map((outcome) => `${failureText(outcome)}\n`),
          ...options.map((option) => `${option}\n`),
          ...advice.map(({ at, path, text }) => `advice: ${place(at)} ${path}: ${text}\n`),
          summary(loaded, { name, team }, outcomes, paint),
          inspection === undefined ? '' : inspectionText(inspection, paint),
          found === undefined ? '' : findingsText(found, files ?? [], paint),
        ].join(''),
    };
  },
});
