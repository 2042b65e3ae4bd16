import { describe, expect, test } from "vitest";
import { isInstalled } from "../../src/system/is-installed.ts";
import { type Dockerd, useDockerd } from "../support/dockerd.ts";
import { buildWithBuildx, type ClientOutcome } from "../support/frontend.ts";
import { useFrontendLab } from "./frontend-lab.ts";
import { isFew } from "./world.ts";

// The frontend with Docker's own builder, in both ways in which a dockerd keeps images.

const path = process.env["PATH"] ?? "";
const isThere = ["docker", "containerd", "runc"].every((one) => isInstalled(one, path));

describe.skipIf(isFew || !isThere)("dockerd", () => {
  const lab = useFrontendLab();

  const text = (): string => `FROM ${lab.base}
ARG SAID=one
OUTPUT /layers
RUN mkdir /o && cp /bin/busybox /o/cat && echo same > /o/same && echo $SAID > /o/said
RUN for name in cat same said; do /layers/bin/layer add $name -C /o $name; done
ENTRYPOINT ["/cat", "/said"]
`;

  /** Docker may call the same bytes by types of its own. */
  const listLayers = async (name: string): Promise<readonly string[]> =>
    (await lab.find(name)).manifest.layers.map(({ digest }) => digest);

  /** A dockerd without a network has none for steps. */
  async function build(dockerd: Dockerd, words: readonly string[]): Promise<ClientOutcome> {
    return buildWithBuildx(lab.buildKit, {
      context: await lab.write({ text: text() }),
      words: ["--network=none", ...words],
      builder: "default",
      env: { DOCKER_HOST: dockerd.host },
    });
  }

  describe("that keeps images in containerd's store", () => {
    const dockerd = useDockerd("containerd");

    test("keeps layers of the previous image, and runs the result", async () => {
      await lab.push("docker:1", { text: text() });
      const name = `${lab.proxy.host}/docker:2`;
      const previous = `--cache-from=${lab.proxy.host}/docker:1`;
      const words = ["--build-arg=SAID=two", previous, "-t", name, "--push", "--load"];
      expect((await build(dockerd, words)).status).toBe(0);
      const [before, after] = [await listLayers("docker:1"), await listLayers("docker:2")];
      expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
      expect(after[2]).not.toBe(before[2]);
      expect(await dockerd.ask("run", "--rm", "--network=none", name)).toBe("two");
    });
  });

  describe("that keeps images in its own store", () => {
    const dockerd = useDockerd("classic");

    test("makes all layers anew, says so, and runs the result", async () => {
      await lab.push("docker:3", { text: text() });
      const previous = `--build-arg=XBUILD_CACHE_FROM=${lab.proxy.host}/docker:3`;
      const made = await build(dockerd, [previous, "-t", "localhost/classic:1"]);
      expect(made.status).toBe(0);
      expect(made.text).toContain("previous-unused");
      const layers = await dockerd.ask(
        "inspect",
        "--format={{len .RootFS.Layers}}",
        "localhost/classic:1",
      );
      expect(layers).toBe("3");
      expect(await dockerd.ask("run", "--rm", "--network=none", "localhost/classic:1")).toBe("one");
    });
  });
});
