import { cacheIn } from "../buildkit.ts";
import { type FrontendBench, layerCount, withFrontend } from "../frontend.ts";
import { measureInTurn, run, type Contender } from "../measure.ts";
import type { Peers } from "../peers.ts";
import type { Row } from "../results.ts";
import type { Room } from "../room.ts";
import { describeTraffic, readImage, type Traffic, watchTraffic } from "../traffic.ts";
import { withChanges } from "./change.ts";
import { renderHashed, renderLinked, renderSmall, renderSmallOurs } from "./containerfiles.ts";
import { linkedName } from "./debian.ts";

const oursName = "ours, through the frontend";

/**
 * V: a daemon that has nothing; the registry has the image before, and the peer's cache of all steps. The image takes the
 * place of the one before, and then it goes to another repository.
 */
export async function measureFrontendFresh(
  room: Room,
  peers: Peers,
  rounds: number,
): Promise<Row[]> {
  return withFrontend(room, peers, async (bench) => {
    const sides = await prepareSides(bench, "");
    for (const { command } of sides) await run(command);
    const what = `fresh daemon, one of ${layerCount} changed, pushed`;
    const there = await measureFresh(bench, sides, { what, rounds });
    const others = { what: `${what} elsewhere`, rounds };
    return [...there, ...(await measureFresh(bench, await prepareSides(bench, "-other"), others))];
  });
}

interface Side extends Contender {
  /** The repositories of the image before, and of the new one. */
  readonly from: string;
  readonly to: string;
  /** Of each round. */
  readonly traffic: Traffic[];
}

/** @param suffix of the repository that is pushed to; empty where it is that of the image before */
async function prepareSides(bench: FrontendBench, suffix: string): Promise<readonly Side[]> {
  const { base, packages, registry } = bench;
  const [app, linked] = [`${registry.host}/app`, `${registry.host}/linked`];
  const caches = cacheIn(`${linked}:cache`, `${linked}${suffix}:cache`);
  const side = (name: string, from: string, command: Side["command"]): Side => {
    return { name, command, from, to: `${from}${suffix}`, traffic: [] };
  };
  const ours = await bench.ours(renderHashed(base), `${app}${suffix}`, app);
  const peer = await bench.plain(renderLinked(base, packages), `${linked}${suffix}`, caches);
  return [side(oursName, "app", ours), side(`${linkedName}, mode=max`, "linked", peer)];
}

interface How {
  readonly what: string;
  readonly rounds: number;
}

async function measureFresh(
  bench: FrontendBench,
  sides: readonly Side[],
  { what, rounds }: How,
): Promise<Row[]> {
  const { registry, buildKit } = bench;
  const watch = watchTraffic(registry);
  const [ours, ...others] = await withChanges(bench, (next) => {
    const prepared = sides.map(({ name, command, from, to, traffic }) => {
      const prepare = async (): Promise<void> => {
        if (to !== from) await registry.forget(to);
        await buildKit.restart();
        await next();
        watch.begin(traffic, await readImage(registry, from));
      };
      return { name, command, prepare };
    });
    return measureInTurn(prepared, rounds, { meter: watch.meter });
  });
  if (ours === undefined) return [];
  const notes: string[] = [];
  for (const { to, traffic } of sides)
    notes.push(describeTraffic(await readImage(registry, to), traffic));
  const note = notes.join("; peer ");
  const goal = "no layer fetched; layer + 64 KiB";
  return others.map((peer) => ({ what, ours, peer, goal, note }));
}

/** W: a daemon that has built it before. */
export async function measureFrontendUnchanged(
  room: Room,
  peers: Peers,
  rounds: number,
): Promise<Row[]> {
  return withFrontend(room, peers, async (bench) => {
    const { base, packages } = bench;
    const many = { ours: renderHashed(base), peer: renderLinked(base, packages) };
    const small = { ours: renderSmallOurs(base), peer: renderSmall(base) };
    return [
      ...(await measureWarm(bench, many, { what: `${layerCount} layers`, rounds })),
      ...(await measureWarm(bench, small, { what: "three lines", rounds })),
    ];
  });
}

async function measureWarm(
  bench: FrontendBench,
  texts: Readonly<Record<"ours" | "peer", string>>,
  { what, rounds }: How,
): Promise<Row[]> {
  const { registry } = bench;
  const repository = what.replaceAll(" ", "-");
  const name = `${registry.host}/${repository}`;
  const sides = [
    { name: oursName, command: await bench.ours(texts.ours, name) },
    { name: "dockerfile.v0", command: await bench.plain(texts.peer, `${name}-plain`) },
  ];
  // The second build of ours has a previous image, and so the third is the first that has nothing to do.
  for (const { command } of [...sides, ...sides]) await run(command);
  const before = await readImage(registry, repository);
  const [ours, peer] = await measureInTurn(sides, rounds, { meter: registry.meter });
  if (ours === undefined) return [];
  const { digest } = await readImage(registry, repository);
  const note = digest === before.digest ? "same digest" : "NOT the same digest";
  return [{ what: `${what}, nothing changed, pushed`, ours, peer, goal: "under 0.5 s", note }];
}
