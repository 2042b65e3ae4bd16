import { XbuildError } from "../../errors.ts";

/** The error for an attribute of a target that xbuild has nothing for. */
export function unsupported(target: string, what: string, hint: string): XbuildError {
  return new XbuildError("bake-unsupported", `the target ${target} asks for ${what}`, { hint });
}
