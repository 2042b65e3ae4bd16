import { meanAndDeviation, spreadAround, sumOf, type Component } from "./components.ts";
import { hashName } from "./hash.ts";

/** A component, and the chance that it stays as it is for a week. */
export interface Rated extends Component {
  readonly stability: number;
}

type Layer = readonly Rated[];

/**
 * chunkah's packing, as its module comment tells it. What is large (from the median of all sizes and 1.5 median
 * deviations up; 2.5 medians where these are less than a hundredth of it) has a layer of its own, the largest first, at most
 * four fifths of the layers. All others fall into three tiers, by whether their stability is a standard deviation above
 * or below their mean; each tier has its part of the layers that are left, by the number of components, at least one.
 * Within a tier a component's layer is its name's hash; an empty layer has the largest component of a tier's layer that
 * has several. The most stable layer (the product of its components' stabilities) lies lowest.
 *
 * `components` are sorted by name.
 */
export function packByStability(components: readonly Rated[], most: number): readonly Layer[] {
  if (components.length <= most) return sortLayers(components.map((one) => [one]));
  const large = findLarge(components, most);
  const rest = [
    ...components.filter((one) => !large.isLarge(one)),
    ...large.sorted.slice(large.alone),
  ];
  const alone = large.sorted.slice(0, large.alone).map((one): Layer => [one]);
  return sortLayers([...alone, ...packTiers(rest, most - alone.length)]);
}

function sortLayers(layers: readonly Layer[]): readonly Layer[] {
  const stability = (layer: Layer): number => layer.reduce((all, one) => all * one.stability, 1);
  return [...layers].sort((a, b) => stability(b) - stability(a));
}

function findLarge(components: readonly Rated[], most: number) {
  const { median, deviation } = spreadAround(components.map(({ size }) => size));
  const limit = median + 1.5 * (deviation < median / 100 ? median : deviation);
  const isLarge = ({ size }: Rated): boolean => size >= limit;
  const found = components.filter(isLarge);
  const room = Math.floor((most - (found.length === components.length ? 0 : 1)) * 0.8);
  const isOver = found.length > room;
  const sorted = isOver ? [...found].sort((a, b) => b.size - a.size) : found;
  return { isLarge, sorted, alone: Math.min(room, found.length) };
}

function packTiers(components: readonly Rated[], most: number): readonly Layer[] {
  if (components.length <= most) return components.map((one) => [one]);
  const { mean, deviation } = meanAndDeviation(components.map(({ stability }) => stability));
  const isHigh = ({ stability }: Rated): boolean => stability >= mean + deviation;
  const isLow = (one: Rated): boolean => !isHigh(one) && one.stability <= mean - deviation;
  const tiers = [
    components.filter(isHigh),
    components.filter((one) => !isHigh(one) && !isLow(one)),
    components.filter(isLow),
  ].filter((tier) => tier.length > 0);
  if (most < tiers.length) return hashIntoLayers(components, most);
  const shares = divideLayers(
    tiers.map((tier) => tier.length),
    most,
  );
  return tiers.flatMap((tier, at) => hashIntoLayers(tier, shares[at] ?? 1));
}

/** Each tier's number of layers: its part of all, at least one, and the last one's is what is left. */
export function divideLayers(counts: readonly number[], most: number): readonly number[] {
  const all = sumOf(counts, (count) => count);
  let given = 0;
  return counts.map((count, at) => {
    const behind = counts.length - at - 1;
    const part = Math.max(1, Math.round((count / all) * most));
    const share = behind === 0 ? most - given : Math.min(part, most - given - behind);
    given += share;
    return share;
  });
}

function hashIntoLayers(components: readonly Rated[], count: number): readonly Layer[] {
  const layers = Array.from({ length: count }, (): Rated[] => []);
  for (const one of components) layers[Number(hashName(one.name) % BigInt(count))]?.push(one);
  for (const empty of layers.filter((layer) => layer.length === 0).toReversed()) {
    const from = findLargestShared(layers);
    if (from === undefined) break;
    from.layer.splice(from.layer.indexOf(from.one), 1);
    empty.push(from.one);
  }
  return layers.filter((layer) => layer.length > 0);
}

/** The largest component that has not its layer alone; of several the last. */
function findLargestShared(
  layers: readonly Rated[][],
): { readonly layer: Rated[]; readonly one: Rated } | undefined {
  return layers
    .filter((layer) => layer.length > 1)
    .flatMap((layer) => layer.map((one) => ({ layer, one })))
    .reduce<{ layer: Rated[]; one: Rated } | undefined>(
      (best, next) => (best !== undefined && best.one.size > next.one.size ? best : next),
      undefined,
    );
}
