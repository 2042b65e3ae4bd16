import { join } from "node:path";
import { measureInTurn, medianOf, run } from "../measure.ts";
import { pushOurs, pushPeer, withRegistry } from "../registry.ts";
import { renderSize, type Row } from "../report.ts";
import { withChanges } from "./change.ts";
import { countLayers, sizeNewLayers, type DebianBuilds } from "./debian.ts";

/** C: as B, and pushed to a registry that has the image before. */
export async function measurePushed(builds: DebianBuilds, rounds: number): Promise<Row[]> {
  const { room, context, metadata } = builds;
  return withRegistry(room, async ({ host, meter }) => {
    const ours = pushOurs(room, `${host}/app`, "--metadata-file", metadata, context);
    const peer = pushPeer(room, `${host}/peer`, "-f", join(context, "Containerfile"), context);
    await run(ours);
    await run(peer);
    const [own, theirs] = await withChanges(builds, (prepare) => {
      const contenders = [
        { name: "ours, pushed", prepare, command: ours },
        { name: "buildah, pushed", prepare, command: peer },
      ];
      return measureInTurn(contenders, rounds, meter);
    });
    if (own === undefined) return [];
    const sent = medianOf(own.moved.map(({ up }) => up));
    const beyond = renderSize(sent - (await sizeNewLayers(builds)));
    const note = `${await countLayers(builds)}, and ${beyond} beyond that`;
    const goal = "0.05 x; layer + 32 KiB";
    return [
      { workload: "C", what: "one of 96 changed, pushed", ours: own, peer: theirs, goal, note },
    ];
  });
}
