import { setTimeout as sleep } from "node:timers/promises";
import type { HttpRequest, HttpResponse, Send } from "./http.ts";

/** How often to ask again, and how long to wait before. */
export interface Patience {
  readonly retries: number;
  /** Milliseconds; each further wait is twice the one before. */
  readonly retryDelay: number;
  readonly signal: AbortSignal;
}

/** Milliseconds. */
const longestWait = 10_000;

/**
 * Makes a request again where the registry has too much to do or is out of order (429, 5xx). Retry-After is heard up to ten seconds. RFC 9110, section 10.2.3
 */
export async function sendPatiently(
  send: Send,
  request: HttpRequest,
  { retries, retryDelay, signal }: Patience,
): Promise<HttpResponse> {
  for (let attempt = 0; ; attempt += 1) {
    const response = await send(request);
    if (!isBusy(response) || attempt === retries) return response;
    const wait = readWait(response) ?? retryDelay * 2 ** attempt;
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
