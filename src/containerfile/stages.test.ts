import { describe, expect, test } from "vitest";

import type { Reference, ResolveOptions, StageGraph } from "./model.ts";
import { parseContainerfile } from "./parse.ts";
import { resolveStages } from "./stages.ts";

const defaults: ResolveOptions = {
  buildArgs: new Map(),
  buildContexts: new Set(),
  targetPlatform: "linux/arm64/v8",
  buildPlatform: "linux/amd64",
};

function resolve(text: string, options: Partial<ResolveOptions> = {}): StageGraph {
  return resolveStages(parseContainerfile(Buffer.from(text), "F"), { ...defaults, ...options });
}

function show(reference: Reference | undefined): string {
  if (reference === undefined) return "none";
  if (reference.kind === "stage") return `stage ${reference.index}`;
  return reference.kind === "scratch" ? "scratch" : `${reference.kind} ${reference.name}`;
}

function codes(graph: StageGraph): string[] {
  return graph.diagnostics.map(({ code }) => code);
}

describe("what FROM means", () => {
  test.each<[string, string]>([
    ["FROM alpine", "image alpine"],
    ["FROM scratch", "scratch"],
    ["ARG V=3\nFROM alpine:${V}", "image alpine:3"],
    ["ARG V=3\nARG W=$V.1\nFROM alpine:${W:-x}", "image alpine:3.1"],
    ["FROM alpine AS a\nFROM a", "stage 0"],
    ["FROM alpine AS Build\nFROM BUILD", "stage 0"],
    ["FROM alpine AS a\nFROM debian AS a\nFROM a", "stage 1"],
    ["FROM alpine AS a\nFROM 0", "image 0"],
    ["FROM alpine AS a\nARG X=a\nFROM ${X:-b}", "image b"],
    ["FROM ${TARGETARCH}-base", "image arm64-base"],
    ["FROM ${BUILDPLATFORM}${TARGETVARIANT}", "image linux/amd64v8"],
    ["ARG TARGETOS=x\nFROM ${TARGETOS}", "image x"],
    ["FROM base-${TARGETSTAGE} AS x", "image base-x"],
    ["FROM alpine AS scratch\nFROM scratch", "stage 0"],
  ])("%j ends in %s", (text, expected) => {
    expect(show(resolve(text).stages.at(-1)?.base)).toBe(expected);
  });

  test("build arguments win over defaults and the platform's", () => {
    const buildArgs = new Map([
      ["V", "9"],
      ["TARGETARCH", "riscv64"],
      ["UNDECLARED", "x"],
    ]);
    const text = "ARG V=3\nFROM alpine:$V-$TARGETARCH$UNDECLARED";
    expect(show(resolve(text, { buildArgs }).stages[0]?.base)).toBe("image alpine:9-riscv64");
  });

  test("a named context hides images and stages of its name", () => {
    const buildContexts = new Set(["alpine", "build"]);
    const graph = resolve("FROM alpine AS build\nFROM build\nCOPY --from=build a b", {
      buildContexts,
    });
    expect(graph.stages.map(({ base }) => show(base))).toEqual(["context alpine", "context build"]);
    expect(graph.needed).toEqual([1]);
  });

  test("the platform is expanded", () => {
    const graph = resolve("FROM --platform=$BUILDPLATFORM a\nFROM b");
    expect(graph.stages.map(({ platform }) => platform)).toEqual(["linux/amd64", undefined]);
  });
});

