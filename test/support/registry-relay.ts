import {
  request as createRequest,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { Fault } from "./registry-faults.ts";
import type { OpenRecord } from "./registry-records.ts";

/** A client's request, the answer to it, and the record of both. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly record: OpenRecord;
}

/** Where a request goes. */
export interface Target {
  /** The registry's, on 127.0.0.1. */
  readonly port: number;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

type Chunks = AsyncIterable<Uint8Array>;

/**
 * Sends a request on and its answer back, bodies as they come, with the fault's harm done to them.
 * @throws where either end breaks off, or the fault says that the client's connection ends
 */
export async function forward(exchange: Exchange, target: Target, fault?: Fault): Promise<void> {
  const { request, response } = exchange;
  const upstream = createRequest({
    ...target,
    host: "127.0.0.1",
    method: request.method,
    headers: dropConnectionHeaders(target.headers),
    agent: false,
  });
  response.once("close", () => void upstream.destroy());
  const answered = waitForAnswer(upstream);
  const limit = fault && "resetUploadAfter" in fault ? fault.resetUploadAfter : undefined;
  // A registry may answer before it has read all.
  const answer = await Promise.race([
    answered,
    sendBody(exchange, upstream, limit).then(() => answered),
  ]);
  if (limit !== undefined) throw new Error("the client gets no answer");
  await relay(exchange, answer, fault);
}

/** Reads a request's body to its end, for nobody. */
export async function takeBody({ request, record }: Exchange): Promise<void> {
  const chunks: Chunks = request;
  for await (const chunk of chunks) record.sent += chunk.byteLength;
}

function waitForAnswer(upstream: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    upstream.once("response", resolve);
    upstream.on("error", reject);
  });
}

async function sendBody(
  { request, record }: Exchange,
  upstream: ClientRequest,
  limit: number | undefined,
): Promise<void> {
  for await (const chunk of takeBytes(request, limit)) {
    record.sent += chunk.byteLength;
    await write(upstream, chunk);
  }
  if (limit !== undefined && record.sent >= limit) throw new Error("the connection ends here");
  upstream.end();
}

async function relay(
  { response, record }: Exchange,
  answer: IncomingMessage,
  fault: Fault | undefined,
): Promise<void> {
  const status = answer.statusCode ?? 500;
  record.status = status;
  response.writeHead(status, dropConnectionHeaders(answer.headers));
  response.flushHeaders();
  for await (const chunk of harm(answer, fault)) {
    record.received += chunk.byteLength;
    await write(response, chunk);
  }
  if (fault !== undefined && "resetAfter" in fault) response.socket?.destroySoon();
  else response.end();
}

function harm(answer: IncomingMessage, fault: Fault | undefined): Chunks {
  if (fault === undefined) return answer;
  if ("resetAfter" in fault) return takeBytes(answer, fault.resetAfter);
  if (!("corrupt" in fault)) return answer;
  const length = Number(answer.headers["content-length"] ?? 0);
  const offset = fault.corrupt === true ? Math.floor(length / 2) : fault.corrupt;
  return flipBit(answer, Math.max(0, Math.min(offset, length - 1)));
}

async function* takeBytes(chunks: Chunks, limit = Infinity): Chunks {
  let left = limit;
  for await (const chunk of chunks) {
    const part = chunk.subarray(0, left);
    left -= part.byteLength;
    yield part;
    if (left <= 0) return;
  }
}

async function* flipBit(chunks: Chunks, offset: number): Chunks {
  let start = 0;
  for await (const chunk of chunks) {
    const bytes = Uint8Array.from(chunk);
    const byte = bytes[offset - start];
    if (byte !== undefined) bytes[offset - start] = byte ^ 1;
    start += bytes.byteLength;
    yield bytes;
  }
}

function write(stream: NodeJS.WritableStream, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

/** Headers about one connection: each side of the proxy has its own. RFC 9110, 7.6.1. */
function dropConnectionHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { connection: _, "keep-alive": __, ...rest } = headers;
  return rest;
}
