import { delimiter } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { isInstalled } from "../../src/system/is-installed.ts";
import { type BuildKit, useBuildKit } from "../support/buildkit.ts";
import { type Dockerd, useDockerd } from "../support/dockerd.ts";
import type { Project } from "../support/project.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { useSandbox } from "../support/sandbox.ts";
import { assertStatus } from "../support/xbuild.ts";
import { pushBase } from "./kit-project.ts";
import { isFew } from "./world.ts";

// Docker's own builder (the docker driver of buildx), and images that are loaded into Docker: with a dockerd of these
// days in both ways of keeping images, and with Debian's.

const path = process.env["PATH"] ?? "";
const isThere = ["docker", "containerd", "runc"].every((one) => isInstalled(one, path));

const epoch: Readonly<Record<string, string>> = { SOURCE_DATE_EPOCH: "1600000000" };

describe.skipIf(isFew || !isThere)("dockerd", () => {
  const sandbox = useSandbox();
  const service = useRegistry({ tls: false });
  const buildKit = useBuildKit();
  let project: Project;
  let builds = 0;

  beforeAll(async () => {
    await configureAccess(sandbox.directory, service.proxy, { credentials: undefined });
    const base = await pushBase(sandbox, service.proxy.host);
    project = await sandbox.project({
      "Containerfile.x": `FROM ${base} AS below
OUTPUT --inherit-config /layers
RUN /layers/bin/layer add below /bin /etc/passwd /tmp
FROM below
RUN echo made > /made
OUTPUT --from=below /layers
RUN /layers/bin/layer add made /made
CMD ["/bin/cat", "/made"]
`,
    });
  });

  /** Builds with an empty store; a dockerd without a network has none for steps. */
  const build = (dockerd: Dockerd, words: readonly string[], times = epoch) => {
    const env = { ...environment(buildKit, dockerd), ...times };
    builds += 1;
    const store = `${project.store}-${builds}`;
    return project.run(["--engine=buildkit", "--network=none", ...words, project.context], {
      env: { ...env, XBUILD_STORE: store },
    });
  };

  describe("that keeps images in containerd's store", () => {
    const dockerd = useDockerd("containerd");

    test("builds the same image as buildah, and has it", async () => {
      const words = ["--engine=buildah", "--no-load"];
      const { metadata } = await project.build(words, { env: epoch });
      const names = ["-t", "localhost/app:1", "-t", "localhost/app:2", "--load"];
      const outcome = await build(dockerd, ["--builder=default", ...names]);
      assertStatus(outcome, 0);
      // Its name, that is: that a step has no network is part of what an image is known by.
      expect(outcome.stdout).toContain(metadata.configDigest.slice("sha256:".length));
      expect(await dockerd.ask("run", "--rm", "--network=none", "localhost/app:2")).toBe("made");
    });

    test("is left no image that has no name", async () => {
      const words = ["--builder=default", "-t", "localhost/app:3", "--no-load"];
      assertStatus(await build(dockerd, words, {}), 0);
      const dangling = ["--all", "--quiet", "--filter=dangling=true"];
      expect(await dockerd.ask("images", ...dangling)).toBe("");
    });
  });

  describe("that keeps images in its own store", () => {
    const dockerd = useDockerd("classic");

    test("has an image loaded that another builder has built", async () => {
      const words = ["-t", "localhost/app:1", "-t", "localhost/app:2", "--load"];
      const outcome = await build(dockerd, [`--builder=${buildKit.address}`, ...words]);
      assertStatus(outcome, 0);
      expect(await dockerd.ask("run", "--rm", "--network=none", "localhost/app:2")).toBe("made");
      expect(await dockerd.ask("images", "--quiet")).toMatch(/^(\w+)\n\1$/);
    });

    test("is no builder for us, and that is said", async () => {
      const outcome = await build(dockerd, ["--builder=default", "-t", "localhost/app:1"]);
      expect(outcome.status).not.toBe(0);
      expect(outcome.stderr).toContain("containerd image store");
    });
  });

  describe.skipIf(!isInstalled("dockerd", path))("that is Debian's", () => {
    const dockerd = useDockerd("classic", "dockerd");

    test("is too old, and that is said", async () => {
      const outcome = await build(dockerd, ["--builder=default", "-t", "localhost/app:1"]);
      expect(outcome.status).not.toBe(0);
      expect(outcome.stderr).toMatch(/BuildKit 0\.10/);
    });
  });
});

function environment(
  { clients, env }: BuildKit,
  { host }: Dockerd,
): Readonly<Record<string, string>> {
  return { ...env, DOCKER_HOST: host, PATH: [clients, path].join(delimiter) };
}
