import type { Token } from "./tokens.ts";

/** Tokens by what they are for; each is fetched once until it expires or is refused. */
export interface TokenCache {
  /** It rejects where `fetchToken` does, and does so again: who has refused once is not asked again. */
  readonly read: (key: string, fetchToken: () => Promise<Token>) => Promise<Token>;
  readonly forget: (token: string) => void;
}

/** An empty cache, in memory alone. */
export function createTokenCache(): TokenCache {
  const tokens = new Map<string, Promise<Token>>();
  const keys = new Map<string, string>();
  const readCurrent = async (key: string, fetchToken: () => Promise<Token>): Promise<Token> => {
    const known = tokens.get(key);
    if (known !== undefined && (await known).expires > Date.now()) return known;
    // Somebody else may have asked for a new one since.
    const current = tokens.get(key);
    if (current !== undefined && current !== known) return current;
    const fetched = fetchToken();
    tokens.set(key, fetched);
    return fetched;
  };
  return {
    read: async (key, fetchToken) => {
      const token = await readCurrent(key, fetchToken);
      keys.set(token.text, key);
      return token;
    },
    forget: (token) => {
      const key = keys.get(token);
      // Of several requests that are refused at once, the first makes room for a new token.
      if (keys.delete(token) && key !== undefined) tokens.delete(key);
    },
  };
}
