import { engineNames } from "../../engine/engine.ts";
import type { FlagKind, FlagSpec } from "./arguments.ts";

/**
 * What becomes of a flag where a target has an OUTPUT:
 * - `own`: xbuild honours it;
 * - `step`: handed to every engine call that runs steps, and part of the up-to-date key;
 * - `access`: handed to the calls too, but it changes how something is reached and not what comes
 *   out (credentials, secrets, retries), so it is no part of the key;
 * - `cache`: handed to the calls that build the environment alone;
 * - `ignored`: accepted as the engines accept it, and without effect;
 * - `refused`: it would break the calls, or ask for something that an image of chosen layers is not.
 */
export type FlagRole = "own" | "step" | "access" | "cache" | "ignored" | "refused";

export interface BuildFlag extends FlagSpec {
  readonly role: FlagRole;
  /** Whether it is xbuild's alone: the engines have the others too. */
  readonly ours: boolean;
  readonly help?: string;
  /** Shown for the value in the help. */
  readonly value?: string;
}

/** @param spec `name`, `name/short`, with a blank and what stands for its value behind it where it takes one */
function own(spec: string, help: string): BuildFlag {
  const [names = "", value] = spec.split(" ");
  const [name = "", short] = names.split("/");
  const flag = { name, short, role: "own", ours: false, help } as const;
  return value === undefined ? { ...flag, kind: "boolean" } : { ...flag, kind: "value", value };
}

function ours(spec: string, help: string): BuildFlag {
  return { ...own(spec, help), ours: true };
}

/** The engine gets it too. */
function access(spec: string, help: string): BuildFlag {
  return { ...own(spec, help), role: "access" };
}

function list(role: FlagRole, kind: FlagKind, names: string): readonly BuildFlag[] {
  return names.split(" ").map((entry) => {
    const [name = "", short] = entry.split("/");
    return { name, short, kind, role, ours: false };
  });
}

