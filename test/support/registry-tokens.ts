import { randomBytes } from "node:crypto";
import { createErrorAnswer, createReplacement, type Answer } from "./registry-faults.ts";
import { registryPassword, registryUser } from "./registry.ts";

/** A request as far as its rights go. */
export interface TokenRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly authorization: string | undefined;
}

/** What becomes of a request: an answer at once, or this path of the registry's. */
export type Verdict = { readonly answer: Answer } | { readonly path: string };

/** A token server and the check of its tokens. distribution, "Token Authentication Specification". */
export interface TokenServer {
  readonly judge: (request: TokenRequest) => Verdict;
  /** The WWW-Authenticate header for this request. */
  readonly challenge: (request: TokenRequest) => string;
}

export const basicChallenge = 'Basic realm="xbuild-test"';

const basicCredentials = `Basic ${Buffer.from(`${registryUser}:${registryPassword}`).toString("base64")}`;

/** Tokens are opaque, and good for all scopes that were asked for, by the one user that there is. */
export function createTokenServer(realm: string): TokenServer {
  const tokens = new Map<string, ReadonlySet<string>>();
  const challenge = (request: TokenRequest): string => {
    if (isTokenPath(request.path)) return basicChallenge;
    const scopes = listScopes(request).join(" ");
    const bearer = `Bearer realm="${realm}",service="xbuild-test"`;
    return scopes === "" ? bearer : `${bearer},scope="${scopes}"`;
  };
  const judge = (request: TokenRequest): Verdict => {
    const { method, path, authorization } = request;
    const url = new URL(path, realm);
    if (isTokenPath(path)) return { answer: issueToken(tokens, url, authorization) };
    const rights = tokens.get(authorization?.replace(/^Bearer /i, "") ?? "");
    if (rights === undefined || !mayDo(rights, method, url)) {
      return {
        answer: createErrorAnswer(401, path, { "www-authenticate": challenge(request) }),
      };
    }
    const from = url.searchParams.get("from");
    // A registry declines to mount what the client may not read.
    if (from !== null && !rights.has(`${from}:pull`)) return { path: url.pathname };
    return { path };
  };
  return { judge, challenge };
}

function isTokenPath(path: string): boolean {
  return /^\/token(?:\?|$)/.test(path);
}

function issueToken(
  tokens: Map<string, ReadonlySet<string>>,
  url: URL,
  authorization: string | undefined,
): Answer {
  if (authorization !== basicCredentials) {
    return createErrorAnswer(401, url.pathname, { "www-authenticate": basicChallenge });
  }
  const token = randomBytes(24).toString("base64url");
  const scopes = url.searchParams.getAll("scope").flatMap((scope) => scope.split(" "));
  tokens.set(token, new Set(scopes.flatMap(listRights)));
  return createReplacement({
    body: Buffer.from(JSON.stringify({ token, access_token: token, expires_in: 300 })),
    headers: { "content-type": "application/json", "docker-content-digest": undefined },
  });
}

/** `REPOSITORY:pull`, `REPOSITORY:push`. */
function listRights(scope: string): readonly string[] {
  const [, name, actions] = /^repository:(.+):([a-z*,]+)$/.exec(scope) ?? [];
  return (actions ?? "").split(",").map((action) => `${name}:${action}`);
}

function mayDo(rights: ReadonlySet<string>, method: string, url: URL): boolean {
  const repository = findRepository(url);
  return (
    repository === undefined || rights.has(`${repository}:${isRead(method) ? "pull" : "push"}`)
  );
}

function listScopes({ method, path }: TokenRequest): readonly string[] {
  const url = new URL(path, "http://localhost");
  const repository = findRepository(url);
  if (repository === undefined) return [];
  const from = url.searchParams.get("from");
  return [
    `repository:${repository}:${isRead(method) ? "pull" : "pull,push"}`,
    ...(from === null ? [] : [`repository:${from}:pull`]),
  ];
}

function findRepository(url: URL): string | undefined {
  return /^\/v2\/(.+?)\/(?:blobs|manifests|tags|referrers)\//.exec(url.pathname)?.[1];
}

function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}
