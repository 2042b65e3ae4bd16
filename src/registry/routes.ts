import type { Credentials } from "./access.ts";
import {
  askIdentified,
  readChallenges,
  type Endpoint,
  type RegistryRequest,
} from "./ask-identified.ts";
import { createAuthorizer } from "./authorizer.ts";
import { XbuildError } from "../errors.ts";
import { createAnswerError, createRegistryError, speaksNoTls } from "./failures.ts";
import { openHttp, type HttpOptions, type HttpResponse, type Send } from "./http.ts";
import { isLoopback } from "./proxy.ts";
import { isBusy, sendPatiently, type Patience } from "./retry.ts";

export interface RegistryOptions extends HttpOptions, Patience {
  /** `host[:port]` as users write it. */
  readonly registry: string;
  /** Whether TLS is insisted on, also on this machine. */
  readonly isTlsRequired?: boolean;
  /** For a repository, named without the registry. */
  readonly findCredentials: (repository: string) => Promise<Credentials | undefined>;
  /** Of clients that go over the same connections; filled by the first of them. */
  readonly link?: Link;
}

/** Connections to a registry, and what was found out of how it is reached. */
export interface Link {
  send?: Promise<Send>;
  way?: Promise<Way>;
}

/** How a registry is reached. */
interface Way {
  readonly endpoint: Endpoint;
  readonly send: Send;
  /** Whether nobody's credentials are shown on it. */
  readonly isAnonymous: boolean;
}

/** Makes a request in the way in which the registry is reached. */
export type Route = (request: RegistryRequest) => Promise<HttpResponse>;

/** A registry is asked once how it is reached, whoever of those that share a link wants to know it. */
export async function findRoute(
  host: string,
  options: RegistryOptions,
  send: Send,
): Promise<Route> {
  const { link = {} } = options;
  const { way: asked } = link;
  // Who asked before may have been less patient.
  const known = asked === undefined ? undefined : await asked.catch(() => undefined);
  const way = known ?? (await (link.way = findWay(host, options, send)));
  const ask = giveUpInTime((request) => sendPatiently(way.send, request, options));
  return way.isAnonymous
    ? openAnonymous(way.endpoint, ask, options)
    : openIdentified(way.endpoint, ask, options);
}

/**
 * TLS first, also where it is not insisted on (containers/image, `detectPropertiesHelper`). A registry on this machine
 * may do without, as with docker and BuildKit, for those who show no credentials: any user may listen there.
 */
async function findWay(host: string, options: RegistryOptions, send: Send): Promise<Way> {
  const ask: Send = (request) => sendPatiently(send, request, options);
  const askOnce: Send = (request) =>
    sendPatiently(send, request, { ...options, isPersistent: false });
  const secure = `https://${host}`;
  const plain = `http://${host}`;
  const known = { send, isAnonymous: false };
  if (options.insecure) {
    const endpoint = await ping(secure, askOnce).catch(() => ping(plain, ask));
    return { ...known, endpoint };
  }
  try {
    return { ...known, endpoint: await ping(secure, ask) };
  } catch (error) {
    const mayBePlain = options.isTlsRequired !== true && isLoopback(new URL(secure));
    if (!mayBePlain || !speaksNoTls(error)) throw error;
    const open = await openHttp({ ...options, isAnonymous: true });
    const endpoint = await ping(plain, (request) => sendPatiently(open, request, options));
    return { endpoint, send: open, isAnonymous: true };
  }
}

function openIdentified(endpoint: Endpoint, send: Send, options: RegistryOptions): Route {
  const authorizer = createAuthorizer(send, options.findCredentials);
  return (wanted) => askIdentified(endpoint, wanted, { authorizer, send });
}

/** Plain HTTP, on which no credentials are shown. */
function openAnonymous(endpoint: Endpoint, send: Send, options: RegistryOptions): Route {
  const authorizer = createAuthorizer(send, () => Promise.resolve(undefined));
  return async (wanted) => {
    try {
      const response = await askIdentified(endpoint, wanted, { authorizer, send });
      if (isDenied(response.status)) await assertNobody(wanted, options);
      return response;
    } catch (error) {
      if (error instanceof XbuildError && error.code === "registry-denied")
        await assertNobody(wanted, options);
      throw error;
    }
  };
}

function isDenied(status: number): boolean {
  return status === 401 || status === 403;
}

/** Errors: `registry-plain-http` where there are credentials that might have helped. */
async function assertNobody(
  { repository }: RegistryRequest,
  { registry, findCredentials }: RegistryOptions,
): Promise<void> {
  if ((await findCredentials(repository)) === undefined) return;
  const reason = `${registry} asks who is there over plain HTTP, and credentials are not sent so`;
  throw createRegistryError("plain", reason);
}

/** distribution-spec v1.1, "Determining Support" */
async function ping(origin: string, send: Send): Promise<Endpoint> {
  const response = await send({ method: "GET", url: new URL("/v2/", origin) });
  if (response.status !== 200 && response.status !== 401) {
    // What has no /v2/ at all is no registry, which is not the same as one that lacks an image.
    throw response.status === 404
      ? createRegistryError("server", "it is no registry: it answers 404 for /v2/")
      : createAnswerError(response);
  }
  return { origin, challenges: readChallenges(response) };
}

const maxFailures = 3;

/** Else hundreds of requests, one after the other, would wait for a registry that is gone. */
function giveUpInTime(send: Send): Send {
  let failures = 0;
  let last: unknown;
  return async (request) => {
    if (failures >= maxFailures) throw last;
    try {
      const response = await send(request);
      if (request.isSingle === true) return response;
      failures = isBusy(response) ? failures + 1 : 0;
      if (failures > 0) last = createAnswerError(response);
      return response;
    } catch (error) {
      failures += 1;
      last = error;
      throw error;
    }
  };
}
