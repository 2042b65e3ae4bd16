import { statSync } from "node:fs";
import type { Destination } from "../../delivery/delivery.ts";
import { explainTarget, findTarget, refuseTarget } from "../../system/target.ts";

/**
 * Judges the places that `-o` names, as far as that can be done before anything is built. What the engine writes it
 * judges itself. Errors: `output-destination`, with the exit status of wrong usage.
 */
export function assertPlaces(destinations: readonly Destination[]): void {
  for (const destination of destinations) {
    if (destination.kind === "oci") assertDirectory(destination.path);
    else if (destination.kind !== "files") {
      findTarget(destination.path, `-o ${destination.kind}:${destination.path}`);
    }
  }
}

/** Or nothing yet. */
function assertDirectory(path: string): void {
  const what = `-o oci:${path}`;
  const status = explainTarget(what, () => statSync(path, { throwIfNoEntry: false }));
  if (status === undefined || status.isDirectory()) return;
  throw refuseTarget(what, "it is not a directory", "name a directory, or a new one");
}
