import { engineNames, isEngineName, type EngineName } from "../../engine/engine.ts";
import type { CliIo } from "../io.ts";
import { refuseValue } from "./values.ts";

/**
 * The engine that `--engine` names, else the one that `XBUILD_ENGINE` does; undefined where nobody names one.
 * @param given the flag's value
 * @throws XbuildError `usage`
 */
export function readEngineName(
  given: string | undefined,
  env: CliIo["env"],
): EngineName | undefined {
  // An empty variable names none, as with the engines' own.
  const name = given ?? (env["XBUILD_ENGINE"] || undefined);
  if (name === undefined || isEngineName(name)) return name;
  const source = given === undefined ? "XBUILD_ENGINE" : "--engine";
  throw refuseValue(source, name, engineNames);
}
