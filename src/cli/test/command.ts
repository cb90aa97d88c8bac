import {
  command,
  type FlagsOf,
  flag,
  formatFlag,
  NO,
  policyArgument,
  several,
  WrongUse,
  YES,
} from '../common/context.ts';
import { type Loaded, loadValid, readText } from '../common/load.ts';
import { ingressFlag, meshNameFlag, ofMesh, seenFrom } from '../common/mesh-flags.ts';
import { network } from '../common/provider.ts';
import { sourceFlags, sourceName, sourceOf } from '../common/source.ts';
import { runTests, type TestOutcome } from '../decide/policy-tests.ts';
import type { Ask } from '../machine/http.ts';
import type { Runtime } from '../machine/runtime.ts';
import { askGateway, type Enforcer, gatewayAddress, hostPort, LiveTokens, parseTokenFlag } from './at-gateway.ts';
import { askMesh } from './at-mesh.ts';
import { isGood, resultsJson, resultsText } from './text.ts';

/** Parses the value NAME=FILE of `--client`. */
function parseClientFlag(text: string) {
  const [, name, file] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || file === undefined) throw new Error('write NAME=FILE, as in ci.example.com=ci.pem');
  return { name, file };
}

const flags = {
  gateway: flag('URL', 'Also send the tests to the running gateway at this URL, with the host names of the tests'),
  caFile: flag('FILE', "CA of the gateway's certificate, PEM (default: the system's)"),
  token: several(
    flag(
      'ROLES=FILE',
      'Token of a caller with these roles; authenticated=FILE: without roles; tests[N]=FILE: for one test',
      parseTokenFlag,
    ),
  ),
  client: several(
    flag('NAME=FILE', 'Client certificate and its key, PEM, of tests with this certificate', parseClientFlag),
  ),
  forwarded: {
    kind: 'boolean',
    optional: true,
    brief: 'Send the address of a test as X-Forwarded-For, if this machine is one of the trusted proxies',
  },
  mesh: flag('HOST:PORT', 'Also send the tests to the mesh ingress at this address, as each identity of the policy'),
  meshName: meshNameFlag,
  ingress: ingressFlag,
  root: flag('DIR', 'Folder to which the policy’s file paths are relative (default: the paths as written)'),
  ...sourceFlags,
  format: formatFlag,
} as const;

type Flags = FlagsOf<typeof flags>;

/** Flags that have an effect only with another flag. */
const WITH = {
  gateway: { 'ca-file': 'caFile', token: 'token', client: 'client', forwarded: 'forwarded' },
  mesh: { 'mesh-name': 'meshName', ingress: 'ingress', root: 'root' },
} as const;

function checkUse(flags: Flags): void {
  for (const where of ['gateway', 'mesh'] as const) {
    if (flags[where] !== undefined) continue;
    for (const [name, key] of Object.entries<keyof Flags>(WITH[where])) {
      if (flags[key] !== undefined && flags[key] !== false)
        throw new WrongUse(`--${name} has no effect without --${where}`);
    }
  }
}

/** Sends the tests to the gateway and to the mesh that the flags name. */
async function enforcers(runtime: Runtime, ask: Ask, loaded: Loaded, outcomes: readonly TestOutcome[], flags: Flags) {
  const { gateway, caFile, forwarded = false, client = [], token = [], mesh, meshName, ingress, root = '' } = flags;
  const all: Enforcer[] = [];
  if (gateway !== undefined) {
    const address = gatewayAddress(gateway);
    const tokens = new LiveTokens(runtime, loaded.policy, token);
    const ca = caFile === undefined ? undefined : readText(runtime, caFile, 'the CA');
    const read = (file: string) => readText(runtime, file, 'the client certificate');
    const clients = new Map(client.map(({ name, file }) => [name, read(file)]));
    const means = { ...(ca !== undefined && { ca }), forwarded, clients };
    all.push(await askGateway(ask, address, loaded.policy, outcomes, tokens, means));
  }
  if (mesh !== undefined) {
    const seen = seenFrom(ofMesh(loaded, meshName), ingress);
    const address = { text: mesh, root, ...hostPort(mesh, '--mesh') };
    all.push(await askMesh(runtime, ask, seen, address, outcomes));
  }
  return all;
}

/** `meshgate test`: runs the policy's tests offline, at the gateway, and directly at the mesh. */
export const testCommand = command({
  brief: "Run the policy's tests, also at the running gateway and at the mesh",
  text: "Runs the policy's tests with the code that decides in the gateway. With --gateway and --mesh, it also sends them to the running gateway and mesh, and names the rule where these differ from the policy. These requests are real, and so are their effects. Needs Node for the network.",
  exits: { 0: 'all tests pass and all results agree', 1: 'otherwise' },
  examples: [
    'meshgate test',
    'meshgate test --gateway https://localhost:8443 --ca-file ca.pem --token editor=ada.txt --token reader=ben.txt',
    'meshgate test --mesh localhost:10443 --root ./secrets meshgate.yaml',
  ],
  flags,
  args: [policyArgument],
  async run(runtime, flags, argument) {
    checkUse(flags);
    const isLive = flags.gateway !== undefined || flags.mesh !== undefined;
    const ask = isLive ? network(runtime, 'test', '--gateway and --mesh need') : undefined;
    const source = sourceOf(runtime, argument, flags);
    const loaded = loadValid(runtime, source);
    if (loaded.policy.tests.length === 0) throw new WrongUse(`${sourceName(source)} has no tests`);
    const outcomes = runTests(loaded, runtime.now());
    const results = {
      file: sourceName(source),
      outcomes,
      enforcers: ask === undefined ? [] : await enforcers(runtime, ask, loaded, outcomes, flags),
    };
    return {
      code: isGood(results) ? YES : NO,
      value: resultsJson(results),
      text: (paint) => resultsText(results, paint),
    };
  },
});
