import type { Diagnostic } from "../../diagnostics.ts";
import { XbuildError } from "../../errors.ts";
import type { Containerfile, Instruction } from "../../containerfile/containerfile.ts";
import type { BuildKitClient } from "./client.ts";
import { hideValues } from "./hide-values.ts";
import type { ClientResult } from "./run-client.ts";
import type { SolveCall } from "./solve-call.ts";

/** A call that did not go well. */
export interface FailedSolve {
  readonly call: SolveCall;
  readonly client: BuildKitClient;
  readonly result: ClientResult;
  /** What a step that failed says. */
  readonly failed: string | undefined;
  /** The end of what the client wrote. */
  readonly tail: string;
  readonly containerfile: Containerfile;
  /** A line of what was sent that the file does not have: those behind it come one later. */
  readonly extraLine?: number | undefined;
}

/** The builder is gone, or cannot be reached: another one may do. */
export class BuilderLostError extends XbuildError {}

/** As gRPC, Go's net package and buildx say it of the builder itself. */
const lost =
  /code = Unavailable|connection refused|connection reset|no route to host|no such host|i\/o timeout|network is unreachable|connection timed out|operation timed out|broken pipe|error reading from server|transport is closing|keepalive ping failed|server closed|connect: no such file|failed to list workers|context deadline exceeded|graceful_stop|session finished/i;
/** Of a builder that answered at first. What it says of others it asks, such as registries, is no loss of it. */
const lostMidway =
  /^(?:rpc error: )?(?:code = )?Unavailable\b|connection timed out|operation timed out|code = Unavailable|error reading from server|transport is closing|server closed the stream|graceful_stop|session finished/i;
const tooOld =
  /named contexts? (?:is|are) not supported|additional build contexts|unknown (?:flag|shorthand flag)|requires? BuildKit|unsupported frontend capability|flag provided but not defined|multi-node|not supported by (?:current|this) (?:driver|builder)/i;
const entitlement = /\b(?:network\.host|security\.insecure|device)\b/;
const notAllowed = /is not allowed|requires? entitlement|granting entitlement/i;

/** Docker's own builder with the older of its two image stores. */
const classicStore =
  /export(?:er)? is not supported for the docker driver|unknown scheme oci-layout/i;
const noBuilder = /^no builder |no such builder/i;

/** The error of a call. */
export function describeFailure(given: FailedSolve): XbuildError {
  const { client, call, result } = given;
  const [failed, tail] = [given.failed, given.tail].map((text) => text && hideValues(text, call));
  const failure: FailedSolve = { ...given, failed, tail: tail ?? "" };
  const where = `${client.name} (${call.purpose})`;
  if (result.isStalled) {
    return new BuilderLostError("builder-lost", `nothing came from ${where} any more`, {
      hint: "build again; XBUILD_STALL_TIMEOUT says how many seconds that may last",
    });
  }
  // A command's own words stand before it.
  const exitCode = /did not complete successfully: exit code: (\d{1,3})$/.exec(failed ?? "")?.[1];
  if (exitCode !== undefined) return describeStep(failure, toStatus(Number(exitCode)));
  const words = failure.tail;
  const { reason = failed ?? words.split("\n").at(-1) ?? "", isAnswered } = findReason(words);
  // What a step says of itself, or a file is called, tells nothing of the builder.
  const said = withoutQuotes(reason);
  if (failed === undefined && (isAnswered ? lostMidway : lost).test(said)) {
    const message = `the builder ${where} cannot be reached: ${reason}`;
    return new BuilderLostError("builder-lost", message, {
      hint: "see that buildkitd runs there and can be reached (--builder, BUILDKIT_HOST), and build again",
    });
  }
  if (classicStore.test(tail ?? "")) {
    const message = `the builder ${where} cannot hand out what it makes: Docker has its older image store there`;
    return new XbuildError("engine-cannot-run", message, {
      hint: "turn on the containerd image store (Docker 23 or newer, which has BuildKit 0.10), or use another builder: docker buildx create --use",
      exitStatus: result.status,
    });
  }
  if (noBuilder.test(reason)) {
    return new XbuildError("engine-not-found", `buildx has no builder ${client.name}`, {
      hint: "see docker buildx ls; an address needs its scheme (tcp://HOST:PORT)",
    });
  }
  if (tooOld.test(said)) {
    return new XbuildError("engine-cannot-run", `the builder ${where} is too old: ${reason}`, {
      hint: "use BuildKit 0.10 or newer (Docker 23), and buildx or buildctl 0.13 or newer",
      exitStatus: result.status,
    });
  }
  const allowed = notAllowed.test(reason) ? entitlement.exec(reason)?.[0] : undefined;
  const hint =
    allowed === undefined
      ? "see what it says of it"
      : `allow it with --allow ${allowed}, and where buildkitd is started (--allow-insecure-entitlement)`;
  const message = `${where}: ${reason || `${client.program} failed with exit status ${result.status}`}`;
  if (failed === undefined) return new XbuildError("engine-failed", message, { hint });
  return placeAt("step-failed", { ...failure, message, hint }, 1);
}

