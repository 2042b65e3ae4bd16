import { create, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { z } from "zod";
import { type Diagnostic, renderDiagnostic, type Span } from "../diagnostics.ts";
import { XbuildError } from "../errors.ts";
import { type Range, type SourceInfo, SourceInfoSchema } from "./gateway/messages/llb_pb.ts";
import { type Status, StatusSchema } from "./gateway/messages/status_pb.ts";

/** BuildKit writes what else it knows of an error as JSON. BuildKit, `util/grpcerrors` */
const sourceType = "github.com/moby/buildkit/errdefs.Source+json";

/** What is wrong with what steps of the file have written, and where in the file they stand. */
export class PlacedFailure extends Error {
  readonly error: XbuildError;
  readonly span: Span;

  constructor(error: XbuildError, span: Span) {
    super(error.message, { cause: error });
    this.error = error;
    this.span = span;
  }
}

/** An error as BuildKit hands it on to the client, which draws the lines that it names. */
export function describeFailure(error: unknown, file: SourceInfo | undefined): Status {
  if (error instanceof ConnectError) return restateStatus(error, file);
  if (error instanceof PlacedFailure) return describeRefusal(error.error, [error], file);
  if (!(error instanceof XbuildError)) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return create(StatusSchema, { code: Code.Internal, message: `xbuild: ${message}` });
  }
  return describeRefusal(error, error.diagnostics, file);
}

/** Bytes of a file that an error can have with it: it has to fit into the head of an answer. */
const maxDrawn = 1024 * 1024;

function describeRefusal(
  error: XbuildError,
  spans: readonly Pick<Diagnostic, "span">[],
  file: SourceInfo | undefined,
): Status {
  const places = spans.filter(({ span }) => span !== undefined);
  const isDrawn = file !== undefined && file.data.byteLength <= maxDrawn;
  const details = !isDrawn ? [] : places.map((one) => encodeSource(file, toRanges(one)));
  return create(StatusSchema, {
    code: Code.InvalidArgument,
    message: describeError(error),
    details,
  });
}

/** What BuildKit has told goes back as it came, but for lines of the file: it had a file without OUTPUT. */
function restateStatus(
  { code, rawMessage, details }: ConnectError,
  file: SourceInfo | undefined,
): Status {
  return create(StatusSchema, {
    code,
    message: rawMessage,
    details: details.flatMap((one) =>
      "type" in one ? [{ typeUrl: restoreType(one.type), value: restateSource(one, file) }] : [],
    ),
  });
}

const sourceSchema = z.looseObject({
  info: z.looseObject({ filename: z.string(), data: z.base64() }),
});

function restateSource(
  { type, value }: { readonly type: string; readonly value: Uint8Array },
  file: SourceInfo | undefined,
): Uint8Array {
  if (file === undefined || restoreType(type) !== sourceType) return value;
  const { success, data } = sourceSchema.safeParse(parseJson(value));
  const isOurs =
    success &&
    data.info.filename === file.filename &&
    countLines(Buffer.from(data.info.data, "base64")) === countLines(file.data);
  return isOurs
    ? Buffer.from(JSON.stringify({ ...data, info: toJson(SourceInfoSchema, file) }))
    : value;
}

/** What is left out of the file is blank, so that every other line is in its place. */
function countLines(text: Uint8Array): number {
  return text.filter((byte) => byte === 10).length;
}

function parseJson(value: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(value).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** The library leaves out what stands before the last slash. */
function restoreType(type: string): string {
  const host = type.startsWith("stack.") ? "github.com/moby" : "github.com/moby/buildkit";
  return `${host}/${type}`;
}

type EncodedDetail = NonNullable<MessageInitShape<typeof StatusSchema>["details"]>[number];

function encodeSource(file: SourceInfo, ranges: readonly RangeJson[]): EncodedDetail {
  const value = { info: toJson(SourceInfoSchema, file), ranges };
  return { typeUrl: sourceType, value: Buffer.from(JSON.stringify(value)) };
}

interface RangeJson {
  readonly start: Pick<NonNullable<Range["start"]>, "line" | "character">;
  readonly end: Pick<NonNullable<Range["end"]>, "line" | "character">;
}

/** Lines of the file; an instruction of several lines is marked whole. */
export function toRanges({ span }: Pick<Diagnostic, "span">): readonly RangeJson[] {
  if (span === undefined) return [];
  const { start, end } = span;
  return [
    {
      start: { line: start.line, character: start.column - 1 },
      end: { line: end.line, character: end.column - 1 },
    },
  ];
}

/** The client puts its own `ERROR: failed to solve:` before it. */
export function describeError({ code, message, hint, diagnostics }: XbuildError): string {
  const own = diagnostics.some((one) => one.code === code);
  const said = {
    code,
    severity: "error",
    message,
    ...(hint === undefined ? {} : { hint }),
  } as const;
  const all = own ? diagnostics : [said, ...diagnostics];
  return inWordsOfClients(all.map(renderUnquoted).join("\n"));
}

/** Clients have no flags of ours. `settings.ts` */
function inWordsOfClients(text: string): string {
  return text
    .replaceAll("--allow-devices", "--build-arg XBUILD_ALLOW_DEVICES=1")
    .replaceAll("--max-layer-size", "--build-arg XBUILD_MAX_LAYER_SIZE=BYTES")
    .replaceAll("--max-layers", "--build-arg XBUILD_MAX_LAYERS=N");
}

/** Without the line that it is about: the client draws that. */
export function renderUnquoted(diagnostic: Diagnostic): string {
  const { excerpt: _, ...rest } = diagnostic;
  return renderDiagnostic(rest);
}
