/** The places of the rendered files and of the files that they name. All paths are absolute. */
export interface NginxOptions {
  /** Folder of the rendered files themselves, and of meshgate.js. */
  readonly dir: string;
  /** Folder of the unix sockets; only nginx's group may enter it. */
  readonly runDir: string;
  /** Folder where the workers keep the providers' keys over a restart. */
  readonly stateDir: string;
  /** File of the JSON log. */
  readonly accessLog: string;
  /** DNS servers of the machine, for a policy that names none. Addresses, with a port if it is not 53. */
  readonly resolver: readonly string[];
  /** CA bundle for providers and services without their own. */
  readonly systemCa: string;
}

/** The defaults of the image and the documentation; only `dir` is required. */
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
