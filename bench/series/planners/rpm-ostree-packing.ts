import { meanAndDeviation, spreadAround, type Component } from "./components.ts";

/** A component, and how often it changed in a year: `Infinity` for what always does. */
export interface Frequent extends Component {
  readonly frequency: number;
}

type Layer = readonly Frequent[];

/**
 * ostree-rs-ext's packing: of N layers one is reserved for what a later image has more, one is for what always changes,
 * and one for what is small (half of the distance between the median of all sizes and two median deviations, or less).
 * Six tenths of the others are for the largest components, each alone, where these are two deviations over the median or
 * more. All others are divided by frequency and by size, each in three classes (two standard deviations over the mean;
 * half of the distance from the mean to two below it; between them), the most frequent first; each class fills layers of
 * equally many components; where these are too many, the last two are joined, then the two before them, and so on.
 *
 * Gives at most `most - 1` layers.
 */
export function packBySize(components: readonly Frequent[], most: number): readonly Layer[] {
  if (components.length < most) return components.map((one) => [one]);
  const always = components.filter(({ frequency }) => frequency === Infinity);
  const room = most - 2 - Math.min(1, always.length);
  const places = Math.floor(0.6 * room);
  const sorted = components
    .filter(({ frequency }) => frequency !== Infinity)
    .sort((a, b) => b.size - a.size);
  const { large, small, middle } = divideBySize(sorted, places);
  const each = Math.max(
    1,
    Math.floor((sorted.length - places - small.length) / Math.max(1, room - places)),
  );
  const classes = divideByFrequency(middle).flatMap((one) => cut(one, each));
  const below = [...large.map((one): Layer => [one]), ...(small.length > 0 ? [small] : [])];
  const layers = [...below, ...joinPairs(classes, room + 1 - below.length)];
  return always.length > 0 ? [...layers, always] : layers;
}

function divideBySize(sorted: readonly Frequent[], places: number) {
  const { median, deviation } = spreadAround(sorted.map(({ size }) => size));
  const [low, high] = [0.5 * Math.abs(median - 2 * deviation), median + 2 * deviation];
  const large = sorted.filter(({ size }) => size >= high);
  const small = sorted.filter(({ size }) => size < high && size <= low);
  const medium = sorted.filter(({ size }) => size < high && size > low);
  return { large: large.slice(0, places), small, middle: [...large.slice(places), ...medium] };
}

/** Nine classes at most, each sorted by frequency, the least first. */
function divideByFrequency(middle: readonly Frequent[]): readonly Layer[] {
  const sorted = [...middle].sort((a, b) => a.frequency - b.frequency);
  const often = classify(sorted.map(({ frequency }) => frequency));
  const large = classify(sorted.map(({ size }) => size));
  return ["high", "middle", "low"].flatMap((frequency) =>
    ["high", "low", "middle"].map((size) =>
      sorted.filter((one) => often(one.frequency) === frequency && large(one.size) === size),
    ),
  );
}

function classify(values: readonly number[]): (value: number) => string {
  const { mean, deviation } = meanAndDeviation(values);
  const [low, high] = [0.5 * Math.abs(mean - 2 * deviation), mean + 2 * deviation];
  return (value) => (value >= high ? "high" : value <= low ? "low" : "middle");
}

function cut(components: readonly Frequent[], each: number): readonly Layer[] {
  return Array.from({ length: Math.ceil(components.length / each) }, (_, at) =>
    components.slice(at * each, (at + 1) * each),
  );
}

/** Until there are at most `most`, from the end, and again from the end where all have been joined once. */
function joinPairs(layers: readonly Layer[], most: number): readonly Layer[] {
  const joined = [...layers];
  let at = joined.length - 1;
  while (joined.length > Math.max(1, most)) {
    if (at < 1) at = joined.length - 1;
    joined.splice(at - 1, 2, [...(joined[at - 1] ?? []), ...(joined[at] ?? [])]);
    at -= 2;
  }
  return joined;
}
