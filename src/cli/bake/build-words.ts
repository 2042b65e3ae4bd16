import { posix } from "node:path";
import { isRemoteContext } from "../request/locate.ts";
import { toLocalPath } from "./normalise.ts";
import { joinPairs } from "./csv.ts";
import { listAnnotations } from "./annotations.ts";
import { listCaches } from "./cache-words.ts";
import type { Entry, SshEntry } from "./entries.ts";
import { listOutputs } from "./output-words.ts";
import type { ResolvedTarget } from "./resolve.ts";
import { unsupported } from "./unsupported.ts";

/**
 * The words behind `xbuild build` that build a target, each flag one word with its value, the context last. The text
 * of `dockerfile-inline` is not among them: `--file=-` stands for it. A context that is another target is
 * `--build-context=NAME=target:TARGET`. Errors: `bake-unsupported` for what xbuild has nothing for.
 */
export function toBuildWords(resolved: ResolvedTarget): readonly string[] {
  const { name, target } = resolved;
  assertSupported(resolved);
  const context = readContext(resolved);
  const flags: readonly (readonly [string, readonly string[]])[] = [
    ["file", listFile(resolved, context)],
    ["target", listOne(target.target)],
    ["build-arg", listPairs(target.args)],
    ["label", listPairs(target.labels)],
    ["annotation", listAnnotations(target.annotations ?? [], name)],
    ["build-context", listContexts(target.contexts)],
    ["platform", listOne(target.platforms?.join(","))],
    ["pull", target.pull === true ? ["always"] : []],
    ["no-cache", target["no-cache"] === true ? ["true"] : []],
    ["secret", (target.secret ?? []).map((one) => joinPairs(Object.entries(one)))],
    ["ssh", (target.ssh ?? []).map(renderSsh)],
    ["network", listOne(target.network === "default" ? undefined : target.network)],
    ["shm-size", listOne(target["shm-size"])],
    ["ulimit", target.ulimits ?? []],
    ["add-host", Object.entries(target["extra-hosts"] ?? {}).map((pair) => pair.join(":"))],
    ["cache-from", listCaches(target["cache-from"] ?? [], "cache-from", name)],
    ["cache-to", listCaches(target["cache-to"] ?? [], "cache-to", name)],
  ];
  const resources = Object.entries(target.resources ?? {}).map(
    ([key, value]) => [key, [value]] as const,
  );
  const words = [...flags, ...resources].flatMap(([flag, values]) =>
    values.map((value) => `--${flag}=${value}`),
  );
  return [...words, ...listOutputs(resolved), context];
}

/** What has no flag here, and what may be done without it. */
function assertSupported({ name, target }: ResolvedTarget): void {
  const attest = (target.attest ?? []).find((one) => one["disabled"] !== "true");
  if (attest !== undefined)
    throw unsupported(name, `attest (${attest["type"]})`, "leave it out, or give it disabled=true");
  if ((target["no-cache-filter"] ?? []).length > 0)
    throw unsupported(name, "no-cache-filter", "use no-cache, for the whole target");
  const wrong = Object.keys(target.args ?? {}).find((key) => !/^[^=\s]+$/.test(key));
  if (wrong !== undefined)
    throw unsupported(
      name,
      `args with the name ${JSON.stringify(wrong)}`,
      "name arguments as ARG does",
    );
  if ((target.policy ?? []).length > 0) throw unsupported(name, "policy", "leave it out");
  if (target.call !== undefined && target.call !== "build")
    throw unsupported(
      name,
      `call=${target.call}`,
      "use xbuild check for what is wrong with a file",
    );
}

/** A path of this machine in its shortest form, or what is elsewhere. */
function readContext({ name, target }: ResolvedTarget): string {
  const { context = "." } = target;
  if (context === "-" || target.dockerfile === "-")
    throw unsupported(
      name,
      "standard input as context or dockerfile",
      "name a file or a directory",
    );
  if (isRemoteContext(context)) {
    if (target["dockerfile-inline"] === undefined) return context;
    throw unsupported(
      name,
      "dockerfile-inline with a context elsewhere",
      "use a directory as context",
    );
  }
  return context.startsWith("-") ? `./${context}` : context;
}

/** Without `dockerfile`, `build` looks for its own names, too. It is looked for in the context alone. */
function listFile({ target }: ResolvedTarget, context: string): readonly string[] {
  if (target["dockerfile-inline"] !== undefined) return ["-"];
  const file = target.dockerfile;
  if (file === undefined || file === "") return [];
  if (file.startsWith("cwd://")) return [toLocalPath(file)];
  if (posix.isAbsolute(file) || isRemoteContext(file) || isRemoteContext(context)) return [file];
  return [posix.join(context, file)];
}

function listContexts(contexts: Entry = {}): readonly string[] {
  return Object.entries(contexts).map(([name, value]) => {
    const isHere = value.startsWith("cwd://");
    return `${name}=${isHere ? toLocalPath(value) : value}`;
  });
}

function listOne(value: string | undefined): readonly string[] {
  return value === undefined || value === "" ? [] : [value];
}

function listPairs(map: Entry = {}): readonly string[] {
  return Object.entries(map).map((pair) => pair.join("="));
}

function renderSsh({ id, paths = [] }: SshEntry): string {
  return paths.length === 0 ? id : `${id}=${paths.join(",")}`;
}
