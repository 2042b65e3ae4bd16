import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { XbuildError } from "../errors.ts";
import {
  type Annotations,
  digestBytes,
  digestHex,
  type Manifest,
  ociManifestType,
  parseManifest,
  type WantedPlatform,
} from "../oci/oci.ts";
import type { TransportAccess } from "./access.ts";
import { createRegistryError, isLoopback } from "../registry/registry.ts";
import { createInvalid } from "./failures.ts";
import { makeLayout, readManifestDigest, writePlaceholders } from "./layout.ts";
import { acceptsAnything, findPolicyFault } from "./policy.ts";
import { type ImageReference, isRegistry, registryOf } from "./reference.ts";
import { copyImage } from "./skopeo.ts";

export interface JudgeOptions {
  readonly access: TransportAccess;
  readonly signal?: AbortSignal | undefined;
  /** Which entry of a manifest list is meant, where the reference names one. */
  readonly platform?: WantedPlatform;
  /** A directory to be made and removed; one of the system's for what passes unless given. */
  readonly scratch?: string;
}

/**
 * Lets skopeo judge an image in a registry by the policy that is in force (containers-policy.json(5)): `skopeo copy`
 * reads only what the policy accepts, under the very name that the user gave. It copies into a layout in which every layer stands already as a placeholder, so no layer is moved. Where the policy
 * accepts everything, nothing is asked. Idempotent.
 * @param manifestBytes what was read under that name: of a list, the platform's entry
 * Errors: `policy-rejected`; `registry-settings` for a policy that cannot be read; `registry-corrupt` where another
 * image than the one that was read was judged; those of `copyImage`.
 */
export async function assertAccepted(
  reference: ImageReference,
  manifestBytes: Uint8Array,
  options: JudgeOptions,
): Promise<void> {
  if (await acceptsAnything(options.access.env)) return;
  const directory = options.scratch ?? (await mkdtemp(join(tmpdir(), "xbuild-policy-")));
  try {
    const manifest = parseManifest(manifestBytes);
    const blobs = await makeLayout(directory);
    await writePlaceholders(blobs, manifest.layers, options.signal);
    await copyManifest({ reference, manifest }, directory, options);
    const judged = await readManifestDigest(directory);
    if (judged === digestBytes(manifestBytes)) return;
    const converted = await readFile(join(blobs, digestHex(judged)));
    assertSame(reference, manifest, parseManifest(converted));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface JudgedImage {
  readonly reference: ImageReference;
  readonly manifest: Manifest;
}

async function copyManifest(
  { reference, manifest }: JudgedImage,
  directory: string,
  { access, platform, signal }: JudgeOptions,
): Promise<void> {
  // A layout has no manifests of Docker's: those become OCI's.
  const how = manifest.mediaType === ociManifestType ? {} : { keepLayers: true };
  const what = `read ${reference.text}`;
  const common = { access, what, signal, timeout: access.timeout, ...how };
  const options = platform === undefined ? common : { ...common, platform };
  const copy = (by: TransportAccess): Promise<void> =>
    copyImage(reference.text, `oci:${directory}:judged`, { ...options, access: by });
  try {
    // It has just been read: what keeps skopeo from it a second time is the policy, or what the policy is.
    await copy(access).catch(() => copy(findPlainer(reference, access)));
  } catch (error) {
    signal?.throwIfAborted();
    throw await explainVerdict(error, access);
  }
}

/** What has been read of a registry on this machine may have come over plain HTTP, for nobody's credentials. */
function findPlainer({ text }: ImageReference, access: TransportAccess): TransportAccess {
  const isOwn = isRegistry(text) && isLoopback(new URL(`https://${registryOf(text)}`));
  if (!isOwn || access.tlsVerify !== undefined) return access;
  const { creds: _, authFile: __, ...others } = access;
  return { ...others, tlsVerify: false, isAnonymous: true };
}

async function explainVerdict(error: unknown, { env }: TransportAccess): Promise<unknown> {
  if (!(error instanceof XbuildError)) return error;
  const fault = await findPolicyFault(env);
  if (fault !== undefined) return createRegistryError("settings", `${error.message} (${fault})`);
  return new XbuildError("policy-rejected", error.message, { hint: policyHint, cause: error });
}

const policyHint =
  "see skopeo's message: have it signed by a key that the policy asks for, or allow it in policy.json (containers-policy.json(5))";

/** A manifest of Docker's as OCI's has another digest. It says no more than which config and layers are meant. */
function assertSame(reference: ImageReference, read: Manifest, judged: Manifest): void {
  const isConverted = read.mediaType !== ociManifestType && listParts(read) === listParts(judged);
  if (isConverted && ![read, read.config, ...read.layers].some(isAnnotated)) return;
  if (isConverted) throw createInvalid("a Docker manifest cannot have annotations");
  const message = `${reference.text}: the policy judged another image than the one that was read`;
  throw createRegistryError("corrupt", message);
}

function listParts({ config, layers }: Manifest): string {
  return [config, ...layers].map(({ digest, size }) => `${digest} ${size}`).join("\n");
}

function isAnnotated({ annotations }: { readonly annotations?: Annotations }): boolean {
  return annotations !== undefined;
}
