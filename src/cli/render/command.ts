import { withoutSlashes } from '../../base/slashes.ts';
import type { At, MeshKind } from '../../policy/checked/types.ts';
import { place } from '../../policy/index.ts';
import { parseInstance } from '../../policy/schema/audit.ts';
import { writtenId } from '../../rules/enforced.ts';
import { renderSidecar } from '../../targets/ext-authz/render-sidecar.ts';
import { meshTarget, meshTargetNames } from '../../targets/index.ts';
import { ingressTargetNames } from '../../targets/ingress/index.ts';
import { emitPolicy } from '../../targets/kit/per-mesh.ts';
import { IMAGE_DIR, nginxOptions } from '../../targets/nginx/options.ts';
import { renderNginx } from '../../targets/nginx/render.ts';
import type { Emitted, Gap } from '../../targets/types.ts';
import {
  command,
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
import { type Loaded, type LoadedFile, loadValid, reasonOf, utf8 } from '../common/load.ts';
import {
  assertionJwksFlag,
  checkTogether,
  ingressFlag,
  ingressName,
  meshName,
  meshNameFlag,
  meshOptions,
  ofMesh,
} from '../common/mesh-flags.ts';
import { sourceFlags, sourceOf } from '../common/source.ts';
import type { Runtime } from '../machine/runtime.ts';
import { checkFiles } from '../validate/named-files.ts';
import { openedBy } from '../validate/stored-data.ts';
import {
  asksSidecar,
  CONTROLLER_BUNDLE,
  checkController,
  controllerFlags,
  emitController,
  isController,
  PROBE_BUNDLE,
} from './controller-flags.ts';
import { type Leftover, LIST, listedIn, replaceListed } from './written-files.ts';

const TARGETS = ['nginx', 'ext-authz', ...ingressTargetNames, ...meshTargetNames, 'policy'] as const;

const isMesh = (target: (typeof TARGETS)[number]): target is MeshKind =>
  (meshTargetNames as readonly string[]).includes(target);

/** The targets that are configurations of an nginx with the gateway's JavaScript. */
const NGINX_TARGETS = ['nginx', 'ext-authz'] as const;
const isNginx = (target: (typeof TARGETS)[number]): target is (typeof NGINX_TARGETS)[number] =>
  (NGINX_TARGETS as readonly string[]).includes(target);

/** The value of `--fail-on-gap` without a target. */
export const ANY_TARGET = 'any';

function parseGapTarget(text: string): string {
  if (text === ANY_TARGET || (TARGETS as readonly string[]).includes(text)) return text;
  throw new Error(`write --fail-on-gap, or --fail-on-gap=TARGET with one of ${TARGETS.join(', ')}`);
}

const flags = {
  target: { kind: 'enum', values: TARGETS, brief: 'The target to render for' },
  out: flag('DIR', 'Folder to write to (default: print to standard output)'),
  dir: flag('PATH', `Folder in which nginx will find the files (default: the folder of --out, else ${IMAGE_DIR})`),
  runDir: flag('PATH', 'Folder of the unix sockets (default /run/meshgate)'),
  stateDir: flag('PATH', 'Folder that keeps the providers’ keys over a restart (default /var/lib/meshgate)'),
  accessLog: flag('PATH', 'File of the JSON log (default /var/log/nginx/meshgate.log)'),
  instance: flag('NAME', 'Name of this gateway among its replicas (default: gateway.audit.instance)', parseInstance),
  resolver: {
    ...flag('IP,IP', 'DNS servers, if the policy names none (default: the servers in /etc/resolv.conf)'),
    variadic: ',',
  },
  sidecar: flag(
    'HOST:PORT',
    'Where the ingress reaches the sidecar (ext-authz, external-auth; default: a service of Kubernetes)',
  ),
  checkFiles: switchFlag('Also read the files that the policy names, and print what the gateway cannot use'),
  assertionJwks: assertionJwksFlag,
  forUpdate: switchFlag('Render the copies that decide while the objects are replaced (Linkerd)'),
  ...controllerFlags,
  meshName: meshNameFlag,
  ingress: ingressFlag,
  failOnGap: flag(
    'TARGET',
    'Exit with 1 and write nothing if there is a gap; =TARGET: only for this target',
    parseGapTarget,
  ),
  format: formatFlag,
  ...sourceFlags,
} as const;

type Flags = FlagsOf<typeof flags>;

/** The gateway's JavaScript bundles. */
const BUNDLES = ['meshgate.js', 'hop.js', 'signin.js', 'client.js', 'health.js', 'cookies.js', 'counts.js'] as const;

/** Returns the machine's DNS servers in nginx's form. The list is empty if the machine has no file that names them. */
function systemResolvers(runtime: Runtime): readonly string[] {
  let text: string | undefined;
  try {
    text = utf8(runtime.read('/etc/resolv.conf'));
  } catch {
    // This machine has no DNS. The renderer reports the consequences.
    return [];
  }
  return [...(text ?? '').matchAll(/^[ \t]*nameserver[ \t]+([0-9A-Fa-f.:]+)(?=[ \t]*$)/gm)].map(([, address = '']) =>
    address.includes(':') ? `[${address}]` : address,
  );
}

/** Renders the policy with the given options. Options of nginx have defaults. */
function emit(runtime: Runtime, loaded: LoadedFile, flags: Flags, dir: string): Emitted {
  const { policy, rules } = loaded;
  const { runDir, stateDir, accessLog, instance, resolver } = flags;
  const paths = {
    ...(runDir !== undefined && { runDir }),
    ...(stateDir !== undefined && { stateDir }),
    ...(accessLog !== undefined && { accessLog }),
  };
  if (isController(flags.target)) {
    const given = { ...paths, ...(flags.dir !== undefined && { dir }), resolver: resolver ?? [] };
    return emitController(
      flags.target,
      loaded,
      flags,
      given,
      bundles(runtime, [...BUNDLES, CONTROLLER_BUNDLE, PROBE_BUNDLE]),
    );
  }
  if (flags.target === 'policy') return { files: { 'policy.yaml': loaded.expanded() }, gaps: [] };
  if (isMesh(flags.target)) {
    const target = meshTarget(flags.target);
    checkTogether(target, flags.ingress);
    const mesh = meshName(loaded, flags.meshName, target);
    const ingress = flags.ingress && ingressName(ofMesh(loaded, flags.meshName, target), flags.ingress);
    const options = { ...meshOptions(runtime, flags.assertionJwks), ...(flags.forUpdate && { forUpdate: true }) };
    return emitPolicy(target, loaded, options, { mesh, ingress });
  }
  const own = { ...paths, ...(instance !== undefined && { instance }) };
  const options = nginxOptions({ dir, ...own, resolver: resolver ?? systemResolvers(runtime) });
  if (flags.target === 'nginx') return renderNginx(policy, rules, options);
  const sidecar = flags.sidecar === undefined ? undefined : sidecarAddress(flags.sidecar);
  return renderSidecar(policy, rules, { ...options, ...(sidecar && { sidecarAddress: sidecar }) });
}

/** Reads the address of the sidecar. It becomes a part of files for several ingresses. */
function sidecarAddress(text: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^([A-Za-z0-9][A-Za-z0-9.-]*):([1-9][0-9]{0,4})$/.exec(text) ?? [];
  if (host === undefined || Number(port) > 65535) {
    throw new WrongUse(`--sidecar ${text}: give a name or an IPv4 address and a port, as in meshgate.edge.svc:8080`);
  }
  return { host, port: Number(port) };
}

/** The address of a DNS server, perhaps with a port. */
const DNS_SERVER = /^\[?[0-9A-Fa-f:.]+\]?(:\d+)?$/;

/** Returns the flags that have an effect only for some targets: the name, the value, whether the flag has an effect, and
 * the target as the message names it. */
function limitedFlags(flags: Flags): readonly (readonly [string, unknown, boolean, string?])[] {
  const { target, form = '' } = flags;
  const mesh = isMesh(target) ? meshTarget(target) : undefined;
  const asks = asksSidecar(target, form);
  const isOfNginx = !asks && (isNginx(target) || isController(target));
  const ofNginx = {
    dir: flags.dir,
    'run-dir': flags.runDir,
    'state-dir': flags.stateDir,
    'access-log': flags.accessLog,
  };
  return [
    ...Object.entries({ ...ofNginx, resolver: flags.resolver }).map(
      ([name, value]) => [name, value, isOfNginx, asks ? form : target] as const,
    ),
    ['probe-image', flags.probeImage, isController(target)],
    ['probe-address', flags.probeAddress, isController(target)],
    ['gateway', flags.gateway, target === 'ngf'],
    ['form', flags.form, isController(target)],
    ['instance', flags.instance, isNginx(target)],
    ['check-files', flags.checkFiles, isNginx(target)],
    ['ingress', flags.ingress, mesh !== undefined, `${target}, which uses all ingresses`],
    ['mesh-name', flags.meshName, mesh !== undefined, `${target}, which uses all meshes`],
    ['assertion-jwks', flags.assertionJwks, mesh?.takesJwks === true],
    ['for-update', flags.forUpdate, mesh?.takesForUpdate === true],
    ['sidecar', flags.sidecar, target === 'ext-authz' || asks],
  ];
}

function checkFlags(flags: Flags): void {
  for (const [name, value, hasEffect, target = flags.target] of limitedFlags(flags)) {
    if (value !== undefined && !hasEffect) throw new WrongUse(`--${name} has no effect for ${target}: leave it out`);
  }
  checkController(flags.target, flags);
  const other = flags.resolver?.find((it) => !DNS_SERVER.test(it));
  if (other !== undefined) {
    throw new WrongUse(`--resolver ${other}: give IP addresses of DNS servers, as in 10.0.0.10 or [fd00::10]:53`);
  }
  const paths = { dir: flags.dir, 'run-dir': flags.runDir, 'state-dir': flags.stateDir, 'access-log': flags.accessLog };
  for (const [name, value] of Object.entries(paths)) {
    if (value !== undefined && !value.startsWith('/')) throw new WrongUse(`--${name} ${value}: give an absolute path`);
  }
}

/** Returns the files for standard output. A single file is printed as it is, and several files with their names. */
function printed(files: Emitted['files']): string {
  const entries = Object.entries(files);
  if (entries.length === 1) return String(entries[0]?.[1]);
  return entries.map(([name, text]) => `==> ${name} <==\n${text}\n`).join('');
}

/** Runs a function that writes to a path from the command line, and turns its errors into wrong use. */
function writing<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw new WrongUse(`cannot write ${path}: ${reasonOf(error)}`);
  }
}

