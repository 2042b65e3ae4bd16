import { parsePlatform, renderPlatform, type WantedPlatform } from "../../oci/oci.ts";
import { isSet, lastValue, listValues, usageError } from "../line/arguments.ts";
import { type BuildCommandLine, hostPlatform } from "../line/build-line.ts";

/** `os/arch[/variant]` in its parts, as it is written. */
export function splitPlatform(text: string): WantedPlatform {
  const [os = "", architecture = "", variant] = text.split("/");
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/**
 * --platform's values, each in its one form (`linux/x86_64` is `linux/amd64`) and once; none where it is not given.
 * Errors: `usage` for what is no platform.
 */
export function listPlatforms(line: BuildCommandLine): readonly string[] {
  return [...new Set(listWritten(line).map(normaliseText))];
}

/** The same as they are written, whatever they are. */
export function listWritten(line: BuildCommandLine): readonly string[] {
  const given = listValues(line, "platform").flatMap((one) => one.split(","));
  return given.map((one) => one.trim());
}

function normaliseText(text: string): string {
  const platform = parsePlatform(text, splitPlatform(hostPlatform()));
  if (platform !== undefined) return renderPlatform(platform);
  throw usageError(
    `--platform: "${text}" is not a platform`,
    "write OS/ARCHITECTURE in Go's words, such as linux/amd64 or linux/arm/v7",
  );
}

/** The platform of a line that names one or none. Errors: `usage` */
export function findPlatform(line: BuildCommandLine): string | undefined {
  return listPlatforms(line)[0];
}

/** The first platform, as well as it can be told: what is wrong with it is said elsewhere. */
export function guessPlatform(line: BuildCommandLine): string {
  const text = lastValue(line, "platform")?.split(",")[0];
  if (text === undefined) return hostPlatform();
  const platform = parsePlatform(text, splitPlatform(hostPlatform()));
  return platform === undefined ? text : renderPlatform(platform);
}

/** The same command line for one platform. */
export function withPlatform(line: BuildCommandLine, platform: string): BuildCommandLine {
  const others = line.flags.filter(({ spec }) => !names.has(spec.name));
  const spec = { name: "platform", kind: "value", role: "own", ours: false } as const;
  const flag = { spec, value: platform, words: [`--platform=${platform}`] };
  return { ...line, flags: [...others, flag] };
}

const names = new Set(["platform", "all-platforms"]);

/** Whether a line asks for more than the image of one platform. Errors: `usage` */
export function asksForSeveral(line: BuildCommandLine): boolean {
  return isSet(line, "all-platforms") || listPlatforms(line).length > 1;
}
