/** Where the rendered files and what they name will live. All paths are absolute. */
export interface NginxOptions {
  /** Directory of the rendered files themselves, and of meshgate.js. */
  readonly dir: string;
  /** Directory of the unix sockets; nginx's group may enter it and nobody else. */
  readonly runDir: string;
  /** Directory where the workers keep the providers' keys over a restart. */
  readonly stateDir: string;
  /** File of the JSON log. */
  readonly accessLog: string;
  /** DNS servers of the machine, for a policy that names none. Addresses, with a port if it is not 53. */
  readonly resolver: readonly string[];
  /** CA bundle for providers and services that have none of their own. */
  readonly systemCa: string;
}

/** Options as the image and the documentation use them; only `dir` has to be said. */
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
