import { describe, expect, test } from "vitest";
import { resolveTexts } from "../../../test/support/bake.ts";
import { XbuildError } from "../../errors.ts";
import { readBuildLine } from "../line/build-line.ts";
import { toBuildWords } from "./build-words.ts";
import { linkBuilds } from "./links.ts";

function words(target: object): readonly string[] {
  const { targets } = resolveTexts([JSON.stringify({ target: { default: target } })]);
  const found = targets.find(({ name }) => name === "default");
  const all = found === undefined ? [] : toBuildWords(found);
  // Whatever comes out is a command line of `build`.
  expect(readBuildLine(all).error).toBeUndefined();
  return all;
}

test.each<[object, readonly string[]]>([
  [{}, ["."]],
  [{ context: "./app/" }, ["app"]],
  [{ context: "-x" }, ["./-x"]],
  [{ context: "app", dockerfile: "Containerfile.x" }, ["--file=app/Containerfile.x", "app"]],
  [{ context: "app", dockerfile: "../Dockerfile" }, ["--file=Dockerfile", "app"]],
  [{ context: "app", dockerfile: "/a/Dockerfile" }, ["--file=/a/Dockerfile", "app"]],
  [{ context: "app", dockerfile: "cwd://x/D" }, ["--file=x/D", "app"]],
  [{ context: "cwd://app", dockerfile: "D" }, ["--file=app/D", "app"]],
  [
    { context: "https://example.org/a.git", dockerfile: "D" },
    ["--file=D", "https://example.org/a.git"],
  ],
  [{ "dockerfile-inline": "FROM x", dockerfile: "D" }, ["--file=-", "."]],
  [{ dockerfile: "" }, ["."]],
  [{ target: "t", tags: ["a", "b"] }, ["--target=t", "--tag=a", "--tag=b", "."]],
  [
    { args: { A: "x y", B: null, C: 1, D: "" } },
    ["--build-arg=A=x y", "--build-arg=C=1", "--build-arg=D=", "."],
  ],
  [
    { labels: { a: "=" }, annotations: ["k=v", "manifest:k=a:b"] },
    ["--label=a==", "--annotation=k=v", "--annotation=k=a:b", "."],
  ],
  [
    { contexts: { a: "dir", b: "docker-image://x", c: "cwd://d/", d: "" } },
    ["--build-context=a=dir", "--build-context=b=docker-image://x", "--build-context=c=d", "."],
  ],
  [{ platforms: ["linux/amd64", "linux/arm64"] }, ["--platform=linux/amd64,linux/arm64", "."]],
  [{ pull: true, "no-cache": true }, ["--pull=always", "--no-cache=true", "."]],
  [{ pull: false, "no-cache": false, network: "default" }, ["."]],
  [
    { secret: ["id=a,src=x", { id: "b", env: "B" }, { id: "c", type: "env" }] },
    ["--secret=id=a,src=x", "--secret=id=b,env=B", "--secret=id=c", "."],
  ],
  [{ secret: [{ id: "a", src: "x,y" }] }, ['--secret=id=a,"src=x,y"', "."]],
  [{ ssh: ["default", { id: "k", paths: ["a", "b"] }] }, ["--ssh=default", "--ssh=k=a,b", "."]],
  [
    { network: "host", "shm-size": "1m", ulimits: ["nofile=1:2"] },
    ["--network=host", "--shm-size=1m", "--ulimit=nofile=1:2", "."],
  ],
  [
    { "extra-hosts": { h: "192.0.2.1" }, resources: { memory: "1g", "cpu-quota": 5 } },
    ["--add-host=h:192.0.2.1", "--memory=1g", "--cpu-quota=5", "."],
  ],
  [
    { "cache-from": ["x/y:z", "type=inline"], "cache-to": ["type=inline"] },
    ["--cache-from=x/y:z", "."],
  ],
  [
    { "cache-from": ["type=local,src=dir/a b,tag=x"] },
    ["--cache-from=type=local,src=dir/a b,tag=x", "."],
  ],
  [{ "cache-to": ["type=registry,ref=x,mode=max"] }, ["--cache-to=x", "."]],
  [{ attest: ["type=sbom,disabled=true"], entitlements: ["network.host"], call: "build" }, ["."]],
])("%j", (target, expected) => {
  expect(words(target)).toEqual(expected);
});

