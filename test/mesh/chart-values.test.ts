/** No value of the chart becomes more than text: hostile values render the same objects as harmless ones. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { describeWith } from '../harness/needs.ts';
import { CHART, type Given, helm, lacksHelm } from './chart/helm.ts';
import { sealed, sessions, TOKENS } from './chart/values.ts';
import { readObjects } from './lab/index.ts';

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
}

type Tree = { [key: string]: unknown };

const SCHEMA = JSON.parse(readFileSync(`${CHART}/values.schema.json`, 'utf8')) as Schema;

/** It ends a text in quotes, a flow mapping and a line, and begins a key. */
const HOSTILE = 'x", y: [z], {w: v} } #u\n  injected: true\n- \'t"\\ {{ .Release.Name }}';

/** Values that select what is rendered, and names from which others are composed: each has a test of its own. */
const CHOOSES = /^(svid\.source|etcd\.tls\.source|probes|nameOverride|fullnameOverride|policy|policyFiles|overlays)$/;

const has = ({ type }: Schema, wanted: string): boolean => [type].flat().includes(wanted);

/** A value for each text and number of a schema, made from its path. */
function valuesOf(schema: Schema, text: (path: string) => string, path = ''): unknown {
  if (CHOOSES.test(path) || has(schema, 'boolean')) return undefined;
  if (schema.items !== undefined || has(schema, 'array')) {
    const item = schema.items && valuesOf(schema.items, text, `${path}[]`);
    return item === undefined || (typeof item === 'object' && Object.keys(item as Tree).length === 0)
      ? undefined
      : [item];
  }
  if (schema.properties !== undefined) {
    const below = Object.entries(schema.properties).map(
      ([key, value]) => [key, valuesOf(value, text, path === '' ? key : `${path}.${key}`)] as const,
    );
    return Object.fromEntries(below.filter(([, value]) => value !== undefined));
  }
  if (has(schema, 'object')) {
    return typeof schema.additionalProperties === 'object' ? { [`/${text(`${path} key`)}`]: text(path) } : undefined;
  }
  return text(path);
}

/** `over` replaces values; `undefined` removes them. */
function merged(base: unknown, over: Tree): Tree {
  const all = { ...(base as Tree) };
  for (const [key, value] of Object.entries(over)) {
    const isTree = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (value === undefined) delete all[key];
    else all[key] = isTree ? merged(all[key] ?? {}, value as Tree) : value;
  }
  return all;
}

const PLAIN = {
  replicas: undefined,
  autoscaling: undefined,
  state: { existingClaim: undefined },
  svid: { identities: undefined },
  etcd: { members: 3, tls: { serverSecret: undefined, clientSecret: undefined } },
};

/** What the policies and the values that choose ask for, with all other values of the schema. */
const FORMS: Readonly<Record<string, (text: (path: string) => string) => { policy: string; over: Tree }>> = {
  'a volume of your own, SVIDs from SPIRE, metrics': (text) => ({
    policy: sessions().replace('gateway: {', 'gateway: { health: { listen: 8081 },'),
    over: {
      state: { existingClaim: text('state.existingClaim') },
      svid: { source: 'spire', identities: { [`/${text('folder')}`]: text('hint') } },
      metrics: { serviceMonitor: { enabled: true }, rules: { enabled: true }, dashboard: { enabled: true } },
    },
  }),
  'the volume of the chart': () => ({ policy: sessions(), over: {} }),
  'etcd with certificates that the chart makes': () => ({ policy: sessions(), over: { etcd: { enabled: true } } }),
  'etcd with certificates of cert-manager': () => ({
    policy: sessions(),
    over: { etcd: { enabled: true, tls: { source: 'cert-manager' } } },
  }),
  'etcd with Secrets, an SVID from cert-manager': (text) => ({
    policy: sessions(),
    over: {
      svid: { source: 'cert-manager', path: `/${text('svid.path')}` },
      etcd: { enabled: true, tls: { source: 'secrets', serverSecret: text('server'), clientSecret: text('client') } },
    },
  }),
  'a sealed log': (text) => ({
    policy: sealed(`log: ${JSON.stringify(`/srv/${text('log')}/a`)}, folder: ${JSON.stringify(`/srv/${text('f')}`)}`),
    over: {},
  }),
  autoscaling: (text) => ({
    policy: TOKENS,
    over: { autoscaling: { enabled: true, minReplicas: text('a'), maxReplicas: text('b'), cpuUtilization: text('c') } },
  }),
};

const template = (given: Given) =>
  helm(['template', 'gw', CHART, '--namespace', 'edge', '--skip-schema-validation'], given);

/** The objects of a form. Certificates that the chart makes differ in each run. */
function objects(form: string, text: (path: string) => string): string {
  const { policy, over } = FORMS[form]?.(text) ?? { policy: '', over: {} };
  const files = [
    { path: `/${text('files.path')}`, secret: text('files.secret'), items: { [text('key')]: text('file') } },
  ];
  const maps = [{ path: `/${text('files.path')}`, configMap: text('files.configMap') }];
  const base = merged(merged(valuesOf(SCHEMA, text), PLAIN), {
    files: [...files, ...maps],
    clusterDomain: 'cluster.local',
  });
  const { status, stdout, stderr } = template({ policy, values: merged(base, over) });
  if (status !== 0) throw new Error(stderr);
  const secrets = form.includes('the chart makes') ? ['Secret'] : [];
  return JSON.stringify(readObjects(stdout).filter(({ kind }) => !secrets.includes(kind)));
}

describeWith(lacksHelm(), 'hostile values', () => {
  test.each(Object.keys(FORMS))('render what harmless ones render: %s', (form) => {
    const harmless = objects(form, (path) => `harmless ${path} harmless`);
    const hostile = objects(form, (path) => `${HOSTILE} ${path} harmless`);
    const inJson = JSON.stringify(HOSTILE).slice(1, -1);
    expect(hostile.split(inJson).length).toBeGreaterThan(10);
    const sorted = (text: string) =>
      JSON.parse(text.replaceAll(inJson, 'harmless').replaceAll(JSON.stringify(inJson).slice(1, -1), 'harmless'));
    expect(sorted(hostile)).toEqual(JSON.parse(harmless));
  });

  test.each(['nameOverride', 'fullnameOverride'])('%s is the name of a Service, or an error', (key) => {
    for (const name of [HOSTILE, 'a b', 'Wiki', 'a: b', 'a.b', 'a/b']) {
      const { status, stderr } = template({ policy: TOKENS, values: { [key]: name } });
      expect([name, status, stderr]).toEqual([name, 1, expect.stringContaining('cannot be the name of a Service')]);
    }
  });

  test('a file of the policy has a path without spaces, or is an error', () => {
    for (const path of [HOSTILE, 'a b.yaml', 'a"b', 'a: b']) {
      const { status, stderr } = template({
        policy: TOKENS,
        values: { policyFiles: { [path]: 'x: 1' }, overlays: [path] },
      });
      expect([path, status, stderr]).toEqual([path, 1, expect.stringContaining('write a path below /etc/meshgate')]);
    }
  });

  test.each(['svid.source', 'etcd.tls.source', 'probes', 'image.pullPolicy', 'service.type'])(
    '%s has one of its values, or the schema is not met',
    (path) => {
      const values = path.split('.').reduceRight<unknown>((below, key) => ({ [key]: below }), HOSTILE) as Tree;
      const { status, stderr } = helm(['template', 'gw', CHART], { policy: TOKENS, values });
      expect([status, stderr]).toEqual([
        1,
        expect.stringContaining("values don't meet the specifications of the schema"),
      ]);
    },
  );
});