/** Every flag of `xbuild build`. */
export const buildFlags: readonly BuildFlag[] = [
  own(
    "file/f FILE",
    "the Containerfile (default: Containerfile.x, Containerfile, Dockerfile); - is standard input",
  ),
  own("tag/t NAME", "name the image, in the store and in the engine's storage; repeatable"),
  own(
    "output/o DEST",
    "write the image to docker://NAME, oci:DIR[:NAME], oci-archive:FILE, docker-archive:FILE, or as buildah's type=local|tar,dest=PATH",
  ),
  ours("push", "push the image to the registries that its names say"),
  ours("load", "load the image into the engine's storage, also with --push or -o"),
  own(
    "cache-from IMAGE",
    "an image whose layers may be kept: in a registry, or oci:DIR, docker-archive:FILE, ...; repeatable",
  ),
  ours(
    "cache-tags GLOB",
    "of other tags of the image's repository that fit, the newest is a previous image, too; repeatable",
  ),
  ours(
    "history IMAGE",
    "an earlier image, of which layer split hears what its layers were called: in a registry, localhost/NAME, oci:DIR; with a pattern in its tag (REGISTRY/NAME:v*) all that fit; repeatable",
  ),
  ours("ignore-cache-errors", "build without a previous image that cannot be read"),
  ours(
    "trust-cache WHOM",
    "whose word on layers that are elsewhere is taken: none, named (--cache-from and the pushed tags; default) or all (what --cache-tags finds, too)",
  ),
  ours(
    "input WHICH",
    "the layers that the build finds: local (default), all (those elsewhere are fetched) or none",
  ),
  ours("env-cache-from REPO", "the engine's own --cache-from, for the environment"),
  ours("env-cache-to REPO", "the engine's own --cache-to, for the environment"),
  access("tls-verify", "ask registries for a certificate that can be trusted (default)"),
  access("creds USER[:PASS]", "what registries are told of us; better: buildah login"),
  access("authfile FILE", "where such credentials are kept"),
  access("cert-dir DIR", "certificates for registries"),
  access("retry N", "how often a request to a registry is made again (default 3)"),
  access("retry-delay TIME", "how long to wait before that, such as 2s"),
  own(
    "target STAGE",
    "build this stage (default: the last); of several, each has the -t, -o and --iidfile behind it",
  ),
  own("build-arg NAME[=VALUE]", "a build argument; without a value, the environment's"),
  ours("build-arg-file FILE", "build arguments from a file, NAME=VALUE a line"),
  ours(
    "redact NAME",
    "a build argument that is secret: no record, image or command line of the engine tells it; repeatable",
  ),
  own("build-context NAME=VALUE", "a named context: a directory, or docker-image://NAME"),
  own(
    "platform OS/ARCH",
    "the platform of the image; of several (a,b, or repeated) one image index is made",
  ),
  own("all-platforms", "all platforms that the base images are there for"),
  own("manifest NAME", "add the image to the list of this name, which is made where there is none"),
  {
    ...own("jobs N", "how many stages and platforms are built side by side (default 1; 0: all)"),
    role: "cache",
  },
  own("label KEY=VALUE", "a label of the image"),
  own("annotation KEY=VALUE", "an annotation of the manifest"),
  { ...own("pull POLICY", "always, newer, missing (default) or never"), kind: "optional" },
  own("pull-always", "the same as --pull=always"),
  own("pull-never", "the same as --pull=never"),
  own("no-cache", "build even if nothing changed, and without the engine's cache"),
  own("ignorefile FILE", "the ignore file to use"),
  own("timestamp SECONDS", "all times of the image; also SOURCE_DATE_EPOCH in the environment"),
  own("iidfile FILE", "write the image ID (the config's digest) to FILE"),
  ours("metadata-file FILE", "write names, digests and layers to FILE as JSON"),
  ours(
    "report [FORMAT:]FILE",
    "write what changed to FILE (- for standard output), as json or markdown: by its ending .json or .md, or FORMAT; repeatable",
  ),
  {
    ...own(
      "layers WHICH",
      "which layers the report lists: changes (default), all or none; true and false are the engines', without effect here",
    ),
    kind: "optional",
  },
  own("quiet/q", "print the image ID alone"),
  ours(
    "progress MODE",
    "how it is told how things go: auto (default), plain, tty, rawjson or quiet",
  ),
  own("format FORMAT", "oci (default) or docker: what the engine's storage and archives get"),
  ours("no-load", "do not load the image into the engine's storage"),
  ours(
    "keep-output DIR",
    "leave what the layering steps wrote in DIR/STAGE, also where the build fails",
  ),
  ours(
    "on-error WHAT",
    "where a step fails: fail (default), or shell, which opens one in its container",
  ),
  ours("explain", "tell why the target is built again: this file, that argument, the base"),
  ours("max-layers N", "how many layers an image may have (default 127)"),
  ours("max-layer-size SIZE", "how large a layer may be, compressed (default 10g)"),
  ours("allow-devices", "allow device files in layers"),
  ours(
    "engine NAME",
    `${engineNames.slice(0, -1).join(", ")} or ${engineNames.at(-1)} (default: the first of them that is installed)`,
  ),
  ours(
    "builder NAME[,NAME]",
    "for buildkit: an address (tcp://HOST:PORT, unix://SOCKET), or a builder of buildx; stages are spread over several",
  ),
  ours("tlscacert FILE", "for buildkit: the certificate authority of its address"),
  ours("tlscert FILE", "for buildkit: the certificate that is shown to it"),
  ours("tlskey FILE", "for buildkit: that certificate's key"),
  ours("tlsdir DIR", "for buildkit: a directory with ca.pem, cert.pem and key.pem"),
  ours("tlsservername NAME", "for buildkit: the name that its certificate must have"),
  ours("engine-arg ARG", "an option of the engine itself, before its command; repeatable"),
  own("help/h", "this text"),
  ...list(
    "step",
    "value",
    "add-host allow cap-add cap-drop cgroup-parent cgroupns cpp-flag cpu-period cpu-quota cpu-shares/c cpuset-cpus cpuset-mems device dns dns-option dns-search hooks-dir ipc isolation memory/m memory-swap network os-feature os-version pid runtime runtime-flag security-opt shm-size ulimit uts volume/v",
  ),
  ...list("step", "boolean", "http-proxy no-hosts"),
  ...list("access", "value", "decryption-key secret ssh"),
  ...list("access", "boolean", "stdin"),
  ...list("cache", "value", "cache-ttl"),
  ...list(
    "ignored",
    "boolean",
    "compress disable-compression/D disable-content-trust force-rm rm identity-label omit-history skip-unused-stages",
  ),
  ...list(
    "refused",
    "value",
    "arch cache-to env from logfile os sign-by unsetenv userns userns-gid-map userns-gid-map-group userns-uid-map userns-uid-map-user variant",
  ),
  ...list("refused", "boolean", "logsplit squash squash-all"),
];
