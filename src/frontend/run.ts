import { create } from "@bufbuild/protobuf";
import { buildWithFrontend } from "./build.ts";
import { connectBridge } from "./gateway/connect.ts";
import { describeFailure } from "./failures.ts";
import type { Readable, Writable } from "node:stream";
import { ReturnRequestSchema } from "./gateway/messages/gateway_pb.ts";
import type { SourceInfo } from "./gateway/messages/llb_pb.ts";
import { answerLost, LostFailure } from "./lost-failure.ts";
import { readOptions } from "./options.ts";

export interface FrontendProcess {
  readonly input: Readable;
  readonly output: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Answers one build that BuildKit hands to a frontend, on the gRPC connection that its standard streams are. What fails is
 * told to BuildKit, too. The connection stays open: where it ends before the process does, BuildKit takes the frontend for
 * lost. @returns the exit status
 */
export async function runFrontend({ input, output, env }: FrontendProcess): Promise<number> {
  const bridge = connectBridge({ input, output });
  let file: SourceInfo | undefined;
  try {
    const result = await buildWithFrontend(bridge, readOptions(env), (info) => (file = info)).catch(
      (error: unknown) => {
        if (error instanceof LostFailure) return answerLost(bridge, error);
        throw error;
      },
    );
    await bridge.return(create(ReturnRequestSchema, { result }));
    return 0;
  } catch (error) {
    await bridge.return(create(ReturnRequestSchema, { error: describeFailure(error, file) }));
    return 1;
  }
}
