import { medianOf, type Measurement, type Moved } from "./measure.ts";

/** The middle of some rounds, and the outermost. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: medianOf(values), least: Math.min(...values), most: Math.max(...values) };
}

/** Of each round's: the sides ran in turn, so that those of a round had the same machine. */
export function spreadOfRatios(ours: Measurement, peer: Measurement): Spread {
  const ratios = ours.seconds.map(
    (seconds, round) => seconds / (peer.seconds[round] ?? Number.NaN),
  );
  return { ...spreadOf(ratios), median: medianOf(ours.seconds) / medianOf(peer.seconds) };
}

/** The median, and in brackets from where to where; of a single round it alone. */
export function renderSpread(
  { median, least, most }: Spread,
  render: (value: number) => string,
): string {
  const [from, to] = [render(least), render(most)];
  return from === to ? from : `${render(median)} (${from} to ${to})`;
}

export function renderSeconds(seconds: number): string {
  return `${seconds.toFixed(seconds < 1 ? 3 : seconds < 10 ? 2 : 1)} s`;
}

export function renderRatio(ratio: number): string {
  return `${ratio < 10 ? ratio.toPrecision(2) : Math.round(ratio)} x`;
}

export function renderSize(bytes: number): string {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Bytes; an answer without content is no measure for anything. */
const comparable = 1000;

/** What went over the network on either side, and by how much ours is less. */
export function renderMoved(ours: Measurement, peer: Measurement | undefined): readonly string[] {
  if (ours.moved.length === 0) return [];
  const [own, theirs] = [medianMoved(ours), peer && medianMoved(peer)];
  const text = renderUpDown(own);
  if (theirs === undefined) return [text];
  const ratios = (["up", "down"] as const)
    .filter((way) => theirs[way] >= comparable)
    .map((way) => `${way} ${renderRatio(own[way] / theirs[way])}`);
  return [text, `peer ${renderUpDown(theirs)}`, ratios.join(", ")];
}

function medianMoved({ moved }: Measurement): Moved {
  return { up: medianOf(moved.map(({ up }) => up)), down: medianOf(moved.map(({ down }) => down)) };
}

function renderUpDown({ up, down }: Moved): string {
  return `up ${renderSize(up)}, down ${renderSize(down)}`;
}
