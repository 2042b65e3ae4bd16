import { measureInTurn, type Contender, type Meter } from "../measure.ts";
import type { Row } from "../results.ts";
import { withChanges } from "./change.ts";
import { countLayers, readMetadata, type DebianBuilds } from "./debian.ts";
import { warmUp, withEngine, type EngineSides } from "./engine-sides.ts";

/** R: as A, our steps run by BuildKit. */
export async function measureEngineUnchanged(builds: DebianBuilds, rounds: number): Promise<Row[]> {
  return withEngine(builds, async ({ archived }) => {
    await warmUp(archived);
    const before = await readMetadata(builds);
    const note = async (): Promise<string> => {
      const after = await readMetadata(builds);
      const isSame = after.digest === before.digest && after.upToDate;
      return isSame ? "same digest" : "NOT up to date";
    };
    return measure(builds, archived, { what: "nothing changed", rounds, goal: "0.3 x", note });
  });
}

/** S: as B. */
export async function measureEngineChanged(builds: DebianBuilds, rounds: number): Promise<Row[]> {
  return withEngine(builds, async ({ archived }) => {
    await warmUp(archived);
    return withChanges(builds, (prepare) =>
      measure(builds, archived, { what: "one of 96 changed", rounds, goal: "1.0 x", prepare }),
    );
  });
}

/** T: as D, neither the store nor the daemons have anything. */
export async function measureEngineFirst(builds: DebianBuilds, rounds: number): Promise<Row[]> {
  return withEngine(builds, async ({ archived, forget }) => {
    return measure(builds, archived, {
      what: "first build",
      rounds,
      goal: "1.2 x",
      prepare: forget,
    });
  });
}

/** U: as E. What the peer made is in the registry as a cache of all that it can say of it (`mode=max`). */
export async function measureEngineFresh(builds: DebianBuilds, rounds: number): Promise<Row[]> {
  return withEngine(builds, async ({ pushed, forget, meter }) => {
    await warmUp(pushed);
    return withChanges(builds, (next) => {
      const prepare = async (): Promise<void> => {
        await forget();
        await next();
      };
      const what = "fresh machine, one of 96 changed, pushed";
      const how = { what, rounds, goal: "0.05 x in bytes", prepare, meter };
      return measure(builds, pushed, how);
    });
  });
}

interface How {
  readonly what: string;
  readonly rounds: number;
  readonly goal: string;
  readonly prepare?: () => Promise<void>;
  readonly meter?: Meter;
  /** Says what our last build came to; else how much of it is new. */
  readonly note?: () => Promise<string>;
}

async function measure(
  builds: DebianBuilds,
  sides: EngineSides["archived"],
  { what, rounds, goal, note = () => countLayers(builds), ...options }: How,
): Promise<Row[]> {
  const contenders: readonly Contender[] = sides;
  const [ours, ...peers] = await measureInTurn(contenders, rounds, options);
  if (ours === undefined) return [];
  const row = { what: `${what}, by BuildKit`, ours, goal, note: await note() };
  return peers.map((peer) => Object.assign({ peer }, row));
}
