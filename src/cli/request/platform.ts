import type { WantedPlatform } from "../../oci/oci.ts";
import { listValues, usageError } from "../line/arguments.ts";
import type { BuildCommandLine } from "../line/build-line.ts";

/** --platform as it is given; undefined where it is not. Errors: `usage` for several. */
export function parsePlatform(line: BuildCommandLine): string | undefined {
  const values = listValues(line, "platform").flatMap((one) => one.split(","));
  if (values.length <= 1) return values[0];
  throw usageError(
    "only one platform can be built at a time with OUTPUT",
    "run xbuild once for each --platform",
  );
}

/** `os/arch[/variant]` in its parts. */
export function splitPlatform(text: string): WantedPlatform {
  const [os = "", architecture = "", variant] = text.split("/");
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}
