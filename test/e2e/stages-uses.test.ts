import { beforeAll, describe, expect, test } from "vitest";
import type { Built, Project } from "../support/project.ts";
import { afterWords } from "../support/engine.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { listRunSorted } from "../support/stages.ts";

// All that a stage may use of a stage with OUTPUT, and what its image then says.

const sandbox = useSandbox();

const containerfile = `ARG HEAD=head
FROM ${baseImage} AS base
ENV BEFORE=1
OUTPUT --from=ctx --inherit-config /layers
RUN mkdir -p /o/home && echo base > /o/base && chown 1000 /o/home && /layers/bin/layer add base -C /o base home
ENV LATER=2 FILE=base
WORKDIR /home
USER app
CMD ["/bin/sh"]
LABEL of=base
FROM ${baseImage} AS alone
OUTPUT /layers
ENV FILE=alone
RUN mkdir /o && echo alone > /o/alone && /layers/bin/layer add alone -C /o alone
FROM base AS child
RUN --mount=type=bind,from=1,target=/m echo "$BEFORE $LATER $(pwd) $(id -u) $(cat /m/alone)" > ran
COPY --from=alone /$FILE* /alone /home/copied/
ARG HEAD
ENTRYPOINT ["/bin/echo"]
FROM alone AS grandchild
COPY --from=child /home/ran /ran
ADD added /added
FROM ${baseImage} AS base
COPY --from=2 /home/copied /copied
COPY --from=grandchild /ran /ran
FROM base AS last
OUTPUT --from=child --from=grandchild --from=${baseImage} /layers
COPY --from=alone /alone /seen-alone
COPY --from=grandchild /added /seen-added
RUN --mount=type=bind,from=child,target=/child --mount=type=bind,from=base,target=/b cat /child/base /b/copied/alone /ran /seen-alone /seen-added > /seen; /layers/bin/layer add seen -C / seen; cat /seen; ${afterWords}
`;

let project: Project;
let built: Built;
const contexts = ["--no-load", `--build-context=ctx=docker-image://${baseImage}`];

beforeAll(async () => {
  project = await sandbox.project({ "Containerfile.x": containerfile, added: "added\n" });
  built = await project.build(contexts);
});

test("FROM, COPY --from, mounts and OUTPUT --from mean the image of the stage", () => {
  expect(listRunSorted(built)).toEqual(["alone", "base", "child", "grandchild", "last"]);
  for (const line of ["base", "alone", "1 2 /home 1000 alone", "alone", "added"]) {
    expect(built.stdout).toContain(`[last] ${line}\n`);
  }
  const names = built.metadata.layers.map((layer) => layer.name.replace("/bin/sh -c ", ""));
  expect(names.filter((one) => !one.startsWith("["))).toEqual([
    "base",
    expect.stringMatching(/^--mount=type=bind,from=alone,target=\/m echo/),
    expect.stringContaining("COPY"),
    "alone",
    expect.stringContaining("COPY"),
    expect.stringContaining("ADD"),
    "seen",
  ]);
  expect(JSON.stringify(built.image)).not.toContain("xbuild-run");
});

test("the config is that of the first --from image, as the engine made it on a stage's image", () => {
  expect(built.image.config.config).toEqual({
    User: "app",
    Env: [expect.stringMatching(/^PATH=/), "BEFORE=1", "LATER=2", "FILE=base"],
    Entrypoint: ["/bin/echo"],
    WorkingDir: "/home",
    Labels: { of: "base" },
  });
});

test("a stage as a target of its own is what it is below, and nothing is built for it", async () => {
  const alone = await project.build([...contexts, "--target=grandchild"]);
  expect(alone.builds).toEqual([]);
  const below = built.metadata.layers.map(({ digest }) => digest);
  for (const { digest } of alone.metadata.layers) expect(below).toContain(digest);
  expect((await project.build(contexts)).builds).toEqual([]);
});

describe("triggers and variables that only the stage's image says", () => {
  const text = `FROM ${baseImage} AS parent
ONBUILD RUN echo inherited trigger
OUTPUT --from=${baseImage} --inherit-config /layers
COPY which /which
RUN mkdir /o && cp /which /o/ && /layers/bin/layer add which -C /o which
RUN printf '{"Env":["FILE=%s"],"OnBuild":["COPY %s /triggered","ENV FIRED=yes"]}' $(cat /which) $(cat /which) > /layers/output/config.json
FROM parent AS child
COPY $FILE /copied
RUN echo "$FIRED $(cat /triggered /copied | tr '\\n' ' ')"; ${afterWords}
FROM ${baseImage}
OUTPUT --from=child /layers
RUN true
`;

  test("each file that a trigger or a variable names counts, and no stale result is given", async () => {
    const files = { "Containerfile.x": text, which: "one", one: "1\n", two: "2\n" };
    const triggers = await sandbox.project(files);
    const build = (): Promise<Built> => triggers.build(["--no-load"]);
    const says = async (files: Readonly<Record<string, string>>, said: string): Promise<void> => {
      await triggers.write(files);
      const { stdout } = await build();
      expect(stdout).toContain(`[child] ${said}\n`);
    };
    await says({}, "yes 1 1 ");
    await says({ one: "uno\n" }, "yes uno uno ");
    await says({ which: "two" }, "yes 2 2 ");
    const { digest } = (await build()).metadata;
    const again = await build();
    expect(again).toMatchObject({ builds: [], metadata: { digest, upToDate: true } });
  });
});
