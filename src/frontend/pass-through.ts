import type { SourceText } from "../containerfile/containerfile.ts";
import { applyEdits, blank, omitOutputs } from "../plan/plan.ts";
import type { FileBuild } from "./build.ts";
import type { Result } from "./gateway/messages/gateway_pb.ts";
import { askFrontend } from "./gateway/solve.ts";
import { fromFiles } from "./llb/operations.ts";
import { ownFrontend } from "./dockerfile-frontend.ts";

type PassedFile = Pick<FileBuild, "bridge" | "options" | "dockerfile" | "source">;

/** A file without OUTPUT, with every option: BuildKit's own frontend is asked as it would have been without us. */
export function passThrough({ bridge, options, dockerfile, source }: PassedFile): Promise<Result> {
  const { given } = options;
  return askFrontend(bridge, {
    frontend: dockerfile.frontend,
    options: dockerfile === ownFrontend ? given : new Map([...given, ...dockerfile.options]),
    inputs: source.inputs,
  });
}

/** A file whose OUTPUT stages the target does not use: BuildKit's own frontend gets it without them. */
export function passLowered(build: FileBuild): Promise<Result> {
  return askOwn(build, omitOutputs(build.containerfile));
}

/** Has BuildKit's own frontend look at the file: it warns, and refuses, as it would without us. Nothing is made of it. */
export async function checkBlanked(build: FileBuild): Promise<void> {
  const given = [...build.options.given].filter(([name]) => !name.startsWith("attest:"));
  await passBlanked({ ...build, options: { ...build.options, given: new Map(given) } });
}

/** What is asked of the file itself: to each OUTPUT alone BuildKit's own frontend would have an objection. */
export function passBlanked(build: FileBuild): Promise<Result> {
  const { containerfile } = build;
  const { source, instructions } = containerfile;
  const outputs = instructions.filter(({ keyword }) => keyword === "OUTPUT");
  const edits = outputs.map((one) => blank(containerfile, one));
  return askOwn(build, applyEdits(source, { start: 0, end: source.length }, edits));
}

/** Options that say where the file is: it is given. */
const ofSource = /^(?:context|contextkey|contextsubdir|dockerfilekey|filename|cmdline)$/;

function askOwn(
  { bridge, options, dockerfile, source, file }: FileBuild,
  text: SourceText,
): Promise<Result> {
  const data = Buffer.from(text, "latin1");
  const files = [{ path: `/${file.name}`, mode: 0o644, data }];
  const inputs = new Map(source.inputs);
  inputs.set("dockerfile", fromFiles(files, "[internal] write the file"));
  if (source.context !== undefined) inputs.set("context", source.context);
  const rest = [...options.given].filter(([name]) => !ofSource.test(name));
  return askFrontend(bridge, {
    frontend: dockerfile.frontend,
    options: new Map([...rest, ["filename", file.name], ...dockerfile.options]),
    inputs,
  });
}
