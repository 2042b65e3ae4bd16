import { queryProgram } from "../programs/run.ts";
import type { BuildKitClient } from "./client.ts";

/** What the client says of its version: `buildctl github.com/moby/buildkit v0.34.2 ...`. */
export async function readVersion(client: BuildKitClient): Promise<string> {
  return (await queryProgram(client.version)).trim();
}
