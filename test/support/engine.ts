import { engineNames, isEngineName, type EngineName } from "../../src/engine/engine.ts";

/** The engine that the end-to-end tests are to run with, where XBUILD_TEST_ENGINE names one. */
const asked = readAsked(process.env["XBUILD_TEST_ENGINE"]);

/** The engine that xbuild takes in the tests where `--engine` does not name one. */
export const testEngine: EngineName = asked ?? engineNames[0];

/** Those that a test of every engine runs with: all, or the one that was asked for. */
export const testedEngines: readonly EngineName[] = asked === undefined ? engineNames : [asked];

/** What xbuild is told of it. */
export const engineEnvironment: Readonly<Record<string, string>> =
  asked === undefined ? {} : { XBUILD_ENGINE: asked };

function readAsked(name: string | undefined): EngineName | undefined {
  if (name === undefined || name === "") return undefined;
  if (isEngineName(name)) return name;
  throw new Error(`XBUILD_TEST_ENGINE is ${name}, which is no engine`);
}
