import type { EngineTrait } from "../versions.ts";
import type { BuildCall } from "./commands.ts";
import { epochVariable } from "./layering-arguments.ts";

const timestampFlag = "--timestamp=";

/**
 * The call in the words of the engine's version, which is asked for only where versions differ. `--timestamp` beside
 * an argument SOURCE_DATE_EPOCH means the same in the newer words, but that older files keep their time.
 */
export async function fitCall(
  call: BuildCall,
  has: (trait: EngineTrait) => Promise<boolean>,
): Promise<BuildCall> {
  const time = call.flags.find((flag) => flag.startsWith(timestampFlag));
  if (time === undefined || !call.buildArgs.has(epochVariable)) return call;
  if (!(await has("epochIsTime"))) return call;
  const flags = call.flags.filter((flag) => flag !== time);
  const newer = [`--source-date-epoch=${time.slice(timestampFlag.length)}`, "--rewrite-timestamp"];
  return { ...call, flags: [...flags, ...newer] };
}

/**
 * Our own SOURCE_DATE_EPOCH is no word to the engine: newer ones read it, older ones do not, and what is meant for the
 * steps is an argument of the call. One that stands there by its name alone is read from the environment.
 */
export function hideEpoch({ hiddenArgs }: BuildCall): Readonly<Record<string, string>> {
  return hiddenArgs.has(epochVariable) ? {} : { [epochVariable]: "" };
}
