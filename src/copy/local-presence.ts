import { stat } from "node:fs/promises";
import { join } from "node:path";
import { hubHost, isJsonObject, normaliseRepository, splitName, tryParseJson } from "../oci/oci.ts";
import { ifPresent } from "../system/errno.ts";

/**
 * Whether a reference to somewhere on this machine names what is not there, by our own look. What cannot be found out so
 * counts as there: whoever reads it will say what is wrong. containers-transports(5)
 */
export async function isAbsent(text: string): Promise<boolean> {
  const [transport = ""] = text.split(":", 1);
  const rest = text.slice(transport.length + 1);
  if (transport === "containers-storage") return lacksImage(rest);
  if (transport === "docker-daemon") return lacksDaemonImage(rest);
  if (transport === "dir") return lacks(join(rest, "manifest.json"));
  if (!/^(?:oci-archive|docker-archive|sif|tarball)$/.test(transport)) return false;
  return lacks(rest.split(":", 1)[0] ?? "");
}

/** Where skopeo looks for the daemon, whatever DOCKER_HOST says. */
const daemonSocket = "/var/run/docker.sock";

/** The daemon's own answer. Docker Engine API v1.40, "Inspect an image" */
async function lacksDaemonImage(name: string): Promise<boolean> {
  const { request } = await import("node:http");
  const path = `/images/${encodeURI(name)}/json`;
  return new Promise((settle) => {
    const asked = request({ socketPath: daemonSocket, path, timeout: 10_000 }, (response) => {
      response.resume();
      settle(response.statusCode === 404);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => settle(false));
    asked.end();
  });
}

async function lacks(path: string): Promise<boolean> {
  return (await ifPresent(stat(path))) === undefined;
}

/** An engine lists what its storage has. A name with a digest is one of many, which only skopeo can tell. */
async function lacksImage(rest: string): Promise<boolean> {
  const { options, name } = splitStorage(rest);
  const images = name.includes("@sha256:") ? undefined : await listImages(options);
  if (images === undefined) return false;
  const id = name.replace(/^@/, "");
  const full = completeName(name);
  return !images.some((one) => one.names.includes(full) || one.id.startsWith(id));
}

/** `[driver@root+runroot:options]` before the name, of which all but the root may be missing. */
function splitStorage(rest: string): {
  readonly options: readonly string[];
  readonly name: string;
} {
  const end = rest.startsWith("[") ? rest.indexOf("]") : -1;
  if (end === -1) return { options: [], name: rest };
  const [place = ""] = rest.slice(1, end).split(":", 1);
  const [driver, roots] = cut(place, place.indexOf("@"));
  const [root = "", runroot = ""] = roots.split("+");
  const flags = Object.entries({ "storage-driver": driver, root, runroot });
  const options = flags.flatMap(([flag, value]) => (value ? [`--${flag}=${value}`] : []));
  return { options, name: rest.slice(end + 1) };
}

/** What stands before a place, and behind it; all behind it where that is none. */
function cut(text: string, at: number): readonly [string, string] {
  return at === -1 ? ["", text] : [text.slice(0, at), text.slice(at + 1)];
}

interface StoredImage {
  readonly id: string;
  readonly names: readonly string[];
}

/** As buildah lists them, else podman; undefined where neither can. */
async function listImages(options: readonly string[]): Promise<readonly StoredImage[] | undefined> {
  const { execa } = await import("execa");
  const lists = [
    ["buildah", "images", "--all", "--no-trunc", "--json"],
    ["podman", "images", "--all", "--no-trunc", "--format=json"],
  ] as const;
  for (const [program, ...words] of lists) {
    const result = await execa(program, [...options, ...words], { reject: false, stdin: "ignore" });
    if (result.exitCode === 0) return parseImages(result.stdout);
  }
  return undefined;
}

function parseImages(text: string): readonly StoredImage[] | undefined {
  const list = tryParseJson(text);
  // An empty list is null for Go.
  if (list === null) return [];
  if (!Array.isArray(list)) return undefined;
  return list.filter(isJsonObject).map(({ id, Id, names, Names }) => {
    const [ownId, ownNames] = [id ?? Id, names ?? Names];
    return {
      id: typeof ownId === "string" ? ownId.replace(/^sha256:/, "") : "",
      names: Array.isArray(ownNames) ? ownNames : [],
    };
  });
}

/** The name that a short one stands for here is Docker Hub's. containers/image, `storage` */
function completeName(text: string): string {
  const { host, path, tag = "latest" } = splitName(text);
  const { registry, repository } = normaliseRepository(host ?? hubHost, path);
  return `${registry}/${repository}:${tag}`;
}
