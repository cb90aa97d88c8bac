import { command, type FlagsOf, flag, formatFlag, NO, policyArgument, policyFlag, WrongUse, YES } from './context.ts';
import { ingressFlag, seenFrom } from './ingress.ts';
import { type Enforcer, hostPort, network, textOf } from './live.ts';
import { askGateway, gatewayAddress } from './live-gateway.ts';
import { askMesh } from './live-mesh.ts';
import { LiveTokens, parseTokenFlag } from './live-tokens.ts';
import { fileName, type Loaded, loadValid, policyFile } from './load.ts';
import { runTests, type TestOutcome } from './policy-tests.ts';
import type { Runtime } from './runtime.ts';
import { painter } from './style.ts';
import { isGood, reportJson, reportText } from './test-output.ts';

/** One flag `--client`: a name in the certificate, and the file. */
interface ClientFlag {
  readonly name: string;
  readonly file: string;
}

/** Parses the value NAME=FILE of `--client`. */
function parseClientFlag(text: string): ClientFlag {
  const [, name, file] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || file === undefined) throw new Error('write NAME=FILE, as in ci.example.com=ci.pem');
  return { name, file };
}

const flags = {
  gateway: flag('URL', 'Also send the tests to the running gateway at this URL; the hosts are those of the tests'),
  caFile: flag('FILE', "CA of the gateway's certificate, PEM (default: the system's)"),
  token: {
    ...flag(
      'ROLES=FILE',
      'Token of a caller with these roles; authenticated=FILE for one without roles; tests[N]=FILE for one test',
      parseTokenFlag,
    ),
    variadic: true,
  },
  client: {
    ...flag('NAME=FILE', 'Client certificate and its key, PEM, of tests with this certificate', parseClientFlag),
    variadic: true,
  },
  forwarded: {
    kind: 'boolean',
    optional: true,
    brief: 'Send the address of a test as X-Forwarded-For, if this machine is one of the trusted proxies',
  },
  mesh: flag('HOST:PORT', 'Also send the tests to the mesh ingress at this address, as each identity of the policy'),
  ingress: ingressFlag,
  root: flag('DIR', 'Folder to which the policy’s file paths are relative (default: the paths as written)'),
  policy: policyFlag,
  format: formatFlag,
} as const;

type Flags = FlagsOf<typeof flags>;

function checkUse({ gateway, mesh, ingress, caFile, token, client, forwarded, root }: Flags): void {
  if (gateway === undefined && caFile !== undefined) throw new WrongUse('--ca-file has no effect without --gateway');
  if (gateway === undefined && token !== undefined) throw new WrongUse('--token has no effect without --gateway');
  if (gateway === undefined && client !== undefined) throw new WrongUse('--client has no effect without --gateway');
  if (gateway === undefined && forwarded) throw new WrongUse('--forwarded has no effect without --gateway');
  if (mesh === undefined && ingress !== undefined) throw new WrongUse('--ingress has no effect without --mesh');
  if (mesh === undefined && root !== undefined) throw new WrongUse('--root has no effect without --mesh');
}

async function atGateway(runtime: Runtime, loaded: Loaded, outcomes: readonly TestOutcome[], flags: Flags) {
  if (flags.gateway === undefined) return [];
  const address = gatewayAddress(flags.gateway);
  const tokens = new LiveTokens(runtime, loaded.policy, flags.token ?? []);
  const ca = flags.caFile === undefined ? undefined : textOf(runtime, flags.caFile, 'the CA');
  const clients = new Map(
    (flags.client ?? []).map(({ name, file }) => [name, textOf(runtime, file, 'the client certificate')]),
  );
  const means = { ...(ca !== undefined && { ca }), forwarded: flags.forwarded === true, clients };
  return [await askGateway(network(runtime), address, loaded.policy, outcomes, tokens, means)];
}

async function atMesh(runtime: Runtime, loaded: Loaded, outcomes: readonly TestOutcome[], flags: Flags) {
  if (flags.mesh === undefined) return [];
  const seen = seenFrom(loaded, flags.ingress);
  const { mesh } = seen.policy;
  if (mesh === undefined) throw new WrongUse('the policy has no mesh: leave --mesh out');
  const address = { text: flags.mesh, root: flags.root ?? '', ...hostPort(flags.mesh, '--mesh') };
  return [await askMesh(runtime, network(runtime), seen, mesh, address, outcomes)];
}

/** `meshgate test`: runs the policy's tests offline, at the gateway, and directly at the mesh. */
export const testCommand = command({
  brief: "Run the policy's tests, also at the running gateway and at the mesh",
  text: "Runs the policy's tests by the decision that the gateway makes; with --gateway and --mesh also at the running gateway and mesh, and names the rule where they differ from the policy. The requests are real, and so are their effects. Needs Node for the network. Exit code 0: all tests pass and all agree; 1: otherwise.",
  examples: [
    'meshgate test',
    'meshgate test --gateway https://localhost:8443 --ca-file ca.pem --token editor=ada.txt --token reader=ben.txt',
    'meshgate test --mesh localhost:10443 --root ./secrets meshgate.yaml',
  ],
  flags,
  args: [policyArgument],
  async run(runtime, flags, argument) {
    checkUse(flags);
    if (flags.gateway !== undefined || flags.mesh !== undefined) network(runtime);
    const file = policyFile(argument, flags.policy);
    const loaded = loadValid(runtime, file);
    if (loaded === undefined) return NO;
    if (loaded.policy.tests.length === 0) throw new WrongUse(`${fileName(file)} has no tests`);
    const outcomes = runTests(loaded, runtime.now());
    const enforcers: Enforcer[] = [
      ...(await atGateway(runtime, loaded, outcomes, flags)),
      ...(await atMesh(runtime, loaded, outcomes, flags)),
    ];
    const report = { file: fileName(file), outcomes, enforcers };
    runtime.out(flags.format === 'json' ? reportJson(report) : reportText(report, painter(runtime)));
    return isGood(report) ? YES : NO;
  },
});
