import type { Credentials } from "./access.ts";
import { createAuthorizer, type Authorizer, type Purpose } from "./authorizer.ts";
import { parseChallenges, type Challenge } from "./challenge.ts";
import {
  openHttp,
  type HttpOptions,
  type HttpRequest,
  type HttpResponse,
  type Send,
} from "./http.ts";
import { isBusy, sendPatiently } from "./retry.ts";

export interface RegistryOptions extends HttpOptions {
  /** `host[:port]` as users write it. */
  readonly registry: string;
  /** For a repository, named without the registry. */
  readonly findCredentials: (repository: string) => Promise<Credentials | undefined>;
}

export interface RegistryRequest extends Purpose {
  readonly method: HttpRequest["method"];
  /** With the query, from `/v2/` on. */
  readonly path: string;
}

/** One registry, reached with one set of credentials. */
export interface Registry {
  /** It rejects where there is no answer; after some such failures the registry is given up. */
  readonly request: (request: RegistryRequest) => Promise<HttpResponse>;
  /** The path and query of an address of this registry; undefined: it is elsewhere. */
  readonly pathOf: (location: string) => string | undefined;
  readonly close: () => void;
}

/** Where the registry answers, and what it wants to see. */
interface Endpoint {
  readonly origin: string;
  readonly challenges: readonly Challenge[];
}

const maxFailures = 3;

/** Asks nothing yet. @throws where the certificates cannot be used */
export function openRegistry(options: RegistryOptions): Registry {
  const host = apiHost(options.registry);
  const { send, close } = openHttp(options);
  const ask = giveUpInTime((request) => sendPatiently(send, request, options.signal));
  const authorizer = createAuthorizer(ask, options.findCredentials);
  let endpoint: Promise<Endpoint> | undefined;
  return {
    request: async (wanted) => {
      endpoint ??= findEndpoint(host, options, ask);
      return askIdentified(await endpoint, wanted, authorizer, ask);
    },
    pathOf: (location) => pathOf(location, host),
    close,
  };
}

/** Else hundreds of requests, one after the other, would wait for a registry that is gone. */
function giveUpInTime(send: Send): Send {
  let failures = 0;
  return async (request) => {
    if (failures >= maxFailures) throw new Error("the registry is given up");
    try {
      const response = await send(request);
      failures = isBusy(response) ? failures + 1 : 0;
      return response;
    } catch (error) {
      failures += 1;
      throw error;
    }
  };
}

/** Docker Hub's interface has a host of its own (containers/image, `dockerRegistry`). */
function apiHost(registry: string): string {
  return registry === "docker.io" ? "registry-1.docker.io" : registry;
}

/** TLS first, also where it is not insisted on (containers/image, `detectPropertiesHelper`). */
async function findEndpoint(
  host: string,
  { insecure }: RegistryOptions,
  send: Send,
): Promise<Endpoint> {
  const secure = ping(`https://${host}`, send);
  return insecure ? secure.catch(() => ping(`http://${host}`, send)) : secure;
}

/** distribution-spec v1.1, "Determining Support" */
async function ping(origin: string, send: Send): Promise<Endpoint> {
  const response = await send({ method: "GET", url: new URL("/v2/", origin) });
  if (response.status !== 200 && response.status !== 401) {
    throw new Error(`the registry answers ${response.status}`);
  }
  return { origin, challenges: readChallenges(response) };
}

async function askIdentified(
  { origin, challenges }: Endpoint,
  wanted: RegistryRequest,
  authorizer: Authorizer,
  send: Send,
): Promise<HttpResponse> {
  const ask = (authorization: string | undefined): Promise<HttpResponse> => {
    const headers = authorization === undefined ? {} : { authorization };
    return send({ method: wanted.method, url: new URL(wanted.path, origin), headers });
  };
  const authorization = await authorizer.authorize(challenges, wanted);
  const response = await ask(authorization);
  if (response.status !== 401) return response;
  // The token has expired, or the registry wants more of it than we have asked for.
  const news = readChallenges(response);
  const scopes = joinScopes(wanted.scopes, news);
  if (authorization !== undefined && scopes.length === wanted.scopes.length) {
    authorizer.forget(authorization);
  }
  const again = news.length === 0 ? challenges : news;
  const second = await authorizer.authorize(again, { ...wanted, scopes });
  return second === undefined || second === authorization ? response : ask(second);
}

function readChallenges({ headers }: HttpResponse): readonly Challenge[] {
  return parseChallenges(headers["www-authenticate"] ?? "");
}

function joinScopes(
  scopes: readonly string[],
  challenges: readonly Challenge[],
): readonly string[] {
  const text = challenges.find(({ scheme }) => scheme === "bearer")?.parameters.get("scope") ?? "";
  return [...new Set([...scopes, ...text.split(" ").filter((scope) => scope !== "")])];
}

/** Registries behind a proxy of their own may name themselves with the wrong scheme. */
function pathOf(location: string, host: string): string | undefined {
  const url = new URL(location, `https://${host}`);
  return url.host === new URL(`https://${host}`).host ? url.pathname + url.search : undefined;
}
