import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import {
  createErrorAnswer,
  createReplacement,
  type Answer,
  type Fault,
  type FaultList,
} from "./registry-faults.ts";
import { forward, takeBody, type Exchange, type Target } from "./registry-relay.ts";
import { basicChallenge, type TokenRequest, type TokenServer } from "./registry-tokens.ts";
import type { Registry } from "./registry.ts";

/** What the requests to a proxy have in common. */
export interface ServeContext {
  readonly registry: Registry;
  readonly scheme: "http" | "https";
  readonly faults: FaultList;
  readonly tokens: TokenServer | undefined;
  readonly stopping: AbortSignal;
}

/** Does with one request what its fault, its rights and the registry say. @throws where the connection shall end */
export async function serve(context: ServeContext, exchange: Exchange): Promise<void> {
  const { record, request } = exchange;
  const fault = context.faults.take(record);
  if (fault?.delay !== undefined) {
    await sleep(fault.delay, undefined, { signal: context.stopping });
  }
  if (exchange.response.destroyed || (fault !== undefined && "hang" in fault)) return;
  const { authorization } = request.headers;
  const asked = { method: record.method, path: record.path, authorization };
  const faulty = fault && answerFault(context, fault, asked);
  if (faulty !== undefined) return give(exchange, faulty);
  const verdict = context.tokens?.judge(asked) ?? { path: record.path };
  if ("answer" in verdict) return give(exchange, verdict.answer);
  await forward(exchange, createTarget(context, request, choosePath(verdict.path, fault)), fault);
}

function choosePath(path: string, fault: Fault | undefined): string {
  return fault !== undefined && "dropQuery" in fault ? path.replace(/\?.*/, "") : path;
}

function answerFault(
  context: ServeContext,
  fault: Fault,
  request: TokenRequest,
): Answer | undefined {
  if ("replace" in fault) return createReplacement(fault.replace);
  if (!("status" in fault)) return undefined;
  const challenge = fault.status === 401 ? findChallenge(context, request) : undefined;
  return createErrorAnswer(fault.status, request.path, {
    "www-authenticate": challenge,
    ...fault.headers,
  });
}

function findChallenge(
  { registry, tokens }: ServeContext,
  request: TokenRequest,
): string | undefined {
  if (tokens !== undefined) return tokens.challenge(request);
  return registry.auth === "basic" ? basicChallenge : undefined;
}

async function give(exchange: Exchange, { status, headers, body }: Answer): Promise<void> {
  await takeBody(exchange);
  const { record, response } = exchange;
  record.status = status;
  record.received = record.method === "HEAD" ? 0 : body.byteLength;
  response.writeHead(status, headers).end(body);
}

/** The registry makes its Locations from the Host header and the scheme that it is told. */
function createTarget(context: ServeContext, request: IncomingMessage, path: string): Target {
  const { authorization, ...headers } = request.headers;
  return {
    port: context.registry.port,
    path,
    headers: {
      ...headers,
      ...(context.tokens === undefined && authorization !== undefined && { authorization }),
      "x-forwarded-proto": context.scheme,
    },
  };
}
