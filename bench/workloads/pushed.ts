import { join } from "node:path";
import { measureInTurn, medianOf, run } from "../measure.ts";
import { pushOurs, pushPeer, withRegistry } from "../registry.ts";
import { renderSize } from "../format.ts";
import type { Row } from "../results.ts";
import { withChanges } from "./change.ts";
import { countLayers, linkedFile, linkedName, sizeNewLayers, type DebianBuilds } from "./debian.ts";

/** C: as B, and pushed to a registry that has the image before. */
export async function measurePushed(builds: DebianBuilds, rounds: number): Promise<Row[]> {
  const { room, context, metadata, peers } = builds;
  return withRegistry(room, async ({ host, meter }) => {
    const ours = pushOurs(room, `${host}/app`, "--metadata-file", metadata, context);
    const peer = pushPeer(room, `${host}/peer`, "-f", join(context, "Containerfile"), context);
    const linked = peers.buildKit?.build({ context, file: linkedFile, push: `${host}/linked` });
    const sides = [
      { name: "ours, pushed", command: ours },
      { name: "buildah, pushed", command: peer },
      ...(linked === undefined ? [] : [{ name: `${linkedName}, pushed`, command: linked }]),
    ];
    for (const { command } of sides) await run(command);
    const [own, ...others] = await withChanges(builds, (prepare) =>
      measureInTurn(sides, rounds, { meter, prepare }),
    );
    if (own === undefined) return [];
    const sent = medianOf(own.moved.map(({ up }) => up));
    const beyond = renderSize(sent - (await sizeNewLayers(builds)));
    const note = `${await countLayers(builds)}, and ${beyond} beyond that`;
    const what = "one of 96 changed, pushed";
    const goals = ["0.05 x; layer + 32 KiB", "0.6 x"];
    return others.map((side, index) => {
      const goal = goals[index] ?? "";
      return { what, ours: own, peer: side, goal, note: index === 0 ? note : "" };
    });
  });
}
