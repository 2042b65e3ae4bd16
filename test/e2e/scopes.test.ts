import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Built } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";

// Splitting a stage at OUTPUT must not show: what holds before it holds after it.

const sandbox = useSandbox();

/** A step that makes a layer of what these words expand to, a line each. */
function tell(...words: readonly string[]): string {
  const lines = words.map((word) => `echo "${word}"`).join("; ");
  return `RUN mkdir -p /layers/output/layers/told && { ${lines}; } > /layers/output/layers/told/told`;
}

async function readTold(built: Built): Promise<readonly string[]> {
  const text = await readFile(join(built.image.files, "told"), "utf8");
  return text.trimEnd().split("\n");
}

test("arguments of every kind", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `ARG GLOBAL=global
ARG UNDECLARED=not-seen
FROM ${baseImage}
ARG GLOBAL
ARG PLAIN=plain
ARG QUOTED="two words \\$HOME \\"q\\" 'single' back\\\\slash"
ARG DERIVED=\${PLAIN}-\${GLOBAL}
ARG NONE
ARG GIVEN=default
ARG EMPTY=default
ARG TARGETARCH
ARG TARGETPLATFORM
ARG SHADOWED=argument
ENV SHADOWED=variable
ENV VARIABLE=\${DERIVED}
OUTPUT /layers
ARG LATER=later-\${PLAIN}
${tell(
  "$GLOBAL",
  "$UNDECLARED.",
  "$PLAIN",
  "$QUOTED",
  "$DERIVED",
  "${NONE-unset}",
  "$GIVEN",
  "[$EMPTY]",
  "$TARGETARCH",
  "$TARGETPLATFORM",
  "$SHADOWED",
  "$VARIABLE",
  "$LATER",
)}
LABEL given=\${GIVEN} later=\${LATER}
`,
  });
  const arch = (await sandbox.exec("dpkg", "--print-architecture")).trim();
  const args = ["--build-arg", 'GIVEN=given = "q" $x', "--build-arg", "EMPTY="];
  const built = await project.build(["--no-load", ...args]);
  expect(await readTold(built)).toEqual([
    "global",
    ".",
    "plain",
    "two words $HOME \"q\" 'single' back\\slash",
    "plain-global",
    "unset",
    'given = "q" $x',
    "[]",
    arch,
    `linux/${arch}`,
    "variable",
    "plain-global",
    "later-plain",
  ]);
  expect(built.image.container.Labels).toEqual({
    given: 'given = "q" $x',
    later: "later-plain",
  });
});

test("an argument's default that names a variable of the base image", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage} AS base
ENV FROM_BASE=base
FROM base
ARG DEFAULT=\${FROM_BASE}-x
OUTPUT /layers
${tell("$DEFAULT")}
`,
  });
  expect(await readTold(await project.build(["--no-load"]))).toEqual(["base-x"]);
});

test("OUTPUT's own flags and path are expanded", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}
ARG NAME=layers KIND
ENV DIRECTORY=/a
OUTPUT --compression=\${KIND:-none} "\${DIRECTORY}/\${NAME%s}"
RUN /a/layer/bin/layer add passwd /etc/passwd
`,
  });
  const built = await project.build(["--no-load"]);
  expect(built.metadata.layers[0]?.mediaType).toBe("application/vnd.oci.image.layer.v1.tar");
});

test("SHELL, USER, WORKDIR and ENV hold across OUTPUT, and files stay", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}
RUN mkdir /work && chown app /work && echo file > /work/file
SHELL ["/bin/sh", "-e", "-c"]
ENV A="b c"
WORKDIR /work
USER app
OUTPUT /layers
RUN false; exit 0 || true
`.replace("RUN false; exit 0 || true\n", tell("$(id -un)", "$PWD", "$A", "$(cat file)", "$-")),
  });
  const told = await readTold(await project.build(["--no-load"]));
  expect(told.slice(0, 4)).toEqual(["app", "/work", "b c", "file"]);
  // The shell that SHELL names was told to stop at the first failure.
  expect(told[4]).toContain("e");
});

test("layering steps share one working container", async () => {
  const project = await sandbox.project({
    file: "copied",
    "Containerfile.x": `FROM ${baseImage}
