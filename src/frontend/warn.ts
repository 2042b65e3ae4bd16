import { create } from "@bufbuild/protobuf";
import type { Diagnostic } from "../diagnostics.ts";
import type { FileBuild } from "./build.ts";
import { renderUnquoted, toRanges } from "./failures.ts";
import { WarnRequestSchema } from "./gateway/messages/gateway_pb.ts";

/** Has the client show a warning, with the lines of the file that it is about. */
export async function warnClient(
  { bridge, source, info }: Pick<FileBuild, "bridge" | "source" | "info">,
  warning: Diagnostic,
): Promise<void> {
  const [first = "", ...more] = renderUnquoted(warning).split("\n");
  const request = create(WarnRequestSchema, {
    digest: source.files.output?.digest ?? "",
    level: 1n,
    short: Buffer.from(first),
    detail: more.map((line) => Buffer.from(line)),
    ...(warning.span === undefined ? {} : { info, ranges: [...toRanges(warning)] }),
  });
  await bridge.warn(request);
}
