import type { BuildPlan } from "../plan/model.ts";
import type { Digest, Image } from "../oci/model.ts";
import type { Store } from "../store/paths.ts";
import { findBases } from "./bases.ts";
import { withRun, type BuildRun } from "./cleanup.ts";
import { collectImage } from "./collect.ts";
import { deliverImage } from "./deliver.ts";
import { explainBuild } from "./explain.ts";
import { pullPending, type BuildInputs } from "./inputs.ts";
import { prepareLayers } from "./layers.ts";
import { LayersGoneError } from "./layers-gone.ts";
import { assertPresent } from "./presence.ts";
import { withoutMovedKey } from "./moved.ts";
import { findPreviousImages } from "./previous.ts";
import { readRemotes, type RemoteImage } from "./remotes.ts";
import type { BuildPorts, BuildRequest, BuildResult } from "./request.ts";
import { describeResult } from "./result.ts";
import { buildEnvironment, runLayering } from "./steps.ts";
import { adoptImage, findAdoptable } from "./up-to-date.ts";

/** One build that is not known to be up to date, from what is asked to where the image goes. */
interface Build {
  readonly store: Store;
  readonly request: BuildRequest;
  readonly plan: BuildPlan;
  readonly ports: BuildPorts;
  readonly inputs: BuildInputs;
  readonly run: BuildRun;
  readonly remotes: readonly RemoteImage[];
}

/**
 * Makes the image and hands it on: a previous image in a registry that was made of the same inputs, else what
 * the build's steps write. Where a layer that was kept proves to be nowhere any more, it is built once more
 * without being offered that layer.
 * @param gone layers that are known to be nowhere
 */
export async function buildAnew(
  store: Store,
  request: BuildRequest,
  plan: BuildPlan,
  ports: BuildPorts,
  inputs: BuildInputs,
  gone: ReadonlySet<Digest> = new Set(),
): Promise<BuildResult> {
  return withRun(store, ports, async (run) => {
    const remotes = await readRemotes(request, ports, run);
    const build: Build = { store, request, plan, ports, inputs, run, remotes };
    const lacking = new Set(gone);
    const same = await adoptRemote(build, lacking);
    if (same !== undefined) return same;
    await explainReasons(build);
    const settled = await pullPending(store, inputs, request, plan, ports);
    return withoutGone(build, lacking, (all) => runBuild({ ...build, inputs: settled }, all));
  });
}

async function adoptRemote(build: Build, gone: Set<Digest>): Promise<BuildResult | undefined> {
  const { store, request, plan, ports, inputs, run, remotes } = build;
  const found = request.noCache ? undefined : findAdoptable(remotes, inputs);
  if (found === undefined || lacks(found.image, gone)) return undefined;
  const { layers } = found.image.manifest;
  const elsewhere = layers.filter((layer) => !found.files.has(layer.digest));
  try {
    await assertPresent(elsewhere, found.locations, request.access, ports.signal);
    await adoptImage(run, request, plan, inputs, remotes, found);
    await deliverImage(store, request, ports, found.image, { run, isChecked: true });
    return describeResult(request, found.image, { upToDate: true });
  } catch (error) {
    noteGone(error, gone, ports);
    return undefined;
  }
}

function lacks({ manifest }: Image, gone: ReadonlySet<Digest>): boolean {
  return manifest.layers.some((layer) => gone.has(layer.digest));
}

/** Each time fewer layers are offered: it ends. */
async function withoutGone<T>(
  { ports, run }: Build,
  gone: Set<Digest>,
  action: (gone: ReadonlySet<Digest>) => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await action(gone);
    } catch (error) {
      noteGone(error, gone, ports);
      await run.discardWork();
    }
  }
}

/** @throws the error itself, where it is another one, or says nothing new */
function noteGone(error: unknown, gone: Set<Digest>, { reporter }: BuildPorts): void {
  if (!(error instanceof LayersGoneError)) throw error;
  const fresh = error.digests.filter((digest) => !gone.has(digest));
  if (fresh.length === 0) throw error;
  for (const digest of fresh) gone.add(digest);
  const message = `${error.message}; it is built without`;
  reporter.warn({ code: error.code, severity: "warning", message });
}

/** The steps in the engine, what they wrote as an image, and where it goes. */
async function runBuild(build: Build, gone: ReadonlySet<Digest>): Promise<BuildResult> {
  const { store, request, plan, ports, inputs, run, remotes } = build;
  const found = await findPreviousImages(store, request, run, remotes, gone);
  const images = await buildEnvironment(request, plan, ports, run, inputs.images);
  const bases = await findBases({
    request,
    plan,
    ports,
    run,
    inputs,
    found,
    stages: images.stages,
  });
  const layers = await prepareLayers(store, request, plan, run, ports, found, bases);
  const configs = await runLayering(request, plan, ports, run, images, layers.directory);
  const settled = await withoutMovedKey(store, request, plan, ports, inputs);
  const made = { store, request, plan, ports, run, inputs: settled, found, bases, configs, layers };
  const { image, layers: collected } = await collectImage(made);
  await Promise.all([run.discardWork(), run.release()]);
  await deliverImage(store, request, ports, image, { run, isChecked: true });
  return describeResult(request, image, { upToDate: false, layers: collected });
}

async function explainReasons({ store, request, plan, ports, inputs }: Build): Promise<void> {
  if (!request.explain) return;
  const reasons = await explainBuild(store, request, plan, inputs);
  for (const reason of reasons) ports.reporter.explain(reason);
}
