import { open } from "node:fs/promises";
import { join } from "node:path";
import type { ImageReference } from "../../copy/copy.ts";
import { withAnswers } from "../../delivery/delivery.ts";
import { XbuildError } from "../../errors.ts";
import { type Digest, type Image, renderPlatform, type WantedPlatform } from "../../oci/oci.ts";
import { ifPresent } from "../../system/errno.ts";
import { findImage, findStateOf, readImage, type Store } from "../../store/store.ts";
import { readDocuments } from "../read-documents.ts";
import { type HistoryWorkspace, readHistory } from "../read-history.ts";
import type { ReuseRequest } from "../request.ts";
import { describePlan, type LayerPlan } from "./describe-plan.ts";
import { parsePlanFile, type PlanFile } from "./plan-file.ts";

/** Which image's plan is wanted, and what may tell of its past. */
export interface PlanRequest extends Pick<ReuseRequest, "history"> {
  /** As the user wrote it. */
  readonly text: string;
  /** Its full name in the store, where it may have one there. */
  readonly stored: string | undefined;
  readonly reference: ImageReference | undefined;
  readonly platform: WantedPlatform;
}

export interface ImagePlan extends LayerPlan {
  readonly image: Image;
}

/**
 * The plan of an image: of the store's what its build left, else what earlier images tell. Manifests and configs are read
 * alone. Errors: `image-not-found`, those of reading it
 */
export async function readPlan(request: PlanRequest, work: HistoryWorkspace): Promise<ImagePlan> {
  return withAnswers(work, async (own) => {
    const image = await findAnywhere(request, own);
    const recorded = await readRecorded(image, own.store);
    const { releases } =
      recorded === undefined ? await readHistory(request, own) : { releases: [] };
    return { image, ...describePlan(image, { recorded, releases }) };
  });
}

async function findAnywhere(request: PlanRequest, work: HistoryWorkspace): Promise<Image> {
  const { text, stored, reference, platform } = request;
  const image = stored === undefined ? undefined : await findImage(work.store, stored, platform);
  const found = image ?? (reference && (await readDocuments(reference, platform, work)));
  if (found !== undefined) return found;
  const message = `there is no image ${text} for ${renderPlatform(platform)}`;
  throw new XbuildError("image-not-found", message, {
    hint: "check the name; xbuild images lists those of the store, and containers-storage:NAME is one of the engine's",
  });
}

/** The plan is what a step wrote: no more of it is read than a plan may be long. In bytes. */
const longest = 8 * 1024 * 1024;

async function readRecorded(image: Image, store: Store): Promise<PlanFile | undefined> {
  const layers = JSON.stringify(image.config.rootfs.diff_ids);
  const isSame = async (digest: Digest): Promise<boolean> => {
    const other = await readImage(store, digest);
    return other !== undefined && JSON.stringify(other.config.rootfs.diff_ids) === layers;
  };
  const state = await findStateOf(store, image.digest, isSame);
  const file = state === undefined ? undefined : await ifPresent(open(join(state, "plan")));
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size, longest)));
    return parsePlanFile(buffer.toString("utf8", 0, bytesRead));
  } finally {
    await file.close();
  }
}
