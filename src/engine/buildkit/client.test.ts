import { describe, expect, it } from "vitest";
import { type BuildKitClient, createBuildctl, createBuildx } from "./client.ts";
import { emptyCall, type SolveCall } from "./solve-call.ts";

const digest = `sha256:${"a".repeat(64)}` as const;
const files = { directory: "/run/solve 1", name: "Containerfile" };
const buildctl = createBuildctl("tcp://far:1", ["--addr=tcp://far:1", "--tlscacert=/ca.pem"]);
const buildx = createBuildx(["docker", "buildx"], "pool");

const plain: SolveCall = {
  ...emptyCall,
  text: "FROM a\n",
  context: "/my context",
  purpose: "test",
};

/** What stands on the command line beside what always does. */
function moreOf(client: BuildKitClient, given: Partial<SolveCall>): readonly string[] {
  const none = "--output=type=cacheonly";
  const usual = client.renderBuild(plain, files).command.filter((word) => word !== none);
  const { command } = client.renderBuild({ ...plain, ...given }, files);
  expect(command).toEqual(expect.arrayContaining([...usual]));
  return command.filter((word) => !usual.includes(word) && word !== none);
}

describe("what always stands there", () => {
  it("for buildctl", () => {
    expect(buildctl.renderBuild(plain, files)).toEqual({
      env: {},
      command: [
        "buildctl",
        "--addr=tcp://far:1",
        "--tlscacert=/ca.pem",
        "build",
        "--frontend=dockerfile.v0",
        "--progress=rawjson",
        "--local=context=/my context",
        "--local=xbuild-file=/run/solve 1",
        "--opt=dockerfilekey=xbuild-file",
        "--opt=filename=Containerfile",
      ],
    });
    expect(buildctl.describe.slice(0, 3)).toEqual([
      "buildctl",
      "--addr=tcp://far:1",
      "--tlscacert=/ca.pem",
    ]);
    expect(buildctl.version).toEqual(["buildctl", "--version"]);
  });

  it("for buildx", () => {
    expect(buildx.renderBuild(plain, files)).toEqual({
      env: {},
      command: [
        "docker",
        "buildx",
        "build",
        "--builder=pool",
        "--progress=rawjson",
        "--provenance=false",
        "--file=/run/solve 1/Containerfile",
        "--output=type=cacheonly",
        "/my context",
      ],
    });
    expect(buildx.describe).toEqual(["docker", "buildx", "inspect", "pool"]);
    expect(buildx.version).toEqual(["docker", "buildx", "version"]);
  });

  it("for the current builder", () => {
    const current = createBuildx(["buildx"], undefined);
    expect(current.renderBuild(plain, files).command.slice(0, 3)).toEqual([
      "buildx",
      "build",
      "--progress=rawjson",
    ]);
    expect(current.describe).toEqual(["buildx", "inspect"]);
    expect(current.name).toBe("the current builder of buildx");
  });
});

interface Row {
  readonly given: Partial<SolveCall>;
  readonly buildctl: readonly string[];
  readonly buildx: readonly string[];
}

const rows: Readonly<Record<string, Row>> = {
  "a platform": {
    given: { platform: "linux/arm64" },
    buildctl: ["--opt=platform=linux/arm64"],
    buildx: ["--platform=linux/arm64"],
  },
  "no cache": { given: { noCache: true }, buildctl: ["--no-cache"], buildx: ["--no-cache"] },
  arguments: {
    given: {
      buildArgs: new Map([
        ["A", "1"],
        ["B", "x=y z"],
        ["EMPTY", ""],
      ]),
    },
    buildctl: ["--opt=build-arg:A=1", "--opt=build-arg:B=x=y z", "--opt=build-arg:EMPTY="],
    buildx: ["--build-arg=A=1", "--build-arg=B=x=y z", "--build-arg=EMPTY="],
  },
  flags: {
    given: { flags: ["--secret=id=a", "--network=none", "--tls-verify=false"] },
    buildctl: ["--secret=id=a", "--opt=force-network-mode=none"],
    buildx: ["--secret=id=a", "--network=none"],
  },
  "a directory": {
    given: {
      sources: new Map([
        ["files", { kind: "directory", path: "/some dir", sentAs: { name: "xbuild-1" } }],
      ]),
    },
    buildctl: ["--local=xbuild-1=/some dir", "--opt=context:files=local:xbuild-1"],
    buildx: ["--build-context=files=/some dir"],
  },
  "a directory whose name is an image's": {
    given: { sources: new Map([["r.example:5000/a", { kind: "directory", path: "/d" }]]) },
    buildctl: [
      "--local=xbuild-source-0=/d",
      "--opt=context:r.example:5000/a=local:xbuild-source-0",
    ],
    buildx: ["--build-context=r.example:5000/a=/d"],
  },
  images: {
    given: {
      sources: new Map([
        ["a", { kind: "registry", name: `r.example/a@${digest}` }],
        ["b", { kind: "layout", directory: "/lay out", digest }],
      ]),
    },
    buildctl: [
      `--opt=context:a=docker-image://r.example/a@${digest}`,
      "--oci-layout=xbuild-layout-1=/lay out",
      `--opt=context:b=oci-layout://xbuild-layout-1@${digest}`,
    ],
    buildx: [
      `--build-context=a=docker-image://r.example/a@${digest}`,
      `--build-context=b=oci-layout:///lay out@${digest}`,
    ],
  },
  "what is BuildKit's own": {
    given: { sources: new Map([["g", { kind: "other", value: "https://e.example/x.git#main" }]]) },
    buildctl: ["--opt=context:g=https://e.example/x.git#main"],
    buildx: ["--build-context=g=https://e.example/x.git#main"],
  },
  "files as a tar": {
    given: { output: { kind: "tar" } },
    buildctl: ["--output=type=tar,dest=-,source-date-epoch="],
    buildx: ["--output=type=tar,dest=-,source-date-epoch="],
  },
  "a layout": {
    given: { output: { kind: "layout", directory: '/a,b/"c"' } },
    buildctl: [
      '--output=type=oci,tar=false,compression=uncompressed,force-compression=true,source-date-epoch=,"dest=/a,b/""c"""',
    ],
    buildx: [
      '--output=type=oci,tar=false,compression=uncompressed,force-compression=true,source-date-epoch=,"dest=/a,b/""c"""',
    ],
  },
  "an output in the user's words": {
    given: { output: { kind: "words", words: "type=local,dest=/x" } },
    buildctl: ["--output=type=local,dest=/x"],
    buildx: ["--output=type=local,dest=/x"],
  },
};

describe.each(Object.entries(rows))("%s", (_, row) => {
  it("for buildctl", () => expect(moreOf(buildctl, row.given)).toEqual(row.buildctl));
  it("for buildx", () => expect(moreOf(buildx, row.given)).toEqual(row.buildx));
});

it("hands hidden arguments to buildx in its environment", () => {
  const given = {
    ...plain,
    buildArgs: new Map([
      ["OPEN", "1"],
      ["S", "secret\nof lines"],
    ]),
    hiddenArgs: new Set(["S"]),
  };
  const { command, env } = buildx.renderBuild(given, files);
  expect(env).toEqual({ S: "secret\nof lines" });
  expect(command).toContain("--build-arg=S");
  expect(command.join(" ")).not.toContain("secret");
});