describe("what --from means", () => {
  const start = "FROM alpine AS base\nFROM debian AS other\nFROM scratch\n";

  test.each<[string, string]>([
    ["COPY --from=base a b", "stage 0"],
    ["COPY --from=BASE a b", "stage 0"],
    ["COPY --from=1 a b", "stage 1"],
    ["COPY --from=busybox:1 a b", "image busybox:1"],
    ["ARG X=base\nCOPY --from=$X a b", "stage 0"],
    ["ENV X=other\nARG X=base\nCOPY --from=$X a b", "stage 1"],
    ["COPY --from=${NONE:-other} a b", "stage 1"],
    ["RUN --mount=type=bind,from=other,target=/x true", "stage 1"],
    ['RUN --mount=type=bind,"from=other",target=/x true', "stage 1"],
    ["RUN --mount=from=base --mount=type=cache,target=/y true", "stage 0"],
    ["ADD --from=other a b", "stage 1"],
    ["RUN --mount=type=cache,target=/y true", "none"],
    ["COPY a b", "none"],
  ])("%j uses %s", (text, expected) => {
    const graph = resolve(`${start}${text}\n`);
    expect(graph.diagnostics).toEqual([]);
    expect(show(graph.stages[2]?.uses[0]?.reference)).toBe(expected);
  });

  test("the flag is the one of that mount", () => {
    const [, , stage] = resolve(
      `${start}RUN --mount=type=tmpfs,target=/t --mount=from=1,target=/o true\n`,
    ).stages;
    expect(stage?.uses.map(({ flag }) => flag.value)).toEqual(["from=1,target=/o"]);
  });

  test.each([
    ["COPY --from=$HOME a b", "FROM alpine", ["from-unknown-variable"]],
    ["COPY --from=$HOME a b", "FROM scratch", ["from-blank"]],
    ["ENV X=$HOME\nCOPY --from=$X a b", "FROM alpine", ["from-unknown-variable"]],
    ["ARG X=$HOME\nCOPY --from=$X a b", "FROM alpine", ["from-unknown-variable"]],
    ["ARG X\nCOPY --from=$X a b", "FROM alpine", ["from-unknown-variable"]],
    ["COPY --from=0 a b", "FROM alpine", ["stage-forward-reference"]],
    ["COPY --from=${X a b", "FROM alpine", ["expansion-invalid"]],
  ])("%j behind %s is %j", (text, from, expected) => {
    expect(codes(resolve(`${from}\n${text}\n`))).toEqual(expected);
  });
});

describe("what a target needs", () => {
  const text = [
    "FROM alpine AS a",
    "FROM alpine AS unused",
    "FROM a AS b",
    "FROM alpine AS c",
    "COPY --from=b x y",
    "FROM scratch AS d",
    "OUTPUT --from=c /layers",
    "RUN true",
  ].join("\n");

  test.each<[string | undefined, number, number[]]>([
    [undefined, 4, [0, 2, 3, 4]],
    ["c", 3, [0, 2, 3]],
    ["C", 3, [0, 2, 3]],
    ["2", 2, [0, 2]],
    ["unused", 1, [1]],
  ])("--target=%s", (target, index, needed) => {
    const graph = resolve(text, target === undefined ? {} : { target });
    expect([graph.target, graph.needed]).toEqual([index, needed]);
  });

  test("without a stage there is none", () => {
    expect(resolve("")).toMatchObject({ target: -1, needed: [], stages: [] });
  });

  test("a circle is reported once", () => {
    const circle = "FROM x AS a\nCOPY --from=c 1 2\nFROM a AS b\nFROM b AS c\nFROM c AS d\n";
    expect(codes(resolve(circle)).filter((code) => code === "stage-circle")).toHaveLength(1);
  });

  test.each<[string, boolean]>([
    ["COPY a b", true],
    ["ADD a b", true],
    ["ADD https://files.example/a b", false],
    ["ADD https://files.example/a c b", true],
    ["ADD git@host.example:a.git b", false],
    ["COPY --from=x a b", false],
    ["COPY <<EOF b\nEOF", false],
    ["COPY <<EOF a b\nEOF", true],
    ['COPY ["<<EOF", "b"]', true],
    ["RUN --mount=type=bind,target=/x true", true],
    ["RUN --mount=target=/x true", true],
    ["RUN --mount=type=bind,from=x,target=/x true", false],
    ["RUN --mount=type=cache,target=/x true", false],
    ["RUN true", false],
  ])("%j reads the build context: %s", (instruction, expected) => {
    const reads = resolve(`FROM alpine\n${instruction}\n`).stages[0]?.reads ?? [];
    expect(reads.some(({ context }) => context === undefined)).toBe(expected);
  });
});

function output(text: string) {
  return resolve(text).stages.at(-1)?.output;
}

