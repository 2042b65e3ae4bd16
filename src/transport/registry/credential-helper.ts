import { z } from "zod";
import type { Credentials, Environment } from "./access.ts";

const answerSchema = z.object({ Username: z.string(), Secret: z.string() });

/** Milliseconds; a helper may ask its user something. */
const patience = 30_000;

/**
 * Asks `docker-credential-NAME get`. Undefined where it has none or fails; what it says is read into
 * memory and goes nowhere else. github.com/docker/docker-credential-helpers, README, "Development"
 */
export async function askCredentialHelper(
  name: string,
  server: string,
  env: Environment,
  signal?: AbortSignal,
): Promise<Credentials | undefined> {
  const { execa } = await import("execa");
  const result = await execa(`docker-credential-${name}`, ["get"], {
    input: server,
    env,
    extendEnv: false,
    reject: false,
    stderr: "ignore",
    timeout: patience,
    maxBuffer: 1024 * 1024,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  if (result.exitCode !== 0) return undefined;
  return parseAnswer(result.stdout);
}

function parseAnswer(text: string): Credentials | undefined {
  try {
    const { Username: username, Secret: secret } = answerSchema.parse(JSON.parse(text));
    if (username === "<token>") return { identityToken: secret };
    return username === "" && secret === "" ? undefined : { username, password: secret };
  } catch {
    return undefined;
  }
}
