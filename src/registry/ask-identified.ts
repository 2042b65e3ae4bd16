import type { Authorizer, Purpose } from "./authorizer.ts";
import { parseChallenges, type Challenge } from "./challenge.ts";
import type { HttpContent, HttpRequest, HttpResponse, Send } from "./http.ts";
import { joinScopes } from "./scopes.ts";

/** Where a registry answers, and what it wants to see. */
export interface Endpoint {
  readonly origin: string;
  readonly challenges: readonly Challenge[];
}

export interface RegistryRequest extends Purpose, HttpContent {
  readonly method: HttpRequest["method"];
  /** With the query, from `/v2/` on; an address in full where the registry leads elsewhere: who asks is not shown there. */
  readonly path: string;
}

/** What an answer offers in its WWW-Authenticate header. */
export function readChallenges({ headers }: HttpResponse): readonly Challenge[] {
  return parseChallenges(headers["www-authenticate"] ?? "");
}

/** What shows who is asking, and what asks. */
export interface Identification {
  readonly authorizer: Authorizer;
  readonly send: Send;
}

/** Makes a request with credentials, and a second time where the registry refuses them (401). */
export async function askIdentified(
  { origin, challenges }: Endpoint,
  wanted: RegistryRequest,
  { authorizer, send }: Identification,
): Promise<HttpResponse> {
  const { method, path, repository: _, scopes: __, ...content } = wanted;
  const url = new URL(path, origin);
  if (url.origin !== origin) return send({ ...content, method, url });
  const ask = (authorization: string | undefined): Promise<HttpResponse> => {
    const headers = { ...content.headers, ...(authorization && { authorization }) };
    return send({ ...content, method, url, headers });
  };
  const authorization = await authorizer.authorize(challenges, wanted);
  const response = await ask(authorization);
  if (response.status !== 401) return response;
  const news = readChallenges(response);
  const scopes = joinScopes(wanted.scopes, requiredScopes(news));
  // Either the registry wants more of the token than we have asked for, or it has expired.
  const isMore = scopes.join(" ") !== joinScopes(wanted.scopes, []).join(" ");
  if (authorization !== undefined && !isMore) authorizer.forget(authorization);
  // Some say nothing here (containers/image, `setupRequestAuth`).
  const known = news.length === 0 ? challenges : news;
  const second = await authorizer.authorize(known, { ...wanted, scopes });
  return second === undefined || second === authorization ? response : ask(second);
}

function requiredScopes(challenges: readonly Challenge[]): readonly string[] {
  const bearer = challenges.find(({ scheme }) => scheme === "bearer");
  return bearer?.parameters.get("scope")?.split(" ") ?? [];
}
