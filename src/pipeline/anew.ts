import type { BuildPlan } from "../plan/plan.ts";
import type { Digest, Image } from "../oci/oci.ts";
import { listMissingLayers } from "../store/store.ts";
import type { Store } from "../store/store.ts";
import type { LayerFiles } from "../copy/copy.ts";
import { findBases } from "./bases.ts";
import { withRun, type BuildRun } from "./cleanup.ts";
import { collectImage } from "./collect-image.ts";
import { deliverImage } from "../delivery/delivery.ts";
import { explainBuild } from "./explain.ts";
import { fetchFrom, pickClaims } from "../delivery/delivery.ts";
import { pullPending, type BuildInputs } from "./inputs.ts";
import { prepareLayers } from "./prepare-layers.ts";
import { UselessLayersError } from "../delivery/delivery.ts";
import { assertPresent } from "../delivery/delivery.ts";
import { withoutMovedKey } from "./moved.ts";
import { findPreviousImages } from "./previous.ts";
import { readRemotes, type RemoteImage } from "./remotes.ts";
import type { BuildPorts, BuildRequest, BuildResult } from "./request.ts";
import { announceResult, describeResult } from "./result.ts";
import { buildEnvironment, runLayering } from "./steps.ts";
import { needsBytes } from "./stage-layers.ts";
import { adoptImage, findAdoptable } from "./up-to-date.ts";
import { listClaims, verifyLayers } from "../delivery/delivery.ts";

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
  const found = request.noCache ? undefined : findAdoptable(remotes, inputs, request);
  if (found === undefined || lacks(found.image, gone)) return undefined;
  try {
    const files = await bringAdopted(build, found);
    const outcome = { upToDate: true, coming: new Set(files.keys()) };
    await announceResult(ports, store, request, found.image, outcome);
    await adoptImage(run, request, plan, inputs, remotes, { ...found, files });
    await deliverImage(store, request, ports, found.image, { run, isChecked: true });
    return await describeResult(store, request, found.image, { upToDate: true });
  } catch (error) {
    noteGone(error, gone, build);
    return undefined;
  }
}

/** What is needed of such an image's bytes, checked; what stays elsewhere is asked for. */
async function bringAdopted(
  { store, request, ports, run }: Build,
  { image, files, locations }: RemoteImage,
): Promise<LayerFiles> {
  await verifyLayers({ claims: listClaims(image) }, files, run, ports);
  const missing = await listMissingLayers(store, image);
  const elsewhere = missing.filter((layer) => !files.has(layer.digest));
  if (needsBytes(request)) {
    const wanted = { locations, claims: pickClaims(image, elsewhere) };
    const fetched = await fetchFrom(wanted, request, ports, run);
    return new Map([...files, ...fetched.files]);
  }
  await assertPresent(elsewhere, locations, request.access, ports.signal);
  return files;
}

function lacks({ manifest }: Image, gone: ReadonlySet<Digest>): boolean {
  return manifest.layers.some((layer) => gone.has(layer.digest));
}

/** Each time fewer layers are offered: it ends. */
async function withoutGone<T>(
  build: Build,
  gone: Set<Digest>,
  action: (gone: ReadonlySet<Digest>) => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await action(gone);
    } catch (error) {
      noteGone(error, gone, build);
      await build.run.discardWork();
    }
  }
}

/** @throws the error itself, where it is another one, or says nothing new */
function noteGone(error: unknown, gone: Set<Digest>, { request, ports }: Build): void {
  if (!(error instanceof UselessLayersError)) throw error;
  // Somebody has lied: that is no accident to go on from by oneself.
  if (error.code === "image-untrue" && !request.ignoreCacheErrors) throw error;
  const fresh = error.digests.filter((digest) => !gone.has(digest));
  if (fresh.length === 0) throw error;
  for (const digest of fresh) gone.add(digest);
  const message = `${error.message}; building without these layers`;
  ports.reporter.warn({ code: error.code, severity: "warning", message });
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
  return describeResult(store, request, image, { upToDate: false, layers: collected });
}

async function explainReasons({ store, request, plan, ports, inputs }: Build): Promise<void> {
  if (!request.explain) return;
  const reasons = await explainBuild(store, request, plan, inputs);
  for (const reason of reasons) ports.reporter.explain(reason);
}
