import { deliverImage, resolveNames, type DeliverOptions } from "../delivery/delivery.ts";
import { describeEvents } from "./events.ts";
import { readInputs } from "./inputs.ts";
import { UselessLayersError } from "../delivery/delivery.ts";
import type { BuildPorts, BuildRequest, BuildResult, Continued } from "./request.ts";
import { announceResult, describeResult } from "./result.ts";
import { findUpToDate, keepUpToDate } from "./up-to-date.ts";
import { XbuildError } from "../errors.ts";
import type { Digest, Image } from "../oci/oci.ts";
import type { BuildPlan } from "../plan/plan.ts";
import type { Store } from "../store/store.ts";
import { hasDeadRuns } from "../store/store.ts";
import { openStore } from "../store/store.ts";

/**
 * Builds the target of `plan`: from the user's request to an image in the store and wherever else
 * it shall go. Nothing that fails touches a tag or a destination.
 * @throws XbuildError
 */
export async function buildImage(
  request: BuildRequest,
  plan: BuildPlan,
  ports: BuildPorts,
): Promise<BuildResult | Continued> {
  const store = await openStore(request.storeDirectory, describeEvents(ports));
  const elsewhere = await cleanUp(store, ports);
  if (elsewhere !== undefined) return elsewhere;
  // A registry that is asked may give a name of ours to another image: then only the end tells.
  const asksEarly = !request.noCache && request.pull !== "always" && request.pull !== "newer";
  const [inputs, loaded] = await Promise.all([
    readInputs(store, request, plan, ports),
    asksEarly ? resolveNames(request, ports) : undefined,
  ]);
  const same = request.noCache ? undefined : await findUpToDate(store, inputs);
  const gone = new Set<Digest>();
  if (same !== undefined && (await handOn(store, request, ports, same, loaded, gone))) {
    return describeResult(store, request, same, { upToDate: true });
  }
  // As above.
  const status = await ports.enterNamespace?.();
  if (status !== undefined) return { continuedElsewhere: status };
  // Start-up time decides how fast a build is that has nothing to do: it loads nothing of this.
  const { buildAnew } = await import("./anew.ts");
  return buildAnew(store, request, plan, ports, inputs, gone);
}

/**
 * Removes what killed runs left, where there is anything: files of the container's other users can be read, and
 * removed, in the engine's user namespace alone.
 */
async function cleanUp(store: Store, ports: BuildPorts): Promise<Continued | undefined> {
  if (!(await hasDeadRuns(store))) return undefined;
  const status = await ports.enterNamespace?.();
  if (status !== undefined) return { continuedElsewhere: status };
  const { cleanDeadRuns } = await import("./cleanup.ts");
  await cleanDeadRuns(store, ports.engine, ports);
  return undefined;
}

/** @returns whether it went well: a prune may have taken the image, or a registry one of its layers (`gone`) */
async function handOn(
  store: Store,
  request: BuildRequest,
  ports: BuildPorts,
  image: Image,
  loaded: DeliverOptions["loaded"],
  gone: Set<Digest>,
): Promise<boolean> {
  try {
    await announceResult(ports, store, request, image, { upToDate: true });
    await keepUpToDate(store, request, image);
    await deliverImage(store, request, ports, image, { loaded });
    return true;
  } catch (error) {
    if (!(error instanceof XbuildError)) throw error;
    if (error instanceof UselessLayersError) for (const digest of error.digests) gone.add(digest);
    else if (error.code !== "image-not-found") throw error;
    return false;
  }
}