OUTPUT /layers
RUN echo one > /one
ENV TWO=two
WORKDIR /three
COPY file .
ADD file /four/
${tell("$(cat /one)", "$TWO", "$PWD", "$(cat file)", "$(cat /four/file)")}
`,
  });
  const told = await readTold(await project.build(["--no-load"]));
  expect(told).toEqual(["one", "two", "/three", "copied", "copied"]);
});

test("ONBUILD of the base fires once; ONBUILD before OUTPUT never fires", async () => {
  const base = await sandbox.project({
    Containerfile: `FROM ${baseImage}\nONBUILD RUN echo fired >> /fired\n`,
  });
  // ONBUILD exists in the docker format alone.
  await sandbox.exec(
    "buildah",
    "build",
    "--quiet",
    "--format=docker",
    "-t",
    "localhost/onbuild",
    base.context,
  );
  const project = await sandbox.project({
    "Containerfile.x": `FROM localhost/onbuild
ONBUILD RUN echo never >> /fired
OUTPUT /layers
${tell("$(cat /fired)")}
`,
  });
  const built = await project.build(["--no-load"]);
  expect(await readTold(built)).toEqual(["fired"]);
  expect(built.image.container).toEqual({});
});

test("SOURCE_DATE_EPOCH is there where one is set, and nowhere else", async () => {
  const text = `FROM ${baseImage}\nOUTPUT /layers\n${tell("${SOURCE_DATE_EPOCH-unset}")}\n`;
  const project = await sandbox.project({ "Containerfile.x": text });
  const rows: readonly [readonly string[], Record<string, string>, string][] = [
    [[], {}, "unset"],
    [[], { SOURCE_DATE_EPOCH: "11" }, "11"],
    [["--build-arg", "SOURCE_DATE_EPOCH=22"], { SOURCE_DATE_EPOCH: "11" }, "22"],
    [["--timestamp", "33", "--build-arg", "SOURCE_DATE_EPOCH=22"], {}, "33"],
    [["--timestamp", "33"], { SOURCE_DATE_EPOCH: "11" }, "33"],
    [["--timestamp", "33", "--build-arg", "SOURCE_DATE_EPOCH"], { SOURCE_DATE_EPOCH: "11" }, "33"],
  ];
  for (const [args, env, expected] of rows) {
    expect(await readTold(await project.build(["--no-load", ...args], { env }))).toEqual([
      expected,
    ]);
  }
});

test("SOURCE_DATE_EPOCH in the environment, beside --timestamp", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}
ARG SOURCE_DATE_EPOCH
RUN echo "$SOURCE_DATE_EPOCH" > /before
OUTPUT /layers
${tell("$(cat /before) $SOURCE_DATE_EPOCH $(stat -c %Y /before)")}
`,
  });
  const built = await project.build(["--no-load", "--timestamp", "33"]);
  expect(await readTold(built)).toEqual(["33 33 33"]);
});

test("stages: COPY --from, bind mounts, a stage as base, --target", async () => {
  const project = await sandbox.project({
    file: "context",
    "Containerfile.x": `FROM ${baseImage} AS tools
RUN echo tool > /tool
FROM tools AS numbered
RUN echo numbered > /numbered
FROM tools AS final
COPY --from=numbered /numbered /before
OUTPUT /layers
COPY --from=numbered /numbered /after
COPY --from=1 /numbered /by-number
RUN --mount=type=bind,from=numbered,source=/numbered,target=/mounted cat /mounted /before /after /by-number /tool > /all
RUN --mount=type=bind,source=file,target=/context-file cat /context-file >> /all
${tell("$(cat /all)")}
FROM ${baseImage} AS other
RUN false
`,
  });
  const built = await project.build(["--target", "final", "--no-load"]);
  const words = ["numbered", "numbered", "numbered", "numbered", "tool", "context"];
  expect(await readTold(built)).toEqual(words);
});

test("an escape directive, CRLF, and OUTPUT in words that are no directive", async () => {
  const project = await sandbox.project({
    "Containerfile.x": [
      "# escape=`",
      `FROM ${baseImage}`,
      "# OUTPUT /nowhere",
      'ENV TEXT="OUTPUT /nowhere"',
      "RUN true && `",
      "  # a comment inside",
      "  echo OUTPUT /nowhere > /text",
      'RUN ["/bin/echo", "OUTPUT /nowhere"]',
      "output `",
      "  --input=none `",
      "  /layers",
      "RUN /layers/bin/layer add text /text",
      "",
    ].join("\r\n"),
  });
  const built = await project.build(["--no-load"]);
  expect(await readFile(join(built.image.files, "text"), "utf8")).toBe("OUTPUT /nowhere\n");
});