/** Reads the JavaScript bundles from the command's folder. */
function bundles(runtime: Runtime, names: readonly string[] = BUNDLES): Record<string, Uint8Array> {
  const read = (name: string): Uint8Array => {
    try {
      return runtime.read(`${runtime.home}/${name}`);
    } catch {
      throw new WrongUse(`${runtime.home} has no ${name}: the installation is not complete`);
    }
  };
  return Object.fromEntries(names.map((name) => [name, read(name)]));
}

/** Returns the place of a gap in the policy, if it has one. */
function placeOf({ policy, rules }: Loaded): (gap: Gap) => At | undefined {
  const places = new Map(rules.map(({ id, at }) => [id, at]));
  return ({ part }) => {
    const [section, name = ''] = part.split('.');
    return (
      places.get(writtenId(part)) ??
      (section === 'services' ? policy.services[name]?.at : undefined) ??
      (section === 'mesh' ? policy.mesh?.at : undefined) ??
      (section === 'meshes' ? policy.meshes?.[name]?.at : undefined)
    );
  };
}

/** Describes the gaps for people, each with its place in the policy. */
function gapsText(loaded: Loaded, gaps: readonly Gap[]): string {
  const of = placeOf(loaded);
  const lines = gaps.map((gap) => {
    const at = of(gap);
    return `gap: ${at === undefined ? '' : `${place(at)} `}${gap.part}: ${gap.text}\n`;
  });
  return lines.join('');
}

