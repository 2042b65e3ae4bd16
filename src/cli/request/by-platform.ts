import type { Engine } from "../../engine/engine.ts";
import type { CliIo } from "../io.ts";
import { isSet, usageError } from "../line/arguments.ts";
import { type BuildCommandLine, hostPlatform } from "../line/build-line.ts";
import { type Parsed, resolveFor } from "./parsed.ts";
import { listPlatforms, withPlatform } from "./platform.ts";

/** A command line, and what its file means: for the platform that the line names. */
export interface PlatformLine {
  readonly line: BuildCommandLine;
  readonly parsed: Parsed;
}

/**
 * A command line for each platform that it asks for, in the order given; itself where it names none. Errors: `usage`,
 * and of --all-platforms those of `listAllPlatforms`.
 */
export async function splitByPlatform(
  { line, parsed, engine }: PlatformLine & { readonly engine: Engine },
  io: CliIo,
): Promise<readonly PlatformLine[]> {
  return placeLines(await choosePlatforms({ line, parsed, engine }, io), { line, parsed });
}

/** The same of the platforms that the line names itself: which those of --all-platforms are, registries say. Errors: `usage` */
export function splitByNamed({ line, parsed }: PlatformLine): readonly PlatformLine[] {
  return placeLines(listNamed(line), { line, parsed });
}

function placeLines(
  platforms: readonly string[],
  { line, parsed }: PlatformLine,
): readonly PlatformLine[] {
  if (platforms.length === 0) {
    return [{ line, parsed: { ...parsed, graph: resolveFor(parsed, line, hostPlatform()) } }];
  }
  return platforms.map((platform) => ({
    line: withPlatform(line, platform),
    parsed: { ...parsed, graph: resolveFor(parsed, line, platform) },
  }));
}

async function choosePlatforms(
  { line, parsed, engine }: PlatformLine & { readonly engine: Engine },
  io: CliIo,
): Promise<readonly string[]> {
  const given = listNamed(line);
  if (!isSet(line, "all-platforms")) return given;
  const { listAllPlatforms } = await import("./all-platforms.ts");
  return listAllPlatforms(line, { parsed, engine }, io);
}

function listNamed(line: BuildCommandLine): readonly string[] {
  const given = listPlatforms(line);
  if (isSet(line, "all-platforms") && given.length > 0)
    throw usageError("--platform and --all-platforms cannot be given together", "give one of them");
  return given;
}

/** The error for a target that only some platforms make with OUTPUT. */
export function lacksOutput({ line }: Pick<PlatformLine, "line">): Error {
  const [platform] = listPlatforms(line);
  if (platform === undefined) return usageError("the target has no OUTPUT");
  return usageError(
    `the target has no OUTPUT for ${platform}`,
    "build the platforms whose target has one together, and the others by themselves",
  );
}
