import { z } from "zod";
import { tryParseJson } from "../oci/oci.ts";
import type { Credentials } from "./access.ts";
import type { Challenge } from "./challenge.ts";
import { createAnswerError, createRegistryError } from "./failures.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";

export interface Token {
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

const clientId = "xbuild";
/** Tokens live at least that long, in seconds (distribution, docs/spec/auth/token.md, `expires_in`). */
const shortestLife = 60;

/** No server takes a longer one in a header. */
const text = z
  .string()
  .max(64 * 1024)
  .nullish();
const answerSchema = z.object({
  token: text,
  access_token: text,
  expires_in: z.number().nullish().catch(undefined),
});

/**
 * The request for a token with these scopes (`repository:ns/repo:pull,push`), to the address that the
 * registry names. distribution, docs/spec/auth/token.md and oauth.md. @throws where it names none
 */
export function createTokenRequest(
  { parameters }: Challenge,
  scopes: readonly string[],
  credentials: Credentials | undefined,
): HttpRequest {
  const url = new URL(parameters.get("realm") ?? "");
  const service = parameters.get("service") ?? "";
  if (credentials !== undefined && "identityToken" in credentials) {
    return createRefresh(url, { service, scopes, identityToken: credentials.identityToken });
  }
  if (service !== "") url.searchParams.append("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  if (credentials === undefined) return { method: "GET", url };
  url.searchParams.append("account", credentials.username);
  if (credentials.password === "") return { method: "GET", url };
  return { method: "GET", url, headers: { authorization: renderBasic(credentials) } };
}

/** RFC 7617 */
export function renderBasic({
  username,
  password,
}: {
  readonly username: string;
  readonly password: string;
}): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

interface Refresh {
  readonly service: string;
  readonly scopes: readonly string[];
  readonly identityToken: string;
}

function createRefresh(url: URL, { service, scopes, identityToken }: Refresh): HttpRequest {
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    refresh_token: identityToken,
    client_id: clientId,
    service,
    scope: scopes.join(" "),
  });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return { method: "POST", url, headers, body: form.toString() };
}

/** @throws where the answer has no token */
export function parseToken(response: HttpResponse): Token {
  if (response.status !== 200) throw createAnswerError(response, "the token server");
  const { success, data } = answerSchema.safeParse(tryParseJson(response.body));
  const text = success ? data.token || data.access_token : undefined;
  if (!text) throw createRegistryError("server", "the token server answers without a token");
  return { text, expires: Date.now() + Math.max(data?.expires_in ?? 0, shortestLife) * 1000 };
}
