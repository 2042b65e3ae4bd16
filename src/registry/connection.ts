import type { RegistryRequest } from "./ask-identified.ts";
import { openHttp, type HttpResponse } from "./http.ts";
import { repeatPatiently } from "./retry.ts";
import { findRoute, type RegistryOptions, type Route } from "./routes.ts";

/** One registry, reached with one set of credentials. */
export interface Registry {
  /**
   * It rejects where there is no answer, and at once where there has been none for some time. Where the registry has
   * refused requests of the same kind (401), that is the answer.
   */
  readonly request: (request: RegistryRequest) => Promise<HttpResponse>;
  /** Does again what ends with an answer of a busy registry, or with none: `repeatPatiently`. */
  readonly repeat: (action: () => Promise<HttpResponse>) => Promise<HttpResponse>;
  /** The path and query of an address of this registry; one that is elsewhere as it is. */
  readonly pathOf: (location: string, more?: Readonly<Record<string, string>>) => string;
}

/** Asks nothing yet. @throws where the certificates cannot be used */
export async function openRegistry(options: RegistryOptions): Promise<Registry> {
  const host = apiHost(options.registry);
  const { link = {} } = options;
  const send = await (link.send ??= openHttp(options));
  const refused = new Map<string, HttpResponse>();
  let route: Promise<Route> | undefined;
  return {
    request: async (wanted) => {
      // Who may not read what is not there may well be allowed to write it.
      const purpose = [wanted.method, ...wanted.scopes].join(" ");
      const refusal = refused.get(purpose);
      if (refusal !== undefined) return refusal;
      route ??= findRoute(host, options, send);
      const response = await (await route)(wanted);
      if (response.status === 401) refused.set(purpose, response);
      return response;
    },
    repeat: (action) => repeatPatiently(action, options),
    pathOf: (location, more = {}) => pathOf(location, host, more),
  };
}

/** Docker Hub's interface has a host of its own (containers/image, `dockerRegistry`). */
function apiHost(registry: string): string {
  return registry === "docker.io" ? "registry-1.docker.io" : registry;
}

/** Registries behind a proxy of their own may name themselves with the wrong scheme. */
function pathOf(location: string, host: string, more: Readonly<Record<string, string>>): string {
  const own = new URL(`https://${host}`);
  const url = new URL(location, own);
  for (const [name, value] of Object.entries(more)) url.searchParams.append(name, value);
  return url.host === own.host ? url.pathname + url.search : url.href;
}
