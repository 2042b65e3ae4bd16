import { isRegistry, parseReference, type ImageReference } from "../../copy/copy.ts";
import type { DeliveryRequest } from "../../delivery/delivery.ts";
import { parseImageName, type ImageName } from "../../oci/oci.ts";
import type { CliIo } from "../io.ts";
import { isSet, lastValue, listValues, usageError } from "../line/arguments.ts";
import type { BuildCommandLine } from "../line/build-line.ts";
import { parseDestination } from "./destination.ts";
import { listPushedNames } from "./registries.ts";

/** What a command line says of where the image goes. Errors: `usage`, `name-invalid`, `output-destination`. */
export async function createDeliveryRequest(
  line: BuildCommandLine,
  io: CliIo,
): Promise<DeliveryRequest> {
  const names = listValues(line, "tag").map((text) => parseImageName(text));
  const outputs = listValues(line, "output");
  const pushes = listPushes(line, names);
  const destinations = outputs
    .filter((text) => !isRegistry(text))
    .map((text) => parseDestination(text, io.cwd));
  if (destinations.length > 0) (await import("./places.ts")).assertPlaces(destinations);
  const others = destinations.length + pushes.length;
  return {
    names,
    pushes,
    destinations,
    load: wantsLoad(line, names.length, others),
    format: parseFormat(line),
  };
}

function listPushes(
  line: BuildCommandLine,
  names: readonly ImageName[],
): readonly ImageReference[] {
  const pushed = isSet(line, "push") ? listPushedNames(names) : [];
  const outputs = listValues(line, "output").filter(isRegistry);
  const all = [...pushed, ...outputs.map((text) => parseReference(text))];
  return [...new Map(all.map((one) => [one.text, one])).values()];
}

/** The engine's storage is where an image goes that goes nowhere else. */
function wantsLoad(line: BuildCommandLine, names: number, others: number): boolean {
  if (!isSet(line, "load")) return names > 0 && others === 0 && !isSet(line, "no-load");
  if (isSet(line, "no-load")) throw usageError("--load and --no-load cannot be given together");
  if (names > 0) return true;
  throw usageError("--load needs a name for the image", "give it one with -t");
}

function parseFormat(line: BuildCommandLine): DeliveryRequest["format"] {
  const format = lastValue(line, "format") ?? "oci";
  if (format === "oci" || format === "docker") return format;
  throw usageError(`--format cannot be ${format}: use oci or docker`);
}
