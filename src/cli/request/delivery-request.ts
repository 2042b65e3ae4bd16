import { isRegistry, parseReference, type ImageReference } from "../../copy/copy.ts";
import type { Engine } from "../../engine/engine.ts";
import type { DeliveryRequest, Destination, ListRequest } from "../../delivery/delivery.ts";
import { isLocalName, parseImageName, type ImageName } from "../../oci/oci.ts";
import type { CliIo } from "../io.ts";
import { isSet, lastValue, listValues, usageError } from "../line/arguments.ts";
import type { BuildCommandLine } from "../line/build-line.ts";
import { refuseValue } from "../line/values.ts";
import { parseDestination } from "./destination.ts";
import { listPushedNames } from "./registries.ts";

/** What a command line says of where the image goes. Errors: `usage`, `name-invalid`, `output-destination`. */
export async function createDeliveryRequest(
  line: BuildCommandLine,
  { engine }: { readonly engine: Pick<Engine, "isElsewhere"> },
  io: CliIo,
): Promise<DeliveryRequest> {
  const names = listValues(line, "tag").map((text) => parseImageName(text));
  const outputs = listValues(line, "output");
  const list = parseList(line, names);
  const pushes = listPushes(line, names, list);
  const destinations = outputs
    .filter((text) => !isRegistry(text))
    .map((text) => parseDestination(text, io.cwd));
  assertFiles(destinations);
  if (destinations.length > 0) (await import("./places.ts")).assertPlaces(destinations);
  const others = destinations.length + pushes.length + (list?.push === undefined ? 0 : 1);
  return {
    names,
    pushes,
    destinations,
    ...(list === undefined ? {} : { list }),
    load: wantsLoad(line, {
      names: names.length + (list === undefined ? 0 : 1),
      // What is elsewhere has no storage of ours: the image goes to the daemon of this machine where that is asked for.
      isDefault: others === 0 && !engine.isElsewhere,
    }),
    format: parseFormat(line),
  };
}

/** An image of chosen layers goes elsewhere by other words: what an engine would write is another image. Errors: `usage` */
function assertFiles(destinations: readonly Destination[]): void {
  for (const one of destinations) {
    const type = one.kind === "files" ? /(?:^|,)type=([^,]*)/.exec(one.text)?.[1] : undefined;
    if (type === undefined || type === "local" || type === "tar") continue;
    throw usageError(
      `-o type=${type} is not known here`,
      "give --push, -o oci:DIR, -o oci-archive:FILE or -o docker-archive:FILE; type=local and type=tar write files",
    );
  }
}

/** --manifest. Its list is pushed where its name says a registry. Errors: `usage`, `name-invalid` */
function parseList(line: BuildCommandLine, names: readonly ImageName[]): ListRequest | undefined {
  const text = lastValue(line, "manifest");
  if (text === undefined) return undefined;
  const name = parseImageName(text);
  if (names.some(({ full }) => full === name.full)) {
    throw usageError(
      `${text} cannot be the name of an image (-t) and that of a list (--manifest)`,
      "leave -t out: the image is in the list",
    );
  }
  const isPushed = isSet(line, "push") && (names.length === 0 || !isLocalName(name.full));
  return { name, push: isPushed ? listPushedNames([name])[0] : undefined };
}

/** Errors: `usage` for an archive that has no place for an index. */
export function assertRoomForSeveral({ destinations }: DeliveryRequest): void {
  const archive = destinations.find(({ kind }) => kind === "docker-archive");
  if (archive === undefined || archive.kind === "files") return;
  throw usageError(
    `-o docker-archive:${archive.path}: such an archive cannot have the images of several platforms`,
    "write oci-archive:FILE, or build one --platform at a time",
  );
}

function listPushes(
  line: BuildCommandLine,
  names: readonly ImageName[],
  list: ListRequest | undefined,
): readonly ImageReference[] {
  const isNamed = names.length > 0 || list === undefined;
  const pushed = isSet(line, "push") && isNamed ? listPushedNames(names) : [];
  const outputs = listValues(line, "output").filter(isRegistry);
  const all = [...pushed, ...outputs.map((text) => parseReference(text))];
  return [...new Map(all.map((one) => [one.text, one])).values()];
}

/** The engine's storage is where an image goes that goes nowhere else. */
function wantsLoad(
  line: BuildCommandLine,
  { names, isDefault }: { readonly names: number; readonly isDefault: boolean },
): boolean {
  if (!isSet(line, "load")) return names > 0 && isDefault && !isSet(line, "no-load");
  if (isSet(line, "no-load")) throw usageError("--load and --no-load cannot be given together");
  if (names > 0) return true;
  throw usageError("--load needs a name for the image", "give it one with -t");
}

function parseFormat(line: BuildCommandLine): DeliveryRequest["format"] {
  const format = lastValue(line, "format") ?? "oci";
  if (format === "oci" || format === "docker") return format;
  throw refuseValue("--format", format, ["oci", "docker"]);
}
