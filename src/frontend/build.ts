import { create } from "@bufbuild/protobuf";
import { type Containerfile, parseContainerfile } from "../containerfile/containerfile.ts";
import { answerLint } from "./lint.ts";
import type { Bridge } from "./gateway/connect.ts";
import type { Result } from "./gateway/messages/gateway_pb.ts";
import { type SourceInfo, SourceInfoSchema } from "./gateway/messages/llb_pb.ts";
import { type DockerfileFrontend, findDockerfileFrontend } from "./dockerfile-frontend.ts";
import type { FrontendOptions } from "./options.ts";
import { passBlanked, passLowered, passThrough } from "./pass-through.ts";
import { buildPlatforms } from "./build-platforms.ts";
import { needsOutput, resolveFor } from "./resolve.ts";
import { type BuildSource, findSource, readSourceFile, type SourceFile } from "./source.ts";

/** A file that is to be built, and where it came from. */
export interface FileBuild {
  readonly bridge: Bridge;
  readonly options: FrontendOptions;
  readonly dockerfile: DockerfileFrontend;
  readonly source: BuildSource;
  readonly file: SourceFile;
  readonly containerfile: Containerfile;
  /** As clients show it. */
  readonly info: SourceInfo;
}

/**
 * Answers a build. Where the target has nothing to do with an OUTPUT, it is what BuildKit's own frontend makes of it.
 * @param tell gets the file as soon as there is one that errors can name lines of
 */
export async function buildWithFrontend(
  bridge: Bridge,
  options: FrontendOptions,
  tell: (file: SourceInfo) => void,
): Promise<Result> {
  const source = await findSource(bridge, options);
  const file = await readSourceFile(bridge, source);
  const containerfile = parseContainerfile(file.bytes, file.name);
  const dockerfile = findDockerfileFrontend(containerfile.source, options);
  if (!containerfile.instructions.some((one) => one.keyword === "OUTPUT"))
    return passThrough({ bridge, options, dockerfile, source });
  const info = create(SourceInfoSchema, {
    filename: options.given.get("filename") ?? file.name,
    data: file.bytes,
    language: "Dockerfile",
  });
  tell(info);
  const build = { bridge, options, dockerfile, source, file, containerfile, info };
  const graph = resolveFor(build, undefined);
  const request = options.given.get("requestid");
  if (request === "frontend.lint") return answerLint(build, graph);
  if (request !== undefined) return passBlanked(build);
  if (!needsOutput(containerfile, graph)) return passLowered(build);
  return buildPlatforms(build);
}
