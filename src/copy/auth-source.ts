import { openPrivateFile } from "../system/private-file.ts";
import type { TransportAccess } from "./access.ts";
import { isRegistry, registryOf } from "./reference.ts";

/** Where skopeo finds its credentials. */
export interface AuthSource {
  /** undefined: where it looks by itself. */
  readonly path: string | undefined;
  /** What the program must inherit as descriptor 3 to find that path. */
  readonly fd: number | undefined;
}

/**
 * Does `action` with an auth file that says what --creds says, and that nobody else can read: on Linux it has no name, so
 * that nothing is left of it, also where we are killed. Errors: those of `openPrivateFile`.
 */
export async function withCredentials<T>(
  access: TransportAccess | undefined,
  reference: string,
  action: (auth: AuthSource) => Promise<T>,
): Promise<T> {
  if (access?.creds === undefined || !isRegistry(reference)) {
    return action({ path: access?.authFile, fd: undefined });
  }
  const auth = Buffer.from(fillPassword(access.creds)).toString("base64");
  const auths = { [registryOf(reference)]: { auth } };
  const file = openPrivateFile(JSON.stringify({ auths }));
  try {
    return await action({ path: file.path, fd: file.fd });
  } finally {
    file.close();
  }
}

/** skopeo takes a user without a password as one with an empty one. */
function fillPassword(creds: string): string {
  return creds.includes(":") ? creds : `${creds}:`;
}