describe("outputs", () => {
  test.each<[readonly unknown[], readonly string[]]>([
    [[], ["--tag=app"]],
    [["type=cacheonly"], []],
    [["type=docker"], ["--tag=app", "--load"]],
    [["type=docker,dest=a.tar"], ["--tag=app", "--output=docker-archive:a.tar"]],
    [["type=oci,dest=a.tar"], ["--tag=app", "--output=oci-archive:a.tar"]],
    [["type=oci,dest=a,tar=false"], ["--tag=app", "--output=oci:a"]],
    [["type=image"], ["--tag=app"]],
    [
      ["type=image,push=true", "type=docker"],
      ["--tag=app", "--push", "--load"],
    ],
    [
      ["type=registry", "type=image,push=true"],
      ["--tag=app", "--push"],
    ],
    [
      ['type=image,"name=a,b",push=true'],
      ["--tag=app", "--output=docker://a", "--output=docker://b"],
    ],
    [["type=image,name=b"], ["--tag=app", "--tag=b"]],
    [[{ type: "image", "annotation.k": "v" }], ["--tag=app", "--annotation=k=v"]],
    [["out"], ["--tag=app", "--output=type=local,dest=out"]],
    [["-"], ["--tag=app", "--output=type=tar,dest=-"]],
    [[{ type: "local", dest: "a,b" }], ["--tag=app", '--output=type=local,"dest=a,b"']],
  ])("%j", (output, expected) => {
    expect(words({ tags: ["app"], output })).toEqual([...expected, "."]);
  });

  test("what has no name is not loaded", () => {
    expect(words({ output: ["type=docker"] })).toEqual(["."]);
  });
});

test.each([
  [{ attest: ["type=provenance,mode=max"] }, "attest (provenance)"],
  [{ "no-cache-filter": ["a"] }, "no-cache-filter"],
  [{ args: { "a=b": "1" } }, 'args with the name "a=b"'],
  [{ args: { "a\nb": "1" } }, 'args with the name "a\\nb"'],
  [{ policy: [{}] }, "policy"],
  [{ call: "check" }, "call=check"],
  [{ context: "-" }, "standard input as context or dockerfile"],
  [{ dockerfile: "-" }, "standard input as context or dockerfile"],
  [
    { context: "https://example.org/a.git", "dockerfile-inline": "FROM x" },
    "dockerfile-inline with a context elsewhere",
  ],
  [{ annotations: ["index:k=v"] }, "the annotation index:k=v"],
  [{ annotations: ["manifest,index:k=v"] }, "the annotation manifest,index:k=v"],
  [{ "cache-from": ["type=gha"] }, "cache-from of type gha"],
  [{ "cache-to": ["type=local,dest=x"] }, "cache-to of type local"],
  [{ "cache-from": ["type=registry,ref=x,a=b"] }, "cache-from with a"],
  [{ output: ["type=oci"] }, "output type=oci: it has no dest"],
  [
    { output: ["type=image,compression=zstd"] },
    "output type=image,compression=zstd: there is nothing for compression",
  ],
  [{ output: ["type=constructor"] }, "output type=constructor: there is no such type"],
])("%j is refused", (target, what) => {
  const error = expect.objectContaining({
    code: "bake-unsupported",
    message: `the target default asks for ${what}`,
  });
  expect(() => words(target)).toThrow(error);
  expect(() => words(target)).toThrow(XbuildError);
});

test("what another target is made from has a name in the engine's storage", () => {
  const text = JSON.stringify({
    target: {
      default: { contexts: { a: "target:named", b: "target:plain", c: "dir" } },
      named: { tags: ["n"] },
      plain: {},
    },
    group: { all: { targets: ["default", "named"] } },
  });
  const { targets } = resolveTexts([text], { names: ["all"] });
  const builds = targets.map((one) => ({
    name: one.name,
    words: toBuildWords(one),
    inline: undefined,
  }));
  const [named, plain, user] = linkBuilds(builds, { cwd: "/project", loads: true }).map(
    (one) => one.words,
  );
  const [image] = plain?.filter((word) => word.startsWith("--tag=")) ?? [];
  expect(image).toMatch(/^--tag=localhost\/xbuild-bake:[0-9a-f]{16}$/);
  expect(named).toEqual(["--load", "--tag=n", "."]);
  expect(plain).toEqual(["--load", image, "."]);
  expect(user).toEqual([
    "--build-context=a=docker-image://localhost/n:latest",
    `--build-context=b=docker-image://${image?.slice(6)}`,
    "--build-context=c=dir",
    ".",
  ]);
  expect(linkBuilds(builds, { cwd: "/other", loads: true })[1]?.words).not.toContain(image);
  // The store's name is enough for an engine that holds no images.
  const [unloaded] = linkBuilds(builds, { cwd: "/project", loads: false });
  expect(unloaded?.words).toEqual(named?.filter((word) => word !== "--load"));
});
