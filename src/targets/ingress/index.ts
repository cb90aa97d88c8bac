import { toYaml } from '../../base/yaml.ts';
import type { Policy } from '../../policy/checked/types.ts';
import { gatewayFiles } from '../../rules/table/policy-files.ts';
import { marksOf } from '../kit/kubernetes-objects.ts';
import { ownerOf } from '../kit/owner.ts';
import { YAML_HEAD } from '../kit/yaml.ts';
import { nginxOptions } from '../nginx/options.ts';
import { renderNginx } from '../nginx/render.ts';
import { allHosts, type Context, toContext } from '../nginx/render-context.ts';
import { modulesOf } from '../nginx/route/module.ts';
import { withoutCertificate } from '../nginx/server/controller.ts';
import { mapBucket } from '../nginx/server/http-level.ts';
import type { Files, Gap } from '../types.ts';
import { type ExtAuthForm, writeExtAuth } from './ext-auth.ts';
import { commonGaps } from './gaps.ts';
import { mounted, VOLUME } from './mounted.ts';
import { ngfForms } from './ngf.ts';
import { ngfExtAuthForms } from './ngf-ext-auth.ts';
import { nicForms } from './nic.ts';
import { nicExtAuthForms } from './nic-ext-auth.ts';
import { probeFile } from './probe-job.ts';
import type { Controller, FormOutput, IngressForm, IngressOptions, IngressTarget } from './types.ts';

/** What differs between the controllers. Their nginx can write only to some folders; theirs are empty at the start of a
 * container, so no socket is left over. */
const CONTROLLERS = {
  nic: { runDir: '/var/lib/nginx', forms: nicForms, extAuth: nicExtAuthForms, bundles: ['apikey_auth.js'] },
  ngf: { runDir: '/var/run/nginx', forms: ngfForms, extAuth: ngfExtAuthForms, bundles: [] },
} as const satisfies Readonly<
  Record<
    Controller,
    {
      runDir: string;
      forms: Readonly<Record<string, IngressForm>>;
      extAuth: Readonly<Record<string, ExtAuthForm>>;
      bundles: readonly string[];
    }
  >
>;

/** The folder of the rendered files in the controller's pods. */
const DIR = '/etc/nginx/meshgate';

/** Adds the bundles that the rendered files import. */
function withBundles(files: Files, bundles: IngressOptions['bundles'], more: readonly string[]): Files {
  const text = Object.values(files).join('');
  const needed = Object.keys(bundles).filter((name) => more.includes(name) || text.includes(` from ${name};`));
  return { ...files, ...Object.fromEntries(needed.map((name) => [name, bundles[name] as string])) };
}

/** What people must mount besides the rendered files: what the policy names. */
function mountNotes({ policy, identities }: Context, ownServers: boolean): readonly string[] {
  const files = gatewayFiles(policy, identities).filter(
    ({ kind }) => kind !== 'policy' && (ownServers || kind !== 'listener'),
  );
  const paths = [...new Set(files.flatMap((file) => [file.path, 'keyPath' in file ? file.keyPath : undefined]))];
  const named = paths.filter((path) => path !== undefined);
  return named.length === 0 ? [] : [`mount these files, too, into the pods of the controller: ${named.join(', ')}`];
}

const noCertificates = (context: Context): readonly Gap[] =>
  withoutCertificate(context).map((host) => ({
    part: `hosts.${host}`,
    text: 'this host is not served, because the policy names no certificate for it; set gateway.tls or its tls to files in the pods',
  }));

/** The gaps as comments for the beginning of a file. */
const comments = (gaps: readonly Gap[]): string => gaps.map(({ part, text }) => `# gap: ${part}: ${text}\n`).join('');

/** The texts of files. Those that people apply or change contain the gaps. */
const texts = (documents: FormOutput['documents'], gaps: readonly Gap[]): Files =>
  Object.fromEntries(
    Object.entries(documents).map(([file, all]) => {
      const objects = all.map((object) => toYaml(object)).join('---\n');
      return [file, YAML_HEAD + (file === 'files.yaml' ? '' : comments(gaps)) + objects];
    }),
  );

function target(name: Controller): IngressTarget {
  const { forms, extAuth, runDir, bundles: own } = CONTROLLERS[name];
  const names = Object.keys(forms);
  return {
    name,
    forms: [...names, ...Object.keys(extAuth)],
    extAuth: Object.keys(extAuth),
    emit(policy: Policy, rules, given) {
      const { bundles, form: formName = names[0] as string, gateway, sidecar, probe, ...paths } = given;
      const owner = ownerOf(policy);
      const probes: Files = probe === undefined ? {} : { 'probe.yaml': probeFile(owner, probe) };
      const asks = (extAuth as Readonly<Record<string, ExtAuthForm>>)[formName];
      if (asks !== undefined) {
        const { documents, gaps, notes } = writeExtAuth(asks, policy, rules, { sidecar, gateway });
        return { files: { ...texts(documents, gaps), ...probes }, gaps, notes };
      }
      const form = (forms as Readonly<Record<string, IngressForm>>)[formName];
      if (form === undefined) throw new Error(`${name}: no form ${formName}`);
      const options = nginxOptions({
        ...{ dir: DIR, runDir, stateDir: paths.runDir ?? runDir, accessLog: '/dev/stdout' },
        ...paths,
        inController: form.ownServers ? { ownServers: true } : {},
      });
      const context = toContext(policy, rules, options);
      const labels = marksOf(owner);
      const rendered = renderNginx(policy, rules, options);
      const files = mounted(owner, labels, withBundles(rendered.files, bundles, own));
      const written = form.write({
        policy,
        hosts: allHosts(context).map(({ host }) => host.name),
        options,
        owner,
        labels,
        volume: files.volume,
        mounts: [{ name: VOLUME, mountPath: options.dir, readOnly: true }],
        mapBucket: mapBucket(context),
        grpc: modulesOf(context.hosts).includes('grpc'),
        gateway,
      });
      const gaps = [
        ...rendered.gaps,
        ...files.gaps,
        ...commonGaps(policy),
        ...(form.ownServers ? noCertificates(context) : []),
        ...written.gaps,
      ];
      return {
        files: { ...texts({ 'files.yaml': files.objects, ...written.documents }, gaps), ...probes },
        gaps,
        notes: [...written.notes, ...mountNotes(context, form.ownServers)],
      };
    },
  };
}

/** The controllers for which a policy can be rendered. */
export const ingressTargets: Readonly<Record<Controller, IngressTarget>> = { nic: target('nic'), ngf: target('ngf') };

/** The names of the controllers. */
export const ingressTargetNames = Object.keys(CONTROLLERS) as readonly Controller[];
