/** The part of a node and of the controllers that the tests need: Docker runs the pods that the API server has. */
import { chmodSync, chownSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { docker, runId, runLabel } from '../../harness/docker.ts';
import { execIn } from '../../harness/exec.ts';
import { gatewayImage } from '../../harness/images.ts';
import { type Stage, until } from '../../harness/index.ts';
import type { Kube, KubeObject } from '../lab/index.ts';
import { hasObjects, type Volume, writeVolume } from './volumes.ts';

interface Container {
  readonly name: string;
  readonly image: string;
  /** Of an init container: it runs beside the others, and ends after them. */
  readonly restartPolicy?: 'Always';
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: FromPod }[];
  readonly volumeMounts: readonly Mount[];
  readonly securityContext: {
    readonly readOnlyRootFilesystem: boolean;
    readonly allowPrivilegeEscalation: boolean;
    readonly capabilities: { readonly drop: readonly string[] };
  };
  readonly resources: { readonly limits: { readonly memory: string } };
  readonly readinessProbe?: { readonly exec: { readonly command: readonly string[] } };
}

interface FromPod {
  readonly fieldRef: { readonly fieldPath: string };
}

interface Mount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
}

export interface PodSpec {
  readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number; readonly fsGroup: number };
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
}

interface Workload extends KubeObject {
  readonly spec: {
    readonly replicas: number;
    readonly serviceName?: string;
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
    readonly template: { readonly spec: PodSpec };
  };
}

/** A pod that Docker runs. */
export class Pod {
  readonly name: string;
  readonly id: string;
  readonly address: string;
  readonly spec: PodSpec;
  /** The containers that run beside it, by their names. */
  readonly beside: ReadonlyMap<string, string>;
  /** The folders of this machine that are its volumes. */
  readonly volumes: ReadonlyMap<string, string>;

  constructor(of: Pick<Pod, 'name' | 'id' | 'address' | 'spec' | 'beside' | 'volumes'>) {
    this.name = of.name;
    this.id = of.id;
    this.address = of.address;
    this.spec = of.spec;
    this.beside = of.beside;
    this.volumes = of.volumes;
  }

  /** Ends it as the kubelet does: the containers beside it get their signal when it has ended. Returns the exit codes. */
  async end(): Promise<readonly string[]> {
    const codes: string[] = [];
    for (const id of [this.id, ...[...this.beside.values()].reverse()]) {
      await docker('stop', '--time', '20', id);
      codes.push(await docker('wait', id));
    }
    return codes;
  }

  log(): Promise<string> {
    return docker('logs', this.id);
  }

  /** Waits until the command of its readiness probe succeeds. */
  async ready(): Promise<void> {
    const command = this.spec.containers[0]?.readinessProbe?.exec.command ?? ['true'];
    let reported = '';
    const requested = async () => {
      const { exitCode, stdout, stderr } = await this.exec(...command);
      reported = stdout + stderr;
      return exitCode === 0;
    };
    await until(requested, { what: `"${command.join(' ')}" to succeed`, help: () => reported });
  }

  exec(...command: string[]) {
    return execIn(this.id, command);
  }
}

export class Node {
  readonly #kube: Kube;
  readonly #stage: Stage;
  readonly #folder: string;
  readonly #namespace: string;
  readonly #mounted: { readonly volume: Volume; readonly folder: string; readonly group: number }[] = [];
  readonly #pods: string[] = [];
  #count = 0;

  /** @param folder for volumes; the containers' users must be able to enter it */
  constructor(kube: Kube, stage: Stage, namespace: string, folder: string) {
    this.#kube = kube;
    this.#stage = stage;
    this.#namespace = namespace;
    this.#folder = folder;
  }

