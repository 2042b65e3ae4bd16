import { join } from "node:path";
import { z } from "zod";
import type { RegistryAccess } from "./access.ts";
import { homeDirectory, readText } from "./files.ts";

/** An auth file, containers-auth.json(5) or Docker's config.json. */
export interface AuthFile {
  readonly auths: ReadonlyMap<string, AuthEntry>;
  /** For each registry, the NAME of its docker-credential-NAME. */
  readonly credHelpers: ReadonlyMap<string, string>;
  /** The NAME of the program for all others. */
  readonly credsStore: string | undefined;
}

export interface AuthEntry {
  /** USER:PASSWORD in base64; "" where a credential helper has them. */
  readonly auth: string;
  readonly identityToken: string;
}

const fileSchema = z.object({
  auths: z
    .record(
      z.string(),
      z.object({ auth: z.string().default(""), identitytoken: z.string().default("") }),
    )
    .nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
  credsStore: z.string().nullish(),
});

/**
 * Where auth files may be, the first that knows a repository counting. containers-auth.json(5); one that
 * the user names is the only one. @param root stands before /run
 */
export function listAuthFiles({ authFile, env }: RegistryAccess, root: string): readonly string[] {
  const chosen = authFile ?? env["REGISTRY_AUTH_FILE"];
  if (chosen) return [chosen];
  const home = homeDirectory(env);
  const runtime = env["XDG_RUNTIME_DIR"];
  return [
    runtime
      ? join(runtime, "containers/auth.json")
      : join(root, "run/containers", String(process.getuid?.()), "auth.json"),
    join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "containers/auth.json"),
    join(env["DOCKER_CONFIG"] || join(home, ".docker"), "config.json"),
  ];
}

/** Reads one auth file. Undefined where there is none, or where it is broken. */
export async function readAuthFile(path: string): Promise<AuthFile | undefined> {
  const { success, data } = fileSchema.safeParse(parseJson(await readText(path)));
  if (!success) return undefined;
  const auths = Object.entries(data.auths ?? {}).map(
    ([key, { auth, identitytoken }]) => [key, { auth, identityToken: identitytoken }] as const,
  );
  return {
    auths: new Map(auths),
    credHelpers: new Map(Object.entries(data.credHelpers ?? {})),
    credsStore: data.credsStore ?? undefined,
  };
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
