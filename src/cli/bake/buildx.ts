import { XbuildError } from "../../errors.ts";
import { maxDocumentSize } from "../../oci/oci.ts";
import { captureProgram } from "../../system/capture-program.ts";
import { limitText } from "../../text.ts";
import type { CliIo } from "../io.ts";
import { type BakeDocument, readBakeDocument } from "./document.ts";
import type { BakeFile } from "./load.ts";

/** What buildx is asked for: words of `docker buildx bake` that decide what is built, and how. */
export interface BuildxRequest {
  readonly files: readonly BakeFile[];
  readonly flags: readonly string[];
  readonly names: readonly string[];
}

/**
 * Has `docker buildx bake --print` read bake files in HCL: a document in which all is worked out, and whose group
 * `default` is what was asked for. It builds nothing, and asks no daemon. Errors: `buildx-failed`.
 */
export async function printByBuildx(
  { files, flags, names }: BuildxRequest,
  { cwd, env, signal }: CliIo,
): Promise<BakeDocument> {
  const hcl = files.find((one) => one.isHcl)?.name ?? "the bake file";
  const input = files.find((one) => one.name === standardInput)?.bytes;
  const named = files.map(({ name }) => `--file=${name === standardInput ? "-" : name}`);
  const words = ["docker", "buildx", "bake", "--print", ...named, ...flags, "--", ...names];
  const call = { cwd, env, signal, longest: maxDocumentSize, input };
  const outcome = await captureProgram(words, call);
  if (outcome === undefined) throw notRead(hcl, "docker is not installed");
  if (outcome.status === 0) return readBakeDocument(outcome.stdout, "docker buildx bake --print");
  const said = limitText(outcome.stderr.toString("utf8").trim(), 2000);
  throw notRead(hcl, said === "" ? "docker buildx failed" : `docker buildx failed: ${said}`);
}

/** As `load.ts` names it. */
const standardInput = "standard input";

function notRead(file: string, why: string): XbuildError {
  return new XbuildError(
    "buildx-failed",
    `${file} is HCL, which docker buildx bake is asked to read; ${why}`,
    {
      hint: "install docker with its buildx plugin, or make JSON of it where they are: docker buildx bake --print > docker-bake.json",
    },
  );
}
