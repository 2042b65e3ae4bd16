import type { Credentials } from "./access.ts";
import { createAuthorizer } from "./authorizer.ts";
import { openHttp, type HttpOptions, type HttpResponse, type Send } from "./http.ts";
import {
  askIdentified,
  readChallenges,
  type Endpoint,
  type RegistryRequest,
} from "./ask-identified.ts";
import { isBusy, sendPatiently, type Patience } from "./retry.ts";

export interface RegistryOptions extends HttpOptions, Patience {
  /** `host[:port]` as users write it. */
  readonly registry: string;
  /** For a repository, named without the registry. */
  readonly findCredentials: (repository: string) => Promise<Credentials | undefined>;
}

/** One registry, reached with one set of credentials. */
export interface Registry {
  /**
   * It rejects where there is no answer, and at once where there has been none for some time or where the
   * registry has refused requests with the same scopes (401).
   */
  readonly request: (request: RegistryRequest) => Promise<HttpResponse>;
  /** The path and query of an address of this registry; undefined: it is elsewhere. */
  readonly pathOf: (location: string) => string | undefined;
}

const maxFailures = 3;

/** Asks nothing yet. @throws where the certificates cannot be used */
export async function openRegistry(options: RegistryOptions): Promise<Registry> {
  const host = apiHost(options.registry);
  const send = await openHttp(options);
  const ask = giveUpInTime((request) => sendPatiently(send, request, options));
  const authorizer = createAuthorizer(ask, options.findCredentials);
  const refused = new Set<string>();
  let endpoint: Promise<Endpoint> | undefined;
  return {
    request: async (wanted) => {
      const scopes = wanted.scopes.join(" ");
      if (refused.has(scopes)) throw new Error("the registry has refused that before");
      endpoint ??= findEndpoint(host, options, ask);
      const response = await askIdentified(await endpoint, wanted, { authorizer, send: ask });
      if (response.status === 401) refused.add(scopes);
      return response;
    },
    pathOf: (location) => pathOf(location, host),
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

/** Registries behind a proxy of their own may name themselves with the wrong scheme. */
function pathOf(location: string, host: string): string | undefined {
  const url = new URL(location, `https://${host}`);
  return url.host === new URL(`https://${host}`).host ? url.pathname + url.search : undefined;
}
