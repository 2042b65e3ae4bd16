import type { StageGraph } from "../containerfile/containerfile.ts";
import { omitOutputs } from "../plan/plan.ts";
import type { FileBuild } from "./build.ts";
import type { Bridge } from "./gateway/connect.ts";
import type { Result } from "./gateway/messages/gateway_pb.ts";
import { askFrontend } from "./gateway/solve.ts";
import { fromFiles } from "./llb/operations.ts";
import { readState, type State } from "./llb/state.ts";
import type { FrontendOptions } from "./options.ts";
import { dockerfileFrontend } from "./source.ts";

/** A file without OUTPUT, with every option: BuildKit's own frontend is asked as it would have been without us. */
export async function passThrough(bridge: Bridge, { given }: FrontendOptions): Promise<Result> {
  const { definitions } = await bridge.inputs({});
  const inputs = Object.entries(definitions).map(([name, one]) => [name, readState(one)] as const);
  return askFrontend(bridge, {
    frontend: dockerfileFrontend,
    options: given,
    inputs: new Map(inputs),
  });
}

/** A file whose OUTPUT stages the target does not use: BuildKit's own frontend gets it without them. */
export async function passLowered(build: FileBuild, _graph: StageGraph): Promise<Result> {
  const { bridge, options, containerfile, source, file } = build;
  const { given } = options;
  const text = Buffer.from(omitOutputs(containerfile), "latin1");
  const inputs = new Map<string, State>([
    [
      "dockerfile",
      fromFiles([{ path: `/${file.name}`, mode: 0o644, data: text }], "[internal] write the file"),
    ],
  ]);
  if (source.context !== undefined) inputs.set("context", source.context);
  const left = /^(?:context|contextkey|contextsubdir|dockerfilekey|filename)$/;
  const rest = [...given].filter(([name]) => !left.test(name));
  return askFrontend(bridge, {
    frontend: dockerfileFrontend,
    options: new Map([...rest, ["filename", file.name], ["cmdline", dockerfileFrontend]]),
    inputs,
  });
}
