/** The paths of the rendered files, and of the files that they name. All paths are absolute. */
export interface NginxOptions {
  /** The folder of the rendered files and of meshgate.js. */
  readonly dir: string;
  /** The folder of the unix sockets. Only nginx's group may enter it. */
  readonly runDir: string;
  /** The folder in which the workers keep the keys of providers over a restart. */
  readonly stateDir: string;
  /** The file of the JSON log. */
  readonly accessLog: string;
  /** The name of this gateway among its replicas, instead of the one in the policy. */
  readonly instance?: string;
  /** The DNS servers of the machine, for a policy that names none. They are IP addresses, with a port if it is not
   * 53. */
  readonly resolver: readonly string[];
  /** Set if an ingress controller renders the servers of the hosts and includes the files (server/controller.ts).
   * `ownServers`: the files have their own servers for the hosts. */
  readonly inController?: { readonly ownServers?: true };
  /** The CA bundle for providers and services without their own CA. */
  readonly systemCa: string;
  /** Set if nginx only answers the checks of another ingress, which sends the requests to the services itself. */
  readonly sidecar?: true;
}

/** The folder of the rendered files in the image. */
export const IMAGE_DIR = '/run/meshgate/conf';

/** Fills in the defaults of the image and the documentation. Only `dir` is required. */
export function nginxOptions(options: Pick<NginxOptions, 'dir'> & Partial<NginxOptions>): NginxOptions {
  return {
    runDir: '/run/meshgate',
    stateDir: '/var/lib/meshgate',
    accessLog: '/var/log/nginx/meshgate.log',
    resolver: [],
    systemCa: '/etc/ssl/certs/ca-certificates.crt',
    ...options,
  };
}