describe("OUTPUT", () => {
  test("has defaults", () => {
    expect(output("FROM a\nOUTPUT /layers")).toMatchObject({
      path: "/layers",
      from: [],
      inheritConfig: false,
      input: "local",
      reuse: undefined,
      compression: "gzip",
      unknownVariables: [],
    });
  });

  test("has its flags, expanded", () => {
    const text = `ARG G=all
FROM alpine AS base
FROM scratch
ARG G
ARG C=zs
ENV FROM_NAME=base
OUTPUT --from=$FROM_NAME --from="img:1" --inherit-config=true --input=$G --reuse=exact \\
  # the best there is
  --compression=\${C}td -- "/lay ers"/$G`;
    expect(output(text)).toMatchObject({
      path: "/lay ers/all",
      from: [
        { kind: "stage", index: 0 },
        { kind: "image", name: "img:1" },
      ],
      inheritConfig: true,
      input: "all",
      reuse: "exact",
      compression: "zstd",
    });
  });

  test.each<[string, string]>([
    ['OUTPUT ["/a b"]', "/a b"],
    ['OUTPUT ["/$X"]', "/x y"],
    ["OUTPUT /$X", "/x y"],
    ["OUTPUT '/$X'", "/$X"],
    ["OUTPUT /\\$X", "/$X"],
    ["OUTPUT /${X%% *}", "/x"],
    ["OUTPUT /${X//x/z}/", "/z y"],
    ["OUTPUT ${NONE:-/a b}", "/a b"],
    ["OUTPUT /a\\\n/b", "/a/b"],
    ["output /l", "/l"],
    ["OUTPUT //a/./b/../c/", "/a/c"],
    ["OUTPUT a//b", "a//b"],
  ])("%j has the path %s", (line, path) => {
    expect(output(`FROM scratch\nENV X="x y"\n${line}\n`)?.path).toBe(path);
  });

  test.each<[string, string[]]>([
    ["FROM a\nOUTPUT /$HOME/$X", ["HOME", "X"]],
    ["FROM a\nARG X=1\nENV HOME=/h\nOUTPUT /$HOME/$X", []],
    ["FROM a\nENV X=$HOME\nOUTPUT /$X", ["X"]],
    ["FROM a\nARG X\nOUTPUT /$X", ["X"]],
    ["FROM scratch\nOUTPUT /x$HOME", []],
    ["FROM scratch AS b\nENV HOME=/\nFROM b\nOUTPUT /x$HOME$Y", []],
    ["FROM a\nOUTPUT --from=$I /x", ["I"]],
  ])("%j hangs on %j of the base", (text, names) => {
    expect(output(text)?.unknownVariables).toEqual(names);
  });

  test("knows what is set before its line alone", () => {
    const text = "FROM scratch\nARG X=1\nOUTPUT /$X\nARG X=2\nENV X=3\nOUTPUT /y\n";
    expect(output(text)?.path).toBe("/1");
  });
});

function list(text: string, buildArgs: [string, string][] = []) {
  const graph = resolve(text, { buildArgs: new Map(buildArgs) });
  const found = graph.stages.at(-1)?.argumentsAtOutput ?? [];
  return found.map(({ name, value, origin }) => [name, value, origin]);
}

describe("the arguments in scope at OUTPUT", () => {
  test.each<[string, [string, string | undefined, string][]]>([
    ["FROM a\nOUTPUT /l\nARG LATE=1", []],
    [
      "FROM a\nARG A=1 B\nARG C=${A}2\nOUTPUT /l",
      [
        ["A", "1", "default"],
        ["B", undefined, "none"],
        ["C", "12", "default"],
      ],
    ],
    ["ARG A=1\nFROM a\nOUTPUT /l", []],
    ["ARG A=1\nFROM a\nARG A\nOUTPUT /l", [["A", "1", "global"]]],
    ["ARG A=1\nFROM a\nARG A=2\nOUTPUT /l", [["A", "2", "default"]]],
    ["ARG A\nFROM a\nARG A\nOUTPUT /l", [["A", undefined, "none"]]],
    ["FROM a\nARG TARGETARCH\nOUTPUT /l", [["TARGETARCH", "arm64", "platform"]]],
    ["FROM a\nARG G\nOUTPUT /l", [["G", "given", "build-arg"]]],
    ["FROM a\nARG G=default\nOUTPUT /l", [["G", "given", "build-arg"]]],
    ["ARG G=global\nFROM a\nARG G\nOUTPUT /l", [["G", "given", "build-arg"]]],
    ["FROM a\nARG A=$HOME\nOUTPUT /l", [["A", undefined, "default"]]],
    [
      "FROM a\nENV A=env\nARG A=arg\nARG B=$A\nOUTPUT /l",
      [
        ["A", "arg", "default"],
        ["B", "env", "default"],
      ],
    ],
    ["FROM a\nENV A=1\nENV A=2 B=$A\nARG C=$B\nOUTPUT /l", [["C", "1", "default"]]],
    ["FROM a\nARG A=1\nARG A=2\nOUTPUT /l", [["A", "2", "default"]]],
    [
      "FROM a\nARG A='x y' B=\"\\$\"\nOUTPUT /l",
      [
        ["A", "x y", "default"],
        ["B", "$", "default"],
      ],
    ],
    [
      "FROM a AS b\nARG A=1\nENV E=2\nFROM b\nARG C=$A$E\nOUTPUT /l",
      [
        ["A", "1", "default"],
        ["C", "12", "default"],
      ],
    ],
    ["FROM a AS b\nARG A=1\nFROM c\nOUTPUT /l", []],
    [
      "FROM scratch AS b\nARG A=1\nENV E=e\nOUTPUT /l\nENV F=$E$A\nFROM b\nARG X=$F$E\nOUTPUT /l",
      [["X", undefined, "default"]],
    ],
    [
      "FROM scratch AS b\nENV E=e\nOUTPUT --inherit-config /l\nENV F=f\nFROM b\nARG X=$F$E\nOUTPUT /l",
      [["X", "fe", "default"]],
    ],
  ])("%j", (text, expected) => {
    expect(list(text, [["G", "given"]])).toEqual(expected);
  });
});

