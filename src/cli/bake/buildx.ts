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
  const words = ["bake", "--print", "--progress=quiet", ...named, ...flags, "--", ...names];
  const call = { cwd, env, signal, longest: maxDocumentSize, input };
  const outcome = await captureProgram(["docker", "buildx", ...words], call);
  if (outcome?.status === 0) return readBakeDocument(outcome.stdout, "docker buildx bake --print");
  const isThere = await captureProgram(["docker", "buildx", "version"], {
    ...call,
    input: undefined,
  });
  if (outcome === undefined || isThere?.status !== 0) throw notInstalled(hcl);
  const said = limitText(outcome.stderr.toString("utf8").trim(), 2000);
  throw new XbuildError("buildx-failed", `docker buildx cannot read ${hcl}: ${said}`, {
    hint: "correct what it says: it reads HCL for xbuild",
  });
}

/** As `load.ts` names it. */
const standardInput = "standard input";

function notInstalled(file: string): XbuildError {
  const message = `${file} is HCL, which xbuild has docker buildx read, and that is not installed`;
  return new XbuildError("buildx-failed", message, {
    hint: "install it, or make JSON of the file where it is: docker buildx bake --print > docker-bake.json",
  });
}
