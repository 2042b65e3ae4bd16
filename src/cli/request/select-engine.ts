import { findEngine, type EngineName } from "../../engine/engine.ts";
import type { Engine } from "../../engine/engine.ts";
import { usageError } from "../line/arguments.ts";
import { lastValue, listValues, type BuildCommandLine } from "../line/build-line.ts";
import type { CliIo } from "../io.ts";

/** The engine that a command line asks for, with its options. @throws XbuildError `usage`, `engine-not-found` */
export function selectEngine(line: BuildCommandLine, io: CliIo): Engine {
  const name = lastValue(line, "engine");
  if (name !== undefined && name !== "buildah" && name !== "podman") {
    throw usageError(`--engine cannot be ${name}: use buildah or podman`);
  }
  const options = listValues(line, "engine-arg");
  const engine = findEngine(name satisfies EngineName | undefined, options, io.env["PATH"]);
  const runtime = lastValue(line, "runtime");
  if (engine.name !== "podman" || runtime === undefined) return engine;
  // podman build has no --runtime: it is an option of podman itself.
  return findEngine("podman", [...options, `--runtime=${runtime}`], io.env["PATH"]);
}
