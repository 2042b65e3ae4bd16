import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { tryParseJson } from "../oci/oci.ts";
import { ifPresent } from "../system/errno.ts";
import type { RegistryAccess } from "./access.ts";
import { createRegistryError } from "./failures.ts";
import { homeDirectory } from "./files.ts";

/** An auth file, containers-auth.json(5) or Docker's config.json. */
export interface AuthFile {
  readonly auths: ReadonlyMap<string, AuthEntry>;
  /** For each registry, the NAME of its docker-credential-NAME. */
  readonly credHelpers: ReadonlyMap<string, string>;
  /** The NAME of the program for all others. */
  readonly credsStore: string | undefined;
}

export interface AuthFilePlace {
  readonly path: string;
  /** Whether it is Docker's oldest (`~/.dockercfg`): keys are addresses of registries, and nothing stands around them. */
  readonly isLegacy: boolean;
}

export interface AuthEntry {
  /** USER:PASSWORD in base64; "" where a credential helper has them. */
  readonly auth: string;
  readonly identityToken: string;
}

const authsSchema = z.record(
  z.string(),
  z.object({ auth: z.string().nullish(), identitytoken: z.string().nullish() }),
);
const fileSchema = z.object({
  auths: authsSchema.nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
  credsStore: z.string().nullish(),
});

/**
 * Where auth files may be, the first that knows a repository counting. containers-auth.json(5); one that
 * the user names is the only one. @param root stands before /run
 */
export function listAuthFiles(
  { authFile, runtimeDirectories = [], env }: RegistryAccess,
  root: string,
): readonly AuthFilePlace[] {
  const chosen = authFile ?? env["REGISTRY_AUTH_FILE"];
  if (chosen) return [{ path: chosen, isLegacy: false }];
  const home = homeDirectory(env);
  const runtime = env["XDG_RUNTIME_DIR"];
  const paths = [
    runtime
      ? join(runtime, "containers/auth.json")
      : join(
          root,
          "run/containers",
          env["_CONTAINERS_ROOTLESS_UID"] || String(process.getuid?.()),
          "auth.json",
        ),
    ...runtimeDirectories.map((one) => join(one, "containers/auth.json")),
    join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "containers/auth.json"),
    join(env["DOCKER_CONFIG"] || join(home, ".docker"), "config.json"),
  ];
  const legacy = { path: join(home, ".dockercfg"), isLegacy: true };
  return [...paths.map((path) => ({ path, isLegacy: false })), legacy];
}

/** Reads one auth file. Undefined where there is none. @throws where it is broken: skopeo does without the registry then */
export async function readAuthFile({
  path,
  isLegacy,
}: AuthFilePlace): Promise<AuthFile | undefined> {
  const text = await ifPresent(readFile(path, "utf8"));
  if (text === undefined) return undefined;
  const data = parseFile(text, isLegacy);
  // The parser's own words would quote what stands there.
  if (data === undefined) throw createRegistryError("settings", `${path} is no auth file`);
  const auths = Object.entries(data.auths ?? {}).map(([key, { auth, identitytoken }]) => {
    const entry: AuthEntry = { auth: auth ?? "", identityToken: identitytoken ?? "" };
    return [isLegacy ? cutHost(key) : key, entry] as const;
  });
  return {
    auths: new Map(auths),
    credHelpers: new Map(Object.entries(data.credHelpers ?? {})),
    credsStore: data.credsStore ?? undefined,
  };
}

function parseFile(text: string, isLegacy: boolean): z.infer<typeof fileSchema> | undefined {
  const json = tryParseJson(text);
  if (!isLegacy) return fileSchema.safeParse(json).data;
  const auths = authsSchema.safeParse(json).data;
  return auths && { auths };
}

/** The host of an address, whether it has a scheme or not. */
function cutHost(key: string): string {
  return key.replace(/^https?:\/\//, "").split("/")[0] ?? "";
}
