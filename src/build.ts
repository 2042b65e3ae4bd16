import { deliverImage, resolveNames } from "./build/deliver.ts";
import { readInputs, type BuildInputs } from "./build/inputs.ts";
import type { BuildPorts, BuildRequest, BuildResult, Continued } from "./build/request.ts";
import { describeResult } from "./build/result.ts";
import { findUpToDate, keepUpToDate } from "./build/up-to-date.ts";
import type { Diagnostic } from "./diagnostics.ts";
import type { XbuildError } from "./errors.ts";
import type { BuildPlan } from "./plan/model.ts";
import type { Store } from "./store/paths.ts";
import { openStore } from "./store/store.ts";

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
  const { warn } = ports.reporter;
  const onDamage = (error: XbuildError): void => warn(describeDamage(error));
  const store = await openStore(request.storeDirectory, { onDamage });
  // A registry that is asked may give a name of ours to another image: then only the end tells.
  const asksEarly = !request.noCache && request.pull !== "always" && request.pull !== "newer";
  const [inputs, loaded] = await Promise.all([
    readInputs(store, request, plan, ports),
    asksEarly ? resolveNames(request, ports) : undefined,
  ]);
  const same = request.noCache ? undefined : await findUpToDate(store, inputs);
  if (same !== undefined) {
    await keepUpToDate(store, request, same);
    await deliverImage(store, request, ports, same, loaded);
    return describeResult(request, same, { upToDate: true });
  }
  if (request.explain) await explain(store, request, plan, ports, inputs);
  // Files of the container's other users can be read, and removed, in the engine's user namespace alone.
  const status = await ports.enterNamespace?.();
  if (status !== undefined) return { continuedElsewhere: status };
  // Start-up time decides how fast a build is that has nothing to do: it loads nothing of this.
  const { buildAnew } = await import("./build/anew.ts");
  return buildAnew(store, request, plan, ports, inputs);
}

/** What is damaged counts as missing: it is told, and built anew. */
function describeDamage({ code, message, hint }: XbuildError): Diagnostic {
  return { code, severity: "warning", message, ...(hint === undefined ? {} : { hint }) };
}

async function explain(
  store: Store,
  request: BuildRequest,
  plan: BuildPlan,
  ports: BuildPorts,
  inputs: BuildInputs,
): Promise<void> {
  const { explainBuild } = await import("./build/explain.ts");
  for (const reason of await explainBuild(store, request, plan, inputs))
    ports.reporter.explain(reason);
}
