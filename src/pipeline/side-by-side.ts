import { joinSignals } from "../system/signals.ts";
import { XbuildError } from "../errors.ts";
import { type Image, renderPlatform } from "../oci/oci.ts";
import type { BuildPlan } from "../plan/plan.ts";
import { nameLines } from "../reporter.ts";
import { readImage, type Run } from "../store/store.ts";
import { buildImage } from "./build.ts";
import type { BuildRequest, BuildResult, Continued } from "./request.ts";
import { createGate } from "./gate.ts";
import { createShared } from "./shared.ts";
import type { CallerWorkspace } from "./workspace.ts";

/** What is built for one platform. */
export interface PlatformBuild {
  readonly plan: BuildPlan;
  readonly request: BuildRequest;
}

/** The images in the order of the builds, and what is told of each. */
export interface MadeImages {
  readonly images: readonly Image[];
  readonly results: readonly BuildResult[];
}

type Work = CallerWorkspace & { readonly run: Run };

/**
 * Builds each platform's image, as many at a time as `jobs` says (0: all). No step runs before all builds have got as far:
 * what keeps one of them from it is told at once. Where one fails the others are stopped, and the first failure is told
 * when all have ended. The images are held by the run, at every moment.
 */
export async function buildSideBySide(
  builds: readonly PlatformBuild[],
  jobs: number,
  given: Work,
): Promise<MadeImages | Continued> {
  const stop = new AbortController();
  const signal = joinSignals([given.signal, stop.signal]);
  const shared = given.shared ?? createShared(jobs);
  const work = { ...given, shared, signal, ...joinNamespace(given) };
  const gate = createGate(builds.length, jobs === 0 ? builds.length : jobs);
  const failures: unknown[] = [];
  const outcomes = await Promise.all(
    builds.map(async (build) => {
      try {
        const outcome = await gate.run((beforeSteps) => {
          signal.throwIfAborted();
          const pass = async (): Promise<void> => {
            await beforeSteps();
            signal.throwIfAborted();
          };
          return buildOne(build, { ...work, beforeSteps: pass });
        });
        // All of it goes on in another process, whose end this one has waited for.
        if ("continuedElsewhere" in outcome) stop.abort();
        return outcome;
      } catch (error) {
        failures.push(error);
        stop.abort(error);
        return undefined;
      }
    }),
  );
  const elsewhere = outcomes.find((one) => one !== undefined && "continuedElsewhere" in one);
  if (elsewhere !== undefined && "continuedElsewhere" in elsewhere) return elsewhere;
  if (failures.length > 0) throw failures[0];
  const made = outcomes.flatMap((one) => (one !== undefined && "image" in one ? [one] : []));
  return { images: made.map(({ image }) => image), results: made.map(({ result }) => result) };
}

/** Whichever build asks first starts the whole command over: the others wait for it. */
function joinNamespace({ enterNamespace }: Work): Pick<Work, "enterNamespace"> {
  if (enterNamespace === undefined) return {};
  let entered: Promise<number | undefined> | undefined;
  return { enterNamespace: () => (entered ??= enterNamespace()) };
}

interface Made {
  readonly image: Image;
  readonly result: BuildResult;
}

async function buildOne(build: PlatformBuild, given: Work): Promise<Made | Continued> {
  const { plan, request } = build;
  const { run, store } = given;
  const reporter = nameLines(given.reporter, renderPlatform(request.reuse.platform));
  const beforeNaming = ({ digest }: BuildResult): Promise<void> => run.reserve({ digest });
  const work = { ...given, reporter, beforeNaming };
  for (let attempt = 1; ; attempt += 1) {
    const result = await buildImage(plan, request, work);
    if ("continuedElsewhere" in result) return result;
    const image = (await run.hold(result)) ? await readImage(store, result.digest) : undefined;
    if (image !== undefined) return { image, result };
    // One that was up to date, and that a prune took between the two looks: then it is built.
    if (attempt === 2) throw notKept(result);
  }
}

/** The error for an image that is gone before it is a part of an index. */
export function notKept({ digest }: BuildResult): XbuildError {
  const message = `the image ${digest} was removed from the store while its index was made`;
  return new XbuildError("image-not-found", message, { hint: "build again" });
}
