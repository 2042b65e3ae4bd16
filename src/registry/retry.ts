import { setTimeout as sleep } from "node:timers/promises";
import type { HttpRequest, HttpResponse, Send } from "./http.ts";

const retries = 3;
/** Milliseconds; each wait is twice the one before. */
const firstWait = 250;
const longestWait = 10_000;

/**
 * Makes a request again where the registry has too much to do or is out of order (429, 5xx), at most three
 * times. Retry-After is heard up to ten seconds. RFC 9110, section 10.2.3
 */
export async function sendPatiently(
  send: Send,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<HttpResponse> {
  for (let attempt = 0; ; attempt += 1) {
    const response = await send(request);
    if (!isBusy(response) || attempt === retries) return response;
    await sleep(readWait(response) ?? firstWait * 2 ** attempt, undefined, { signal });
  }
}

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
