import { setTimeout as sleep } from "node:timers/promises";
import { isPassing } from "./failures.ts";
import type { HttpRequest, HttpResponse, Send } from "./http.ts";

/** How often to ask again, and how long to wait before. */
export interface Patience {
  readonly retries: number;
  /** Milliseconds; each further wait is twice the one before. */
  readonly retryDelay: number;
  readonly signal: AbortSignal;
  /** Whether what had no answer is asked again, too. */
  readonly isPersistent?: boolean;
}

/** Milliseconds. */
const longestWait = 60_000;

/** Makes a request again as `repeatPatiently` does, unless its asker does that himself. */
export async function sendPatiently(
  send: Send,
  request: HttpRequest,
  patience: Patience,
): Promise<HttpResponse> {
  if (request.isSingle === true) return send(request);
  return repeatPatiently(() => send(request), patience);
}

/**
 * Does again what ends with an answer that the registry has too much to do or is out of order (429, 5xx), and where that
 * is wanted what ends with no answer. Retry-After is heard up to a minute. RFC 9110, section 10.2.3
 */
export async function repeatPatiently(
  action: () => Promise<HttpResponse>,
  { retries, retryDelay, signal, isPersistent = false }: Patience,
): Promise<HttpResponse> {
  for (let attempt = 0; ; attempt += 1) {
    const isLast = attempt >= retries;
    const response = await action().catch((error: unknown) => {
      signal.throwIfAborted();
      if (isLast || !isPersistent || !isPassing(error)) throw error;
    });
    if (response !== undefined && (isLast || !isBusy(response))) return response;
    const wait = (response && readWait(response)) ?? retryDelay * 2 ** attempt;
    await sleep(Math.min(wait, longestTimer), undefined, { signal });
  }
}

/** Node's timers know no longer one, and end at once instead. */
export const longestTimer = 2 ** 31 - 1;

/** Whether the registry says that it is its own state, not the request, that made it fail. */
export function isBusy({ status }: HttpResponse): boolean {
  return status === 429 || status >= 500;
}

function readWait({ headers }: HttpResponse): number | undefined {
  const text = headers["retry-after"];
  if (text === undefined) return undefined;
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), longestWait);
}
