import { join } from "node:path";
import { rootCertificates } from "node:tls";
import type { Environment, RegistryAccess } from "./access.ts";
import { homeDirectory, listNames, readText } from "./files.ts";

/** What node:tls takes, in PEM. */
export interface Certificates {
  /** All that are trusted: Node's and the system's own, and the registry's. */
  readonly ca: readonly string[];
  /** Client certificates and, in the same order, their keys. */
  readonly cert: readonly string[];
  readonly key: readonly string[];
}

/** Where systems keep what they trust: Debian, Fedora, openSUSE, Alpine. */
const systemBundles = [
  "etc/ssl/certs/ca-certificates.crt",
  "etc/pki/tls/certs/ca-bundle.crt",
  "etc/ssl/ca-bundle.pem",
  "etc/ssl/cert.pem",
];

/**
 * The certificates for a registry, `host[:port]` as users write it. containers-certs.d(5); the first
 * directory that exists counts alone (containers/image, `dockerCertDir`). Files that cannot be read, and
 * client certificates without a key, are left out.
 * @param root stands before /etc
 */
export async function readCertificates(
  registry: string,
  access: RegistryAccess,
  root = "/",
): Promise<Certificates> {
  const directory = access.certDir ?? (await findDirectory(registry, access.env, root));
  const own = directory === undefined ? { ca: [], cert: [], key: [] } : await read(directory);
  // Node's option replaces what it trusts by itself.
  const ca = [...rootCertificates, ...(await readSystemBundle(access.env, root)), ...own.ca];
  return { ...own, ca };
}

async function findDirectory(
  registry: string,
  env: Environment,
  root: string,
): Promise<string | undefined> {
  const parents = [
    join(homeDirectory(env), ".config/containers/certs.d"),
    join(root, "etc/containers/certs.d"),
    join(root, "etc/docker/certs.d"),
  ];
  for (const parent of parents) {
    const directory = join(parent, registry);
    if ((await listNames(directory)) !== undefined) return directory;
  }
  return undefined;
}

async function read(directory: string): Promise<Certificates> {
  const names = (await listNames(directory)) ?? [];
  const withSuffix = (suffix: string): readonly string[] =>
    names.filter((name) => name.endsWith(suffix)).map((name) => join(directory, name));
  const authorities = await Promise.all(withSuffix(".crt").map(readText));
  const pairs = await Promise.all(withSuffix(".cert").map(readPair));
  return {
    ca: authorities.filter((text) => text !== undefined),
    cert: pairs.flatMap(({ cert }) => cert),
    key: pairs.flatMap(({ key }) => key),
  };
}

async function readPair(path: string): Promise<Pick<Certificates, "cert" | "key">> {
  const cert = await readText(path);
  const key = await readText(path.replace(/\.cert$/, ".key"));
  return cert === undefined || key === undefined
    ? { cert: [], key: [] }
    : { cert: [cert], key: [key] };
}

/** $SSL_CERT_FILE stands in its place, as it does for skopeo (Go's crypto/x509). */
async function readSystemBundle(env: Environment, root: string): Promise<readonly string[]> {
  const chosen = env["SSL_CERT_FILE"];
  const paths = chosen ? [chosen] : systemBundles.map((path) => join(root, path));
  for (const path of paths) {
    const text = await readText(path);
    if (text !== undefined) return [text];
  }
  return [];
}
