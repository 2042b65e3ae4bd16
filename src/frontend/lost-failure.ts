import { ConnectError } from "@connectrpc/connect";
import type { Bridge } from "./gateway/connect.ts";
import type { Result } from "./gateway/messages/gateway_pb.ts";
import { solveResult } from "./gateway/solve.ts";
import { copyOut } from "./llb/operations.ts";
import type { State } from "./llb/state.ts";

/** That a step failed, and BuildKit did not tell how: what it comes to, asked for in another way, tells it. */
export class LostFailure extends Error {
  readonly state: State;

  constructor(state: State, cause: unknown) {
    super("BuildKit did not tell how a step failed", { cause });
    this.state = state;
  }
}

/**
 * BuildKit 0.34 loses the error of a step that mounts one thing twice, where a frontend asks for what the step comes to. Its
 * own words are these. BuildKit, `frontend/gateway/gateway.go`, `registerResultIDs`
 */
const lostWords = "releasing already released reference";

export function isLost(error: unknown): boolean {
  return error instanceof ConnectError && error.rawMessage.startsWith(lostWords);
}

/**
 * An answer that BuildKit itself makes the same step for: it remembers how that failed. Should the step go well then, what
 * is to be copied of it is nowhere, so that no image is made of it.
 */
export function answerLost(bridge: Bridge, { state }: LostFailure): Promise<Result> {
  const path = "/.xbuild-the-step-failed-before";
  return solveResult(bridge, copyOut(state, path, "[internal] look how a step failed"));
}
