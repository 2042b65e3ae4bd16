import { setFlagsFromString } from "node:v8";

/** Those whose flag it is: others would write to standard error that they do not know it. */
const [least, most] = [11, 13];

/**
 * From now on V8 gives young objects no more room than they have: 1 MiB twice, or what they have had until then. It would
 * grow to 16 MiB three times, for what is garbage a moment later. Tried with Node.js 20, 22 and 24; with others nothing
 * happens. Of this process alone, so that it is for the command line to say.
 */
export function limitYoungObjects(): void {
  const version = Number.parseInt(process.versions.v8, 10);
  if (version >= least && version <= most) setFlagsFromString("--semi-space-growth-factor=1");
}
