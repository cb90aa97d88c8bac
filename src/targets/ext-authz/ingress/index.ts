import type { Files } from '../../types.ts';
import { caddyFiles } from './caddy.ts';
import { envoyFiles } from './envoy.ts';
import type { CheckInput, IngressFiles } from './kit.ts';
import { nginxFiles } from './nginx.ts';
import { envoyGatewayFiles, istioFiles } from './objects.ts';
import { traefikFiles } from './traefik.ts';

/** Headers that a check has anyway, or that only say which request it is about. */
const NOT_READ = /^(host|method|path|x-original-.*|x-forwarded-(method|uri|host)|x-meshgate-.*)$/;

/** The request headers of clients that the rendered files of the sidecar read. An ingress that lists the headers of a
 * check gets its list from here. */
export function readHeaders(files: Files): readonly string[] {
  const confs = Object.entries(files).filter(([name]) => name.endsWith('.conf'));
  const names = confs.flatMap(([, text]) => [...text.matchAll(/\$http_([a-z0-9_]+)/g)].map(([, name = '']) => name));
  return [...new Set(names.map((name) => name.replaceAll('_', '-')))].filter((name) => !NOT_READ.test(name)).sort();
}

/** The files for all kinds of ingresses. */
export function askingIngressFiles(checkInput: CheckInput): IngressFiles {
  const all = [
    nginxFiles(checkInput),
    traefikFiles(checkInput),
    caddyFiles(checkInput),
    envoyFiles(checkInput),
    envoyGatewayFiles(checkInput),
    istioFiles(checkInput),
  ];
  return {
    files: Object.assign({}, ...all.map(({ files }) => files)) as Files,
    gaps: all.flatMap(({ gaps }) => gaps),
  };
}
