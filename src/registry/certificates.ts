import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ifPresent } from "../system/errno.ts";
import type { Environment, RegistryAccess } from "./access.ts";
import { createRegistryError } from "./failures.ts";
import { exists, homeDirectory, listNames, readText } from "./files.ts";

/** What node:tls takes, in PEM. */
export interface Certificates {
  /** All that are trusted: the system's own, and the registry's. */
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
 * directory that exists counts alone (containers/image, `dockerCertDir`).
 * @param root stands before /etc
 * @throws for a file that cannot be read, and for a client certificate or a key without the other: so does skopeo
 */
export async function readCertificates(
  registry: string,
  access: RegistryAccess,
  root = "/",
): Promise<Certificates> {
  const { env, certDir } = access;
  const known = readBefore.get(env) ?? new Map<string, Promise<Certificates>>();
  readBefore.set(env, known);
  const place = JSON.stringify([registry, certDir, root]);
  const read = known.get(place) ?? readOnce(registry, access, root);
  known.set(place, read);
  return read;
}

/** A command opens several clients of a registry, and hundreds of certificates may be trusted. */
const readBefore = new WeakMap<Environment, Map<string, Promise<Certificates>>>();

async function readOnce(
  registry: string,
  access: RegistryAccess,
  root: string,
): Promise<Certificates> {
  const directory = access.certDir ?? (await findDirectory(registry, access.env, root));
  const own = directory === undefined ? { ca: [], cert: [], key: [] } : await read(directory);
  // They replace what Node trusts by itself, which is not what the machine's owner does.
  return { ...own, ca: [...(await readSystem(access.env, root)), ...own.ca] };
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
    if (await exists(directory)) return directory;
  }
  return undefined;
}

async function read(directory: string): Promise<Certificates> {
  const names = (await listNames(directory)) ?? [];
  const cut = (suffix: string): readonly string[] =>
    names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
  const [pairs, keys] = [cut(".cert"), cut(".key")];
  const lonely = [...pairs, ...keys].find((one) => !pairs.includes(one) || !keys.includes(one));
  if (lonely !== undefined) {
    const reason = `${directory} has half of ${lonely}.cert and .key`;
    throw createRegistryError("settings", reason);
  }
  const readAll = (stems: readonly string[], suffix: string): Promise<string[]> =>
    Promise.all(stems.map((stem) => readFile(join(directory, stem + suffix), "utf8")));
  const authorities = cut(".crt").map((stem) => readAuthority(join(directory, `${stem}.crt`)));
  const ca = (await Promise.all(authorities)).flat();
  return { ca, cert: await readAll(pairs, ".cert"), key: await readAll(pairs, ".key") };
}

/** A link that leads nowhere is left out. */
async function readAuthority(path: string): Promise<readonly string[]> {
  const text = await ifPresent(readFile(path, "utf8"));
  return text === undefined ? [] : [text];
}

/** What the system trusts, and no more; these variables stand in its place, as they do for skopeo (Go's crypto/x509). */
async function readSystem(env: Environment, root: string): Promise<readonly string[]> {
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: directories } = env;
  const bundle = await readFirst(file ? [file] : systemBundles.map((path) => join(root, path)));
  if (!directories) return bundle;
  const found = await Promise.all(directories.split(":").map(readDirectory));
  return [...bundle, ...found.flat()];
}

async function readFirst(paths: readonly string[]): Promise<readonly string[]> {
  for (const path of paths) {
    const text = await readText(path);
    if (text !== undefined) return [text];
  }
  return [];
}

async function readDirectory(directory: string): Promise<readonly string[]> {
  const names = (await listNames(directory)) ?? [];
  const texts = await Promise.all(names.map((name) => readText(join(directory, name))));
  return texts.filter((text) => text !== undefined);
}