  /** Starts all pods of a Deployment or StatefulSet. */
  async start(kind: 'Deployment' | 'StatefulSet', name: string): Promise<Pod[]> {
    const { spec } = (await this.#read('apps/v1', kind, name)) as Workload;
    const indexes = Array.from({ length: spec.replicas }, (_, index) => index);
    return Promise.all(
      indexes.map((index) => {
        const pod = `${name}-${index}`;
        const claims = (spec.volumeClaimTemplates ?? []).map(({ metadata }) => ({
          name: metadata.name,
          persistentVolumeClaim: { claimName: `${metadata.name}-${pod}` },
        }));
        const names =
          spec.serviceName === undefined ? [] : [`${pod}.${spec.serviceName}.${this.#namespace}.svc.cluster.local`];
        const { template } = spec;
        return this.#run({ ...template.spec, volumes: [...template.spec.volumes, ...claims] }, pod, names);
      }),
    );
  }

  /** Says that all pods of a Deployment are ready, as its controller does. */
  async report(name: string): Promise<void> {
    const { spec, metadata } = (await this.#read('apps/v1', 'Deployment', name)) as Workload;
    const { replicas } = spec;
    const { generation } = metadata as unknown as { readonly generation: number };
    await this.#kube.applyStatus({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: this.#namespace },
      status: {
        observedGeneration: generation,
        ...{ replicas, updatedReplicas: replicas, readyReplicas: replicas, availableReplicas: replicas },
      },
    });
  }

