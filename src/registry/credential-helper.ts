import { z } from "zod";
import type { Credentials, Environment } from "./access.ts";
import { createRegistryError } from "./failures.ts";

const answerSchema = z.object({ Username: z.string(), Secret: z.string() });

/** Milliseconds; a helper may ask its user something. */
const patience = 30_000;

/** What a helper says that has nothing for a server (docker-credential-helpers, `errCredentialsNotFoundMessage`). */
const notFound = "credentials not found in native keychain";
/** Bytes of an answer; what is longer is none. */
const longestAnswer = 64 * 1024;

export interface HelperOptions {
  /** The helper's whole environment. */
  readonly env: Environment;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks `docker-credential-NAME get`. Undefined where it has none; what it says is read into memory and goes
 * nowhere else. github.com/docker/docker-credential-helpers, README, "Development".
 * @throws where it fails: skopeo does without the registry then
 */
export async function askCredentialHelper(
  name: string,
  server: string,
  { env, signal }: HelperOptions,
): Promise<Credentials | undefined> {
  const { execa } = await import("execa");
  const result = await execa(`docker-credential-${name}`, ["get"], {
    input: server,
    env,
    extendEnv: false,
    reject: false,
    stderr: "ignore",
    timeout: patience,
    maxBuffer: longestAnswer,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  if (result.exitCode === 0) return parseAnswer(result.stdout);
  if (result.stdout?.trim() === notFound) return undefined;
  const how = result.exitCode === undefined ? "cannot be run" : `ends with ${result.exitCode}`;
  throw createRegistryError("settings", `docker-credential-${name} ${how}`);
}

function parseAnswer(text: string): Credentials | undefined {
  const { Username: username, Secret: secret } = answerSchema.parse(JSON.parse(text));
  if (username === "<token>") return { identityToken: secret };
  return username === "" && secret === "" ? undefined : { username, password: secret };
}
