/** The bill of materials: the files of dist/, and the libraries whose code is in them. */
import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';
import { sha256Hex } from './archive.ts';
import type { Bundled } from './bundled.ts';

/** What package.json says about the project. */
interface Project {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
}

/** package-lock.json: the hash of each package as the registry has it, by its folder. */
interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
}

/**
 * The bill of materials as CycloneDX JSON.
 *
 * @param dist the files of dist/ by name
 * @param seconds since the epoch: the time of the release
 */
export function sbom(
  project: Project,
  dist: Readonly<Record<string, Buffer>>,
  libraries: readonly Bundled[],
  lock: Lock,
  seconds: number,
): string {
  const parts = libraries.map((library) => ({ library, part: libraryPart(library, lock) }));
  const files = Object.entries(dist).map(([name, content]) => {
    const file = new Models.Component(Enums.ComponentType.File, `dist/${name}`, { bomRef: `dist/${name}` });
    file.hashes.set(Enums.HashAlgorithm['SHA-256'], sha256Hex(content));
    for (const { library, part } of parts) if (library.bundles.includes(name)) file.dependencies.add(part.bomRef);
    return file;
  });
  const main = new Models.Component(Enums.ComponentType.Application, project.name, {
    ...named(project.name, project.version, project.license),
    description: project.description,
  });
  for (const file of files) main.dependencies.add(file.bomRef);
  const metadata = new Models.Metadata({ component: main, timestamp: new Date(seconds * 1000) });
  metadata.lifecycles.add(Enums.LifecyclePhase.Build);
  const bom = new Models.Bom({
    metadata,
    components: new Models.ComponentRepository([...files, ...parts.map(({ part }) => part)]),
    serialNumber: `urn:uuid:${uuid(Object.values(dist).map(sha256Hex).join())}`,
  });
  const factory = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  return `${new Serialize.JsonSerializer(factory).serialize(bom, { sortLists: true, space: 2 })}\n`;
}

/** What a package has in common with the project itself. */
function named(name: string, version: string, licence: string) {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const licenses = new Models.LicenseRepository([new Models.SpdxLicense(licence)]);
  return { bomRef: purl, purl, version, licenses };
}

function libraryPart({ name, version, licence }: Bundled, lock: Lock): Models.Component {
  const { version: locked, integrity } = lock.packages[`node_modules/${name}`] ?? {};
  const hash = /^sha512-(\S+)$/.exec(integrity ?? '')?.[1];
  if (locked !== version || hash === undefined) {
    throw new Error(`${name} ${version} is bundled, and package-lock.json has ${locked ?? 'nothing'}: run npm ci`);
  }
  const [scope, short] = name.startsWith('@') ? (name.split('/') as [string, string]) : [undefined, name];
  const part = new Models.Component(Enums.ComponentType.Library, short, {
    ...named(name, version, licence),
    ...(scope !== undefined && { group: scope }),
  });
  part.hashes.set(Enums.HashAlgorithm['SHA-512'], Buffer.from(hash, 'base64').toString('hex'));
  return part;
}

/** A UUID that follows from a text, so that the same release has the same one. */
function uuid(text: string): string {
  const digits = sha256Hex(text);
  const [a, b, c, d, e] = [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 15),
    digits.slice(15, 18),
    digits.slice(18, 30),
  ];
  return `${a}-${b}-8${c}-8${d}-${e}`;
}
