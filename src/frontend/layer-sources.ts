import { XbuildError } from "../errors.ts";
import { diff, merge } from "./llb/operations.ts";
import { type NewLayer, unpackLayer } from "./llb/unpack-layer.ts";
import { addOp, readSource, scratch, type State } from "./llb/state.ts";
import type { BuildKitPlatform } from "./platforms.ts";

/** An image somewhere, by its digest, of which BuildKit can take the lowest layers. */
export interface LayeredImage {
  readonly identifier: string;
  readonly attrs: Readonly<Record<string, string>>;
  readonly platform: BuildKitPlatform | undefined;
}

/** Where a layer comes from. */
export type LayerSource =
  /** One of an image, the lowest being 0. */
  | { readonly kind: "image"; readonly image: LayeredImage; readonly index: number }
  /** A new one. */
  | { readonly kind: "own"; readonly layer: NewLayer }
  /** One of those that a stage has on what is below it: they are taken together. */
  | { readonly kind: "stage"; readonly state: State; readonly below: State };

/** What an image in a registry or a layout is; undefined for what is made of it. */
export function asLayered(state: State): LayeredImage | undefined {
  const source = readSource(state);
  if (source === undefined || !/^(?:docker-image|oci-layout):/.test(source.identifier))
    return undefined;
  const { identifier, attrs, platform } = source;
  return { identifier, attrs, platform };
}

/**
 * An image of these layers, in this order. Layers of an image stand by reference: BuildKit fetches none of them. The lowest
 * are one operation, each other is one of its own: a run of them would be one layer where BuildKit knows the image, or a part
 * of it, as something that it has put together itself. BuildKit, `docs/dev/merge-diff.md`; `cache/manager.go`, `Diff` and
 * `GetByBlob`
 * @param name what clients show of it
 */
export function stackLayers(layers: readonly LayerSource[], name: string): State {
  const parts: State[] = [];
  for (let at = 0; at < layers.length;) {
    const end = findEnd(layers, at);
    parts.push(...takeRun(layers.slice(at, end)));
    at = end;
  }
  return merge(parts, name);
}

/**
 * The same where a builder cannot merge: each new layer is made on what is below it. Errors: `frontend-unsupported` where
 * layers of a second image would stand above.
 */
export function chainLayers(layers: readonly LayerSource[]): State {
  let state = scratch;
  for (let at = 0; at < layers.length;) {
    const end = findEnd(layers, at);
    const [first] = layers.slice(at, end);
    if (first?.kind === "own") state = unpackLayer(first.layer, state);
    else if (first?.kind === "stage" && isSameState(first.below, state)) state = first.state;
    else if (at === 0) state = takeRun(layers.slice(at, end))[0] ?? scratch;
    else throw refuseMerge();
    at = end;
  }
  return state;
}

function isSameState(one: State, other: State): boolean {
  return one.output?.digest === other.output?.digest && one.output?.index === other.output?.index;
}

function refuseMerge(): XbuildError {
  const message = "this builder cannot put layers of several images together";
  return new XbuildError("frontend-unsupported", message, {
    hint: "use Docker's containerd image store, or a builder of the docker-container driver",
  });
}

/** Behind the last of those that are taken together with the one at this place. */
function findEnd(layers: readonly LayerSource[], start: number): number {
  let end = start + 1;
  for (; end < layers.length; end += 1) {
    const [before, next] = [layers[end - 1], layers[end]];
    if (before === undefined || next === undefined || !isNext(before, next)) break;
  }
  return end;
}

function isNext(before: LayerSource, next: LayerSource): boolean {
  if (before.kind === "stage") return next.kind === "stage" && next.state === before.state;
  return (
    before.kind === "image" &&
    next.kind === "image" &&
    next.image === before.image &&
    next.index === before.index + 1
  );
}

function takeRun(run: readonly LayerSource[]): readonly State[] {
  const [first] = run;
  if (first === undefined) return [];
  if (first.kind === "own") return [unpackLayer(first.layer)];
  if (first.kind === "stage") return [diff(first.below, first.state, "[layers] a stage's own")];
  const { image, index } = first;
  if (index === 0) return [takeLowest(image, run.length)];
  return run.map((_, at) =>
    diff(
      takeLowest(image, index + at),
      takeLowest(image, index + at + 1),
      `[layers] ${index + at + 1}`,
    ),
  );
}

/** An image of the lowest so many layers of one. */
export function takeLowest({ identifier, attrs, platform }: LayeredImage, count: number): State {
  if (count === 0) return scratch;
  const key = identifier.startsWith("oci-layout:") ? "oci.layerlimit" : "image.layerlimit";
  const value = { identifier, attrs: { ...attrs, [key]: String(count) } };
  const name = `[layers] ${count} of ${identifier.replace(/^[^:]*:\/\//, "")}`;
  return addOp({ op: { case: "source", value }, platform, name });
}