/** What was written into a folder, and what was left there. */
interface Writing extends Leftover {
  readonly written: readonly string[];
}

/** Writes the files into a folder, and removes those that an earlier call wrote and this one does not. */
function writeFiles(runtime: Runtime, out: string, flags: Flags, files: Emitted['files']): Writing {
  const all: Record<string, string | Uint8Array> = isNginx(flags.target) ? { ...files, ...bundles(runtime) } : files;
  const listed = listedIn(runtime, out);
  for (const [name, content] of Object.entries(all)) {
    writing(`${out}/${name}`, () => runtime.write(out, name, content));
  }
  const { target, meshName, ingress } = flags;
  const part = [target, ...(meshName ? [`mesh ${meshName}`] : []), ...(ingress ? [`ingress ${ingress}`] : [])].join(
    ', ',
  );
  const left = writing(`${out}/${LIST}`, () => replaceListed(runtime, out, listed, part, all));
  return { written: Object.keys(all), ...left };
}

/** Describes what happened to the files that are no longer rendered. */
function leftoverLines(folder: string, { removed, kept }: Leftover): readonly string[] {
  const why = 'it is no longer rendered, and has changed since meshgate wrote it; remove it if nothing needs it';
  return [
    ...removed.map((name) => `removed: ${folder}/${name}: it is no longer rendered`),
    ...kept.map((name) => `kept: ${folder}/${name}: ${why}`),
  ];
}