/** Of a step that failed: what is none of a failure's counts as 1. */
function toStatus(exitCode: number): number {
  return exitCode >= 1 && exitCode <= 255 ? exitCode : 1;
}

function withoutQuotes(text: string): string {
  return text.replaceAll(/"[^"]*"|'[^']*'/g, "");
}

interface Reason {
  readonly reason?: string;
  /** Whether the builder itself has said it. */
  readonly isAnswered: boolean;
}

/** The client's last words of an error, and what `failed to solve:` is followed by. */
function findReason(tail: string): Reason {
  const line = tail.split("\n").findLast((one) => /^(?:error|ERROR): /.test(one));
  if (line === undefined) return { isAnswered: false };
  const said = line.replace(/^\w+: /, "").replace(/^failed to build: /, "");
  const reason = said.replace(/^failed to solve: /, "");
  return { reason, isAnswered: reason !== said };
}

function describeStep(failure: FailedSolve, exitStatus: number): XbuildError {
  const { client, call } = failure;
  const message = `a step failed with exit status ${exitStatus} on ${client.name} (${call.purpose})`;
  const hint = "see what the step printed above";
  return placeAt("step-failed", { ...failure, message, hint }, exitStatus);
}

interface Placed extends FailedSolve {
  readonly message: string;
  readonly hint: string;
}

function placeAt(code: "step-failed", failure: Placed, exitStatus: number): XbuildError {
  const { message, hint } = failure;
  const place = findPlace(failure);
  const diagnostics: Diagnostic[] =
    place === undefined ? [] : [{ code, severity: "error", message, hint, ...place }];
  const cause = failure.failed;
  return new XbuildError(code, message, { hint, exitStatus, cause, ...(place && { diagnostics }) });
}

/** BuildKit names the line; lines of what is sent are those of the user's file. */
function findPlace({
  tail,
  containerfile,
  extraLine = Number.POSITIVE_INFINITY,
}: FailedSolve): Partial<Diagnostic> | undefined {
  const lines = tail.split("\n");
  const at = lines.findIndex((one) => /^-{5,}$/.test(one));
  const sent = Number(/:(\d+)$/.exec(lines[at - 1] ?? "")?.[1]);
  const line = sent > extraLine ? sent - 1 : sent;
  const holds = ({ span, endLine }: Instruction): boolean =>
    span.start.line <= line && line <= endLine;
  const instruction = containerfile.instructions.find(holds);
  if (instruction === undefined) return undefined;
  const { source, file } = containerfile;
  const start = instruction.span.start.offset - instruction.span.start.column + 1;
  const end = source.indexOf("\n", start);
  return {
    file,
    span: instruction.span,
    excerpt: source.slice(start, end < 0 ? undefined : end),
  };
}
