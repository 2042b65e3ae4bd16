import type { EngineTrait } from "../versions.ts";
import type { BuildCall } from "./commands.ts";
import { epochVariable } from "./layering-arguments.ts";

const timestampFlag = "--timestamp=";

/**
 * The call in the words of the engine's version, which is asked for only where versions differ.
 * `--timestamp` beside a SOURCE_DATE_EPOCH, the call's or the environment's, means the same in the newer words, but
 * that files older than that keep their time: layers that xbuild packs are as they were.
 */
export async function fitCall(
  call: BuildCall,
  has: (trait: EngineTrait) => Promise<boolean>,
): Promise<BuildCall> {
  const time = call.flags.find((flag) => flag.startsWith(timestampFlag));
  if (time === undefined || !hasEpoch(call) || !(await has("epochIsTime"))) return call;
  const flags = call.flags.filter((flag) => flag !== time);
  const newer = [`--source-date-epoch=${time.slice(timestampFlag.length)}`, "--rewrite-timestamp"];
  return { ...call, flags: [...flags, ...newer] };
}

function hasEpoch({ buildArgs }: BuildCall): boolean {
  return buildArgs.has(epochVariable) || (process.env[epochVariable] ?? "") !== "";
}