  /** Waits for a Job, runs its pod, and says how it ended. */
  async runJob(name: string): Promise<{ readonly passed: boolean; readonly log: string }> {
    // An earlier Job of this name, which failed, is there until Helm deletes it.
    const waiting = async () => {
      const found = await this.#read('batch/v1', 'Job', name);
      return (found as { status?: { conditions?: unknown } } | undefined)?.status?.conditions === undefined && found;
    };
    const job = await until(waiting, { what: `the Job ${name}`, everyMs: 100 });
    const { spec } = (job as Workload).spec.template;
    const before = this.#mounted.length;
    const pod = await this.#run(spec, name, []);
    const passed = (await docker('wait', pod.id)) === '0';
    const log = await pod.log();
    // It has ended, and its ConfigMap goes with it.
    this.#mounted.splice(before);
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const condition = (type: string) => ({
      ...{ type, status: 'True', lastProbeTime: now, lastTransitionTime: now },
      ...(passed ? {} : { reason: 'BackoffLimitExceeded', message: 'the pod failed' }),
    });
    const end = passed
      ? { succeeded: 1, completionTime: now, conditions: [condition('SuccessCriteriaMet'), condition('Complete')] }
      : { failed: 1, conditions: [condition('FailureTarget'), condition('Failed')] };
    await this.#kube.applyStatus({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name, namespace: this.#namespace },
      status: { startTime: now, ...end },
    });
    return { passed, log };
  }

  /** Brings the files of all pods up to date, as the kubelet does within a minute. */
  async refresh(): Promise<void> {
    for (const { volume, folder, group } of this.#mounted) {
      await writeVolume(this.#kube, { namespace: this.#namespace, folder, group }, volume);
    }
  }

  /** Removes all pods. */
  async stop(): Promise<void> {
    if (this.#pods.length > 0) await docker('rm', '--force', '--volumes', ...this.#pods.splice(0));
  }

  #read(apiVersion: string, kind: string, name: string) {
    return this.#kube.read({ apiVersion, kind, metadata: { name, namespace: this.#namespace } });
  }

  /** Everything that the pod says becomes options of `docker run`; what it does not know is an error. */
  async #run(spec: PodSpec, name: string, names: readonly string[]): Promise<Pod> {
    const [container] = spec.containers;
    const init = spec.initContainers ?? [];
    if (container === undefined || spec.containers.length > 1 || init.some((it) => it.restartPolicy !== 'Always'))
      throw new Error(`${name}: only one container can run here, with others that run beside it`);
    const volumes = new Map<string, string>();
    const beside = new Map<string, string>();
    // In a pod, they share the network of the gateway. None of them needs it.
    for (const it of init)
      beside.set(it.name, await this.#start(spec, it, { name, volumes, options: ['--network', 'none'] }));
    const network = ['--network', this.#stage.network.getName(), ...names.flatMap((it) => ['--network-alias', it])];
    const id = await this.#start(spec, container, { name, volumes, options: network });
    const address = await docker('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', id);
    return new Pod({ name, id, address, spec, beside, volumes });
  }

  /** Starts one container of a pod. */
  async #start(
    spec: PodSpec,
    container: Container,
    of: { readonly name: string; readonly volumes: Map<string, string>; readonly options: readonly string[] },
  ): Promise<string> {
    const { name } = of;
    const { runAsUser, runAsGroup, fsGroup } = spec.securityContext;
    const { securityContext, resources } = container;
    // The API server leaves an empty value out.
    const textOf = ({ value = '', valueFrom }: NonNullable<Container['env']>[number]) =>
      valueFrom === undefined ? value : valueFrom.fieldRef.fieldPath === 'metadata.name' ? name : undefined;
    const options = [
      ...['--user', `${runAsUser}:${runAsGroup}`, '--group-add', String(fsGroup)],
      ...(securityContext.readOnlyRootFilesystem ? ['--read-only'] : []),
      ...(securityContext.allowPrivilegeEscalation ? [] : ['--security-opt', 'no-new-privileges']),
      ...securityContext.capabilities.drop.flatMap((it) => ['--cap-drop', it]),
      ...['--memory', resources.limits.memory.replace('i', '').toLowerCase()],
      ...['--env', 'KUBERNETES_SERVICE_HOST=10.96.0.1'],
      ...(container.env ?? []).flatMap((it) => {
        const value = textOf(it);
        if (value === undefined) throw new Error(`${name}: the variable ${it.name} cannot be made here`);
        return ['--env', `${it.name}=${value}`];
      }),
      ...(await this.#mounts(spec, container, of)),
      ...of.options,
    ];
    const here = container.image.startsWith('meshgate/gateway:') ? gatewayImage : container.image;
    const words = (list: readonly string[] = []) => list.map((it) => it.replaceAll('$(POD_NAME)', name));
    const [entrypoint, ...rest] = words(container.command);
    const id = await docker(
      ...['run', '--detach', '--label', `${runLabel}=${runId()}`, '--no-healthcheck', ...options],
      ...(entrypoint === undefined ? [] : ['--entrypoint', entrypoint]),
      ...[here, ...rest, ...words(container.args)],
    );
    this.#pods.push(id);
    return id;
  }

  async #mounts(
    spec: PodSpec,
    container: Container,
    { name, volumes }: { readonly name: string; readonly volumes: Map<string, string> },
  ): Promise<string[]> {
    const group = spec.securityContext.fsGroup;
    const all = [...(spec.initContainers ?? []), ...spec.containers];
    const isShared = (volume: string) =>
      all.flatMap((it) => it.volumeMounts).filter((it) => it.name === volume).length > 1;
    const options: string[] = [];
    for (const { name: mounted, mountPath, subPath = '', readOnly } of container.volumeMounts) {
      const volume = spec.volumes.find((it) => it.name === mounted);
      if (volume === undefined) throw new Error(`${name}: no volume ${mounted}`);
      const isEmpty = volume.emptyDir !== undefined || volume.persistentVolumeClaim !== undefined;
      if (isEmpty && isShared(mounted)) {
        const folder = volumes.get(mounted) ?? this.#newFolder(mounted, group);
        volumes.set(mounted, folder);
        if (subPath !== '') this.#makeFolder(join(folder, subPath), group);
        options.push('-v', `${join(folder, subPath)}:${mountPath}${readOnly ? ':ro' : ''}`);
      } else if (volume.emptyDir?.medium === 'Memory') {
        options.push('--tmpfs', `${mountPath}:uid=0,gid=${group},mode=2777`);
      } else if (volume.persistentVolumeClaim !== undefined) {
        options.push('--mount', `type=tmpfs,destination=${mountPath},tmpfs-mode=1777`);
      } else if (hasObjects(volume)) {
        const folder = join(this.#folder, `${++this.#count}-${mounted}`);
        mkdirSync(folder, { mode: 0o755 });
        await writeVolume(this.#kube, { namespace: this.#namespace, folder, group }, volume);
        this.#mounted.push({ volume, folder, group });
        options.push('-v', `${folder}:${mountPath}${readOnly ? ':ro' : ''}`);
      } else {
        throw new Error(`${name}: the volume ${mounted} cannot be made here`);
      }
    }
    return options;
  }

  #newFolder(volume: string, group: number): string {
    const folder = join(this.#folder, `${++this.#count}-${volume}`);
    this.#makeFolder(folder, group);
    return folder;
  }

  /** A folder as the kubelet makes it for a pod with an fsGroup. */
  #makeFolder(folder: string, group: number): void {
    if (existsSync(folder)) return;
    mkdirSync(folder, { recursive: true });
    chownSync(folder, 0, group);
    chmodSync(folder, 0o2775);
  }
}
