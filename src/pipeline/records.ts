import { listNames } from "../delivery/delivery.ts";
import { type Image, isJsonObject, type Json } from "../oci/oci.ts";
import type { BuildRecord } from "../store/store.ts";
import type { KeyParts } from "./resolve-inputs.ts";
import type { Build } from "./workspace.ts";

/**
 * What is written down of a build, so that the next one finds its image: under the key that can be known before other
 * stages are built, under the one that says what came of them, and under
 * that of all platforms. None where nobody knows what it was made of.
 */
export function describeRecords(build: Build, image: Image): readonly BuildRecord[] {
  const { key, exactKey, portableKey } = build.inputs;
  const names = listNames(build.request.delivery);
  const details = describeDetails(build);
  const keys = new Set([key, exactKey, portableKey]);
  return [...keys].flatMap((one) =>
    one === undefined ? [] : [{ key: one, manifest: image.digest, names, details }],
  );
}

/** What the keys are made of, to tell later what changed, and which images of other stages it was made with. */
export function describeDetails({ plan, inputs: { parts, keys, stages } }: Build): KeyParts {
  const { built } = plan.dependencies;
  if (built.length === 0) return parts;
  return {
    ...parts,
    stages: built.map(({ index, name }) => [name, keys.get(index)?.key ?? ""]),
    [usedPart]: built.map(({ index }) => stages.get(index)?.image.digest ?? ""),
  };
}

/** The part of a record that no key is made of: digests of the images of other stages, in their order; "" for none. */
export const usedPart = "images of stages";

/** That part of a record; none where nobody wrote it down. */
export function readUsed({ details }: BuildRecord): readonly Json[] {
  const used = isJsonObject(details) ? details[usedPart] : undefined;
  return Array.isArray(used) ? used : [];
}
