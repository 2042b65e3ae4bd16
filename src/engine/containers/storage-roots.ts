import { readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

const setting =
  /^[ \t]*(?:graphroot|rootless_storage_path)[ \t]*=[ \t]*(?:"(?<double>[^"]*)"|'(?<single>[^']*)')/gm;

/**
 * Paths that an engine may have a storage's directory from, as they are written: its option --root, settings in these
 * files (containers-storage.conf(5)), and what it takes without any. undefined where one of them has a variable, or
 * where images have a place of their own (`imagestore`): then the directory's list is not the whole.
 */
export function listRoots(
  options: readonly string[],
  files: readonly string[],
  { HOME: home, XDG_DATA_HOME: data }: Environment,
): readonly string[] | undefined {
  const texts = files.map(readSettings);
  const written = texts.flatMap((text) => Array.from(text.matchAll(setting), readValue));
  if (texts.some((text) => /imagestore/i.test(text))) return undefined;
  if (written.some((path) => path.includes("$"))) return undefined;
  const given = options.flatMap((one, index) => {
    if (one === "--root") return [options[index + 1] ?? ""];
    return one.startsWith("--root=") ? [one.slice("--root=".length)] : [];
  });
  const usual = [
    ...(data ? [data] : []),
    ...(home ? [join(home, ".local/share")] : []),
    "/var/lib",
  ];
  return [...given, ...written, ...usual.map((parent) => join(parent, "containers/storage"))];
}

function readSettings(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return "";
  return readFileSync(path, "utf8");
}

function readValue({ groups }: RegExpMatchArray): string {
  return groups?.["double"] ?? groups?.["single"] ?? "";
}

/** Those of the paths that lead to this directory now: a link on the way may lead elsewhere tomorrow. */
export function listWays(paths: readonly string[], directory: string): readonly string[] {
  const place = resolve(directory);
  return place === undefined ? [] : paths.filter((path) => resolve(path) === place);
}

function resolve(path: string): string | undefined {
  try {
    return path.startsWith("/") ? realpathSync(path) : undefined;
  } catch {
    return undefined;
  }
}