function reads(text: string, buildArgs: Record<string, string> = {}) {
  return resolveStages(parseContainerfile(Buffer.from(text), "Containerfile.x"), {
    buildArgs: new Map(Object.entries(buildArgs)),
    buildContexts: new Set(["more"]),
    targetPlatform: "linux/amd64",
    buildPlatform: "linux/amd64",
  }).stages.flatMap((stage) => stage.reads);
}

describe("what instructions read of contexts", () => {
  test.each([
    ["COPY a /b", ["a"]],
    ["COPY ./a/ /x//y b /c", ["a", "x/y", "b"]],
    ["COPY . /", [""]],
    ["COPY --chown=1:2 a /", ["a"]],
    ['COPY ["a", "b/c", "/"]', ["a", "b/c"]],
    ["ADD a.tar https://files.example/x /", ["a.tar"]],
    ["COPY <<EOF a /\nx\nEOF", ["a"]],
    ["RUN --mount=source=a,target=/m x", ["a"]],
    ["RUN --mount=type=bind,src=/a/b,target=/m x", ["a/b"]],
    ["RUN --mount=target=/m x", [""]],
    ["ARG D=d\nCOPY $D/${D}x /", ["d/dx"]],
    ["ENV D=d\nCOPY $D /", ["d"]],
    ["COPY a* /", undefined],
    ["COPY a? b /", undefined],
    ["COPY [ab] /", undefined],
    ["COPY a\\b /", undefined],
    ['COPY "a" /', undefined],
    ['COPY ["a b", "/"]', undefined],
    ["COPY ../a /", undefined],
    ["COPY --parents a/b /", undefined],
    ["COPY $UNKNOWN /", undefined],
    ["RUN --mount=source=$D,target=/m x", undefined],
  ])("%j: %j", (instruction, paths) => {
    expect(reads(`FROM alpine\n${instruction}\n`)).toMatchObject([{ context: undefined, paths }]);
  });

  test("a base image may set what an ARG gives, and not what ENV gives", () => {
    const text = "ARG A=a\nENV E=e\nCOPY $A $E /\n";
    expect(reads(`FROM alpine\n${text}`)).toMatchObject([{ paths: ["a", "e"], unless: ["A"] }]);
    expect(reads(`FROM scratch\n${text}`)).toMatchObject([{ paths: ["a", "e"], unless: [] }]);
    expect(reads(`FROM scratch\n${text}`, { A: "x" })).toMatchObject([{ paths: ["x", "e"] }]);
  });

  test("named contexts are told apart, other stages and images read nothing here", () => {
    const text = `FROM alpine AS tools
COPY --from=more a /
RUN --mount=from=more,source=b,target=/m x
FROM alpine
COPY --from=tools c /
COPY --from=busybox d /
RUN --mount=from=tools,target=/m x
RUN --mount=type=cache,target=/m x
`;
    expect(reads(text)).toMatchObject([
      { context: "more", paths: ["a"], isMount: false },
      { context: "more", paths: ["b"], isMount: true },
    ]);
  });
});

test("instructions that say something else with another value of an ARG", () => {
  const text =
    "FROM a\nARG V=1\nARG W\nENV X=$V\nLABEL l=${W:-x}\nUSER u\nRUN $V\nCOPY $V /\nWORKDIR /$X\n";
  const used = resolve(text).stages[0]?.argumentUses ?? [];
  expect(
    used.map((use) => [use.instruction.keyword, use.arguments.map(({ name }) => name)]),
  ).toEqual([
    ["ENV", ["V"]],
    ["LABEL", ["W"]],
  ]);
});
