import { Duplex } from "node:stream";
import type { Readable, Writable } from "node:stream";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { LLBBridge } from "./messages/gateway_pb.ts";

/** What BuildKit does for a frontend. BuildKit, `frontend/gateway/pb/gateway.proto` */
export type Bridge = Client<typeof LLBBridge>;

/** Bytes of a message: what BuildKit's own clients take. */
const maxMessage = 16 * 1024 * 1024;

/** No name is resolved: the connection is there. */
const address = "http://buildkit";

/** Speaks gRPC on two streams, at the other end of which BuildKit is the server. BuildKit, `frontend/gateway/grpcclient` */
export function connectBridge({
  input,
  output,
}: {
  readonly input: Readable;
  readonly output: Writable;
}): Bridge {
  const manager = new Http2SessionManager(address, undefined, {
    createConnection: () => Duplex.from({ readable: input, writable: output }),
  });
  const transport = createGrpcTransport({
    baseUrl: address,
    sessionManager: manager,
    readMaxBytes: maxMessage,
    writeMaxBytes: maxMessage,
  });
  return createClient(LLBBridge, transport);
}
