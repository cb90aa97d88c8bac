/** The part of a node and of the controllers that the tests need: Docker runs the pods that the API server has. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { docker, runId, runLabel } from '../../harness/docker.ts';
import { execIn } from '../../harness/exec.ts';
import { gatewayImage } from '../../harness/images.ts';
import { type Stage, until } from '../../harness/index.ts';
import type { Kube, KubeObject } from '../lab/index.ts';
import { hasObjects, type Volume, writeVolume } from './volumes.ts';

interface Container {
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly securityContext: {
    readonly readOnlyRootFilesystem: boolean;
    readonly allowPrivilegeEscalation: boolean;
    readonly capabilities: { readonly drop: readonly string[] };
  };
  readonly resources: { readonly limits: { readonly memory: string } };
  readonly readinessProbe?: { readonly exec: { readonly command: readonly string[] } };
}

export interface PodSpec {
  readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number; readonly fsGroup: number };
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
  readonly id: string;
  readonly address: string;
  readonly spec: PodSpec;

  constructor(id: string, address: string, spec: PodSpec) {
    this.id = id;
    this.address = address;
    this.spec = spec;
  }

  log(): Promise<string> {
    return docker('logs', this.id);
  }

  /** Waits until the command of its readiness probe succeeds. */
  async ready(): Promise<void> {
    const command = this.spec.containers[0]?.readinessProbe?.exec.command ?? ['true'];
    let said = '';
    const asked = async () => {
      const { exitCode, stdout, stderr } = await this.exec(...command);
      said = stdout + stderr;
      return exitCode === 0;
    };
    await until(asked, { what: `"${command.join(' ')}" to succeed`, help: () => said });
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

  /** Everything that the pod says becomes an option of `docker run`; what it does not know is an error. */
  async #run(spec: PodSpec, name: string, names: readonly string[]): Promise<Pod> {
    const { runAsUser, runAsGroup, fsGroup } = spec.securityContext;
    const [container] = spec.containers;
    if (container === undefined || spec.containers.length > 1)
      throw new Error(`${name}: only one container can run here`);
    const { securityContext, resources } = container;
    const options = [
      ...['--user', `${runAsUser}:${runAsGroup}`, '--group-add', String(fsGroup)],
      ...(securityContext.readOnlyRootFilesystem ? ['--read-only'] : []),
      ...(securityContext.allowPrivilegeEscalation ? [] : ['--security-opt', 'no-new-privileges']),
      ...securityContext.capabilities.drop.flatMap((it) => ['--cap-drop', it]),
      ...['--memory', resources.limits.memory.replace('i', '').toLowerCase()],
      ...['--env', 'KUBERNETES_SERVICE_HOST=10.96.0.1', '--env', `POD_NAME=${name}`],
      ...(container.env ?? []).flatMap((it) => (it.value === undefined ? [] : ['--env', `${it.name}=${it.value}`])),
      ...(await this.#mounts(spec, container, name)),
      ...names.flatMap((it) => ['--network-alias', it]),
    ];
    const here = container.image.startsWith('meshgate/gateway:') ? gatewayImage : container.image;
    const words = (list: readonly string[] = []) => list.map((it) => it.replaceAll('$(POD_NAME)', name));
    const [entrypoint, ...rest] = words(container.command);
    const id = await docker(
      ...['run', '--detach', '--label', `${runLabel}=${runId()}`, '--no-healthcheck'],
      ...['--network', this.#stage.network.getName(), ...options],
      ...(entrypoint === undefined ? [] : ['--entrypoint', entrypoint]),
      ...[here, ...rest, ...words(container.args)],
    );
    this.#pods.push(id);
    const address = await docker('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', id);
    return new Pod(id, address, spec);
  }

  async #mounts(spec: PodSpec, container: Container, name: string): Promise<string[]> {
    const group = spec.securityContext.fsGroup;
    const options: string[] = [];
    for (const { name: mounted, mountPath, readOnly } of container.volumeMounts) {
      const volume = spec.volumes.find((it) => it.name === mounted);
      if (volume === undefined) throw new Error(`${name}: no volume ${mounted}`);
      if (volume.emptyDir?.medium === 'Memory') {
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
}
