import { toYaml } from '../../base/yaml.ts';
import { hash } from '../../rules/hash.ts';
import { marksOf } from '../kit/kubernetes-objects.ts';
import { objectName } from '../kit/owner.ts';
import { YAML_HEAD } from '../kit/yaml.ts';

/** The probe: a CronJob that asks each route without a credential, and fails if a service answers. */

export interface ProbeOptions {
  /** What to ask: a URL for each route that needs a credential. */
  readonly urls: readonly string[];
  /** The image with Node. */
  readonly image: string;
  /** The address of the controller, `https://HOST:PORT`; absent: what the names of the hosts resolve to in the cluster. */
  readonly address?: string | undefined;
  /** The text of the program, which takes the arguments of `meshgate status`. */
  readonly program: string;
}

const PROGRAM = 'status.mjs';
const CA = 'ca.crt';

/** The longest name of a CronJob: the names of its Jobs are 11 characters longer. */
const LONGEST = 52;

function cronJobName(owner: string): string {
  const name = objectName(owner, 'probe');
  return name.length <= LONGEST ? name : `${name.slice(0, LONGEST - 17).replace(/(?<!-)-+$/, '')}-${hash(name)}`;
}

function objectsOf(owner: string, { urls, image, address, program }: ProbeOptions) {
  const labels = marksOf(owner);
  const name = cronJobName(owner);
  const programs = objectName(owner, 'probe', hash(program).slice(0, 10));
  const ca = objectName(owner, 'probe', 'ca');
  const container = {
    name: 'status',
    image,
    command: ['node', `/meshgate/${PROGRAM}`],
    args: [...(address === undefined ? [] : ['--gateway', address]), ...urls],
    // If the file is missing, Node knows only the public CAs. It would warn each time.
    env: [
      { name: 'NODE_EXTRA_CA_CERTS', value: `/ca/${CA}` },
      { name: 'NODE_NO_WARNINGS', value: '1' },
    ],
    resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '256Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'program', mountPath: '/meshgate', readOnly: true },
      { name: 'ca', mountPath: '/ca', readOnly: true },
    ],
  };
  const pod = {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [container],
    volumes: [
      { name: 'program', configMap: { name: programs } },
      { name: 'ca', configMap: { name: ca, optional: true } },
    ],
  };
  const job = { backoffLimit: 0, activeDeadlineSeconds: 270, template: { metadata: { labels }, spec: pod } };
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: programs, labels },
      immutable: true,
      data: { [PROGRAM]: program },
    },
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name, labels },
      spec: {
        schedule: '*/5 * * * *',
        concurrencyPolicy: 'Forbid',
        startingDeadlineSeconds: 240,
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 3,
        jobTemplate: { metadata: { labels }, spec: job },
      },
    },
  ];
}

/** Renders the probe as the text of a file. */
export function probeFile(owner: string, options: ProbeOptions): string {
  const ca = objectName(owner, 'probe', 'ca');
  const head = `# A probe from inside the cluster, every five minutes. A failed Job is the alarm: a service answered without a
# credential, or there was no answer. For a certificate of your own CA, create the ConfigMap ${ca}
# with the CA in ${CA}.
`;
  return YAML_HEAD + head + objectsOf(owner, options).map(toYaml).join('---\n');
}
