import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseContainerfile, resolveStages } from "../../containerfile/containerfile.ts";
import { splitName } from "../../oci/oci.ts";
import type { PassOptions } from "../model.ts";
import type { GivenCredentials } from "./docker-config.ts";

/** A command line without the flags that say credentials, and these, each `--name=value`. */
export interface SplitWords {
  readonly words: readonly string[];
  readonly flags: readonly string[];
}

/** Docker's client has no flags like them. */
export function takeCredentials(args: readonly string[]): SplitWords {
  const words: string[] = [];
  const flags: string[] = [];
  const rest = args[Symbol.iterator]();
  for (const word of rest) {
    if (/^--(?:creds|authfile)=/.test(word)) flags.push(word);
    else if (word === "--creds" || word === "--authfile")
      flags.push(`${word}=${rest.next().value ?? ""}`);
    else words.push(word);
  }
  return { words, flags };
}

/** The last value of a flag in a command line that is otherwise the client's affair. */
function findAll(words: readonly string[], names: readonly string[]): readonly string[] {
  return words.flatMap((word, at) => {
    const name = names.find((one) => word === one || word.startsWith(`${one}=`));
    if (name === undefined) return [];
    return [word === name ? (words[at + 1] ?? "") : word.slice(name.length + 1)];
  });
}

/** The registries that a build without OUTPUT names, in its file and for its image, where credentials for them were said. */
export async function describeCredentials(
  { words, flags }: SplitWords,
  input: PassOptions["input"],
): Promise<GivenCredentials> {
  if (!flags.some((one) => one.startsWith("--creds="))) return { flags, hosts: [] };
  const file = findAll(words, ["--file", "-f"]).at(-1);
  const bytes = await readBuildFile(file, input).catch(() => undefined);
  const pairs = findAll(words, ["--build-arg"]).map((word): [string, string] => {
    const [name = ""] = word.split("=", 1);
    return [name, word === name ? (process.env[name] ?? "") : word.slice(name.length + 1)];
  });
  const images = bytes === undefined ? [] : listImages(bytes, new Map(pairs));
  const tags = findAll(words, ["--tag", "-t"]);
  return { flags, hosts: [...images, ...tags].map((one) => splitName(one).host) };
}

/** The text of a file, or what stands for it. */
export function readBuildFile(
  file: string | undefined,
  input: PassOptions["input"],
): Promise<Uint8Array> {
  const isInput = file === undefined || file === "-";
  if (!isInput || input === undefined) return readFile(resolve(file ?? "Containerfile"));
  return input instanceof Uint8Array ? Promise.resolve(input) : readFile(input.path);
}

function listImages(bytes: Uint8Array, buildArgs: ReadonlyMap<string, string>): readonly string[] {
  const platform = "linux/amd64";
  const { stages } = resolveStages(parseContainerfile(bytes, ""), {
    buildArgs,
    buildContexts: new Set(),
    targetPlatform: platform,
    buildPlatform: platform,
  });
  return stages
    .flatMap(({ base, uses }) => [base].concat(uses.map((one) => one.reference)))
    .flatMap((one) => (one.kind === "image" ? [one.name] : []));
}
