import type { Credentials } from "./access.ts";
import type { Challenge } from "./challenge.ts";
import type { Send } from "./http.ts";
import { createTokenCache } from "./token-cache.ts";
import { createTokenRequest, parseToken, renderBasic } from "./tokens.ts";

/** What a request is about to do. */
export interface Purpose {
  /** Whose credentials are shown, without the registry. */
  readonly repository: string;
  /** `repository:ns/repo:pull,push` */
  readonly scopes: readonly string[];
}

export interface Authorizer {
  /**
   * The Authorization header for the first challenge that is known; undefined: go without one. One token
   * serves all requests with the same scopes. It rejects where no token is to be had.
   */
  readonly authorize: (
    challenges: readonly Challenge[],
    purpose: Purpose,
  ) => Promise<string | undefined>;
  /** Forgets the token of a header that the registry has refused. */
  readonly forget: (authorization: string) => void;
}

/**
 * Shows a registry who is asking.
 * @param send also asks the token server, with the registry's certificates, as containers/image does
 */
export function createAuthorizer(
  send: Send,
  findCredentials: (repository: string) => Promise<Credentials | undefined>,
): Authorizer {
  const tokens = createTokenCache();
  return {
    authorize: async (challenges, { repository, scopes }) => {
      const challenge = challenges.find(({ scheme }) => scheme === "basic" || scheme === "bearer");
      if (challenge === undefined) return undefined;
      const credentials = await findCredentials(repository);
      if (challenge.scheme === "basic") return authorizeUser(credentials);
      const server = ["realm", "service"].map((name) => challenge.parameters.get(name));
      const key = JSON.stringify([server, repository, scopes]);
      const { text } = await tokens.read(key, async () =>
        parseToken(await send(createTokenRequest(challenge, scopes, credentials))),
      );
      return `Bearer ${text}`;
    },
    forget: (authorization) => tokens.forget(authorization.replace(/^Bearer /, "")),
  };
}

function authorizeUser(credentials: Credentials | undefined): string | undefined {
  return credentials !== undefined && "username" in credentials
    ? renderBasic(credentials)
    : undefined;
}