/** `meshgate render`: renders the policy as configuration of nginx or of a mesh, or as one policy. */
export const renderCommand = command({
  brief: 'Render a policy as configuration of nginx, an ingress controller or a mesh, or as one policy',
  text: "Renders a policy. Standard error lists the gaps: what the target cannot enforce, with its place in the policy. For nginx, the gateway's JavaScript is copied next to the files: meshgate.js, hop.js, signin.js, client.js, health.js, cookies.js and counts.js. The target policy is the policy itself as one file, with its overlays, the values of its variables, and the parts that its profiles expand to. The folder of --out has a list of the written files, .meshgate-files, so that a later call removes files that are no longer rendered.",
  exits: { 1: 'the policy has errors, or there is a gap and --fail-on-gap is given' },
  examples: [
    'meshgate render --target nginx --out /etc/nginx/meshgate meshgate.yaml',
    'meshgate render --target nginx --out build --dir /etc/nginx/meshgate meshgate.yaml',
    'meshgate render --target nic --form ingress --probe-address https://nic.ingress.svc --out nic meshgate.yaml',
    'meshgate render --target envoy > envoy.yaml',
    'meshgate render --target istio --fail-on-gap --json meshgate.yaml',
    'meshgate render --target policy meshgate.yaml',
  ],
  flags,
  args: [policyArgument],
  async run(runtime, flags, argument) {
    checkFlags(flags);
    const loaded = loadValid(runtime, sourceOf(runtime, argument, flags));
    if (flags.checkFiles) {
      for (const { line } of (await checkFiles(runtime, loaded)).problems) runtime.err(`meshgate: ${line}\n`);
      const opened = openedBy(runtime, loaded, flags.stateDir);
      if (opened !== undefined) throw new Failed(opened);
    }
    const out = flags.out === undefined ? undefined : writing(flags.out, () => runtime.folder(flags.out as string));
    const emitted = emit(runtime, loaded, flags, flags.dir ?? out ?? IMAGE_DIR);
    const { files, gaps, notes = [] } = emitted;
    const isJson = flags.format === 'json';
    if (!isJson) runtime.err(gapsText(loaded, gaps) + notes.map((text) => `note: ${text}\n`).join(''));
    const fails = gaps.length > 0 && [ANY_TARGET, flags.target].includes(flags.failOnGap ?? '');
    const hasFiles = Object.keys(files).length > 0;
    const written = out !== undefined && !fails && hasFiles ? writeFiles(runtime, out, flags, files) : undefined;
    const folder = withoutSlashes(flags.out ?? '');
    const of = placeOf(loaded);
    return {
      code: fails || !hasFiles ? NO : YES,
      value: {
        target: flags.target,
        ...(written ?? { files }),
        gaps: gaps.map((gap) => ({ ...gap, at: of(gap) })),
        notes: emitted.notes,
      },
      text() {
        if (written !== undefined) return written.written.map((name) => `${folder}/${name}\n`).join('');
        return out === undefined && !fails && hasFiles ? printed(files) : '';
      },
      notes: written === undefined || isJson ? [] : leftoverLines(folder, written),
    };
  },
});
