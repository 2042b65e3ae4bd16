import { spawnSync } from "node:child_process";
import { RequestError } from "./request.mjs";

/**
 * Runs a program that says itself what went wrong. What it prints otherwise is left out.
 * @throws RequestError where it fails
 */
export function run(program, words, options = {}) {
  const { error, status } = spawnSync(program, words, {
    stdio: ["ignore", "ignore", "inherit"],
    ...options,
  });
  if (status !== 0)
    throw new RequestError(`${program} has failed: ${error?.message ?? `status ${status}`}`);
}
