import { engineNames, isEngineName, type EngineName } from "../../src/engine/engine.ts";

/**
 * Stands behind the last words of a step where a test reads them. With the isolation `chroot` the engine ends as soon as
 * the step has, and does not wait until it has handed on what that said (chroot/run_linux.go of buildah): on a busy
 * machine the end is lost (1 of some 200 with four builds at once).
 */
export const afterWords = "sleep 0.5";

/** The engine that the end-to-end tests are to run with, where XBUILD_TEST_ENGINE names one. */
const asked = readAsked(process.env["XBUILD_TEST_ENGINE"]);

/** The engine that xbuild takes in the tests where `--engine` does not name one. */
export const testEngine: EngineName = asked ?? engineNames[0];

/** Those that a test of every engine runs with: all that hold images here (test/buildkit/ has the other), or the one that was asked for. */
export const testedEngines: readonly EngineName[] =
  asked === undefined ? engineNames.filter((name) => name !== "buildkit") : [asked];

/** What xbuild is told of it. */
export const engineEnvironment: Readonly<Record<string, string>> =
  asked === undefined ? {} : { XBUILD_ENGINE: asked };

function readAsked(name: string | undefined): EngineName | undefined {
  if (name === undefined || name === "") return undefined;
  if (isEngineName(name)) return name;
  throw new Error(`XBUILD_TEST_ENGINE is ${name}, which is no engine`);
}
