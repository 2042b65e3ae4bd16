import { describe, expect, test } from "vitest";
import { type BakeCall, judgeTexts, resolveTexts } from "../../../test/support/bake.ts";
import type { BakeTarget } from "./schema.ts";

function resolve(documents: object | readonly object[], call: BakeCall = {}) {
  return resolveTexts(
    [documents].flat().map((one) => JSON.stringify(one)),
    call,
  );
}

/** A target by name, without the context that each has. */
function target(
  documents: object | readonly object[],
  name: string,
  call: BakeCall = {},
): BakeTarget | undefined {
  const found = resolve(documents, { names: [name], ...call }).targets.find(
    (one) => one.name === name,
  );
  return found?.target;
}

function judge(documents: object | readonly object[], call: BakeCall = {}): string {
  return judgeTexts(
    [documents].flat().map((one) => JSON.stringify(one)),
    call,
  );
}

function listNames(documents: object, names: readonly string[]): readonly string[] {
  return resolve(documents, { names }).targets.map((one) => one.name);
}

describe("inherits", () => {
  const documents = {
    target: {
      a: {
        args: { A: "a", X: "a" },
        tags: ["a"],
        annotations: ["k=a"],
        platforms: ["linux/arm64"],
      },
      b: { inherits: ["a"], args: { X: "b" }, tags: ["b"], annotations: ["k=b"], pull: true },
      c: { args: { X: "c", C: "c" }, secret: ["id=s,src=c"], "cache-from": ["c"] },
      d: { inherits: ["b", "c"], args: { D: 1 }, secret: ["id=s,env=D"], "cache-from": ["d"] },
    },
  };

  test("the later one of the list wins, and the target itself over all", () => {
    expect(target(documents, "d")).toEqual({
      context: ".",
      args: { A: "a", X: "c", C: "c", D: "1" },
      tags: ["b"],
      annotations: ["k=a", "k=b"],
      platforms: ["linux/arm64"],
      pull: true,
      secret: [{ id: "s", env: "D" }],
      "cache-from": [
        { type: "registry", ref: "c" },
        { type: "registry", ref: "d" },
      ],
    });
  });

  test("--set of a target holds for those that inherit from it, under their own", () => {
    const sets = ["b.args.X=set", "b.args.A=set", "a.tags=", "c.target=set"];
    const { args, tags, target: stage } = target(documents, "d", { sets }) ?? {};
    expect([args, tags, stage]).toEqual([{ A: "set", X: "c", C: "c", D: "1" }, ["b"], "set"]);
  });

  test.each([
    [
      { a: { inherits: ["b"] }, b: { inherits: ["a"] } },
      "docker-bake.json:1:16: targets that inherit form a circle: a -> b -> a",
    ],
    [{ a: { inherits: ["nope"] } }, "docker-bake.json:1:28: there is no target nope"],
  ])("%j", (targets, message) => {
    expect(judge({ target: targets }, { names: ["a"] })).toBe(message);
  });
});

describe("several files", () => {
  const first = {
    variable: { V: { default: "first" } },
    group: { default: { targets: ["a"] } },
    target: {
      a: {
        args: { A: "1", B: "1" },
        tags: ["one"],
        "cache-to": ["type=inline"],
        output: ["one"],
        ulimits: ["nofile=1"],
        inherits: ["p"],
        contexts: { x: "dir", y: "dir" },
      },
      p: { args: { P: "p" } },
    },
  };

  test("targets of one name are merged; some lists are replaced", () => {
    const second = {
      variable: { V: { default: "second" } },
      target: {
        a: [
          {
            args: { A: "${V}" },
            tags: ["two"],
            "cache-to": [],
            output: ["two"],
            ulimits: ["nproc=1"],
          },
          { inherits: ["q"], contexts: { x: "" } },
        ],
        q: { args: { P: "q", Q: "q" } },
      },
    };
    expect(target([first, second], "a")).toEqual({
      context: ".",
      args: { P: "q", Q: "q", A: "second", B: "1" },
      tags: ["two"],
      "cache-to": [],
      output: [{ type: "local", dest: "two" }],
      ulimits: ["nofile=1", "nproc=1"],
      contexts: { y: "dir" },
    });
  });

  test("of groups the last one counts", () => {
    const second = { group: { default: { targets: ["p"] } } };
    const names = resolve([first, second]).targets.map((one) => one.name);
    expect(names).toEqual(["p"]);
  });

  test("a fault has the file and the place that it stands in", () => {
    const message = judge([first, { target: { a: { tags: "x" } } }]);
    expect(message).toBe('2.json:1:24: "tags": a list of texts is expected here');
  });
});

describe("variables", () => {
  const variable = {
    T: { default: "t" },
    N: { default: 3 },
    B: { default: true },
    NONE: { default: null },
    EMPTY: {},
    OF: { default: "${T}-${N}" },
    L: { default: ["x", "y"], type: "list(string)" },
    O: { default: { k: { m: "deep" } } },
  };

  test.each<[unknown, unknown, Readonly<Record<string, string>>]>([
    ["${T}", "t", {}],
    ["${ T }:${N}:${B}:${EMPTY}", "t:3:true:", {}],
    ["${OF}", "t-3", {}],
    ["${OF}", "e-4", { T: "e", N: "4" }],
    ["${local}/x", "here-t/x", {}],
    ["${local}/x", "here-t/x", { local: "env" }],
    ["${O.k.m}", "deep", {}],
    ["$${T} %%{if} $T $ {", "${T} %{if} $T $ {", {}],
    ["$$${T}", "$${T}", {}],
    ["%${T}", "%t", {}],
    ["${B}", "false", { B: "0" }],
    [7, "7", {}],
    [null, undefined, {}],
    ["${NONE}", undefined, {}],
    ["${NONE}", "set", { NONE: "set" }],
    ["${BAKE_LOCAL_PLATFORM}", "linux/amd64", { BAKE_LOCAL_PLATFORM: "env" }],
  ])("%j is %j with %j", (given, expected, env) => {
    const documents = { local: "here-${T}", variable, target: { a: { args: { A: given } } } };
    expect(target(documents, "a", { env })?.args?.["A"]).toBe(expected);
  });

  test("a variable alone keeps its type, and texts become what is wanted", () => {
    const a = { tags: "${L}", pull: "${B}", "no-cache": "true", "shm-size": 5 };
    expect(target({ variable, target: { a } }, "a", { env: { L: 'p,"q,r"' } })).toEqual({
      context: ".",
      tags: ["p", "q,r"],
      pull: true,
      "no-cache": true,
      "shm-size": "5",
    });
  });

  test("keys are texts with variables, too; what is empty in a list is nothing", () => {
    const a = { labels: { "k-${T}": "v" }, tags: ["${EMPTY}", "x", "x"] };
    expect(target({ variable, target: { a } }, "a")).toMatchObject({
      labels: { "k-t": "v" },
      tags: ["x"],
    });
  });

  test.each([
    ["${upper(T)}", '"${upper(T)}" is an expression, of which only variables are known: ${NAME}'],
    ["${T == 1}", '"${T == 1}" is an expression, of which only variables are known: ${NAME}'],
    ["%{ if T }", '"%{ if T }" is an expression, of which only variables are known: ${NAME}'],
    ["${T", '"${T" is an expression, of which only variables are known: ${NAME}'],
    ["${target.b.tags}", "a value of another target is an expression"],
    ["${TT}", 'there is no variable "TT"'],
    ["${constructor}", 'there is no variable "constructor"'],
    ["${O.toString}", 'the variable "O.toString" has no such member'],
    ["a${NONE}", "a variable in the text is null"],
    ["a${L}", "a variable in the text is a list or an object"],
    ["${L}", '"A": a text is expected here'],
    [1e30, "the number is too large or too small"],
  ])("%j: %s", (given, message) => {
    const documents = { target: { a: { args: { A: given } } }, variable };
    expect(judge(documents, { names: ["a"] })).toBe(`docker-bake.json:1:29: ${message}`);
  });

  test.each<[object, Readonly<Record<string, string>>, string]>([
    [
      { A: { default: "${B}" }, B: { default: "${A}" } },
      {},
      "variables refer to each other in a circle: A -> B -> A",
    ],
    [{ A: { default: 1 } }, { A: "x" }, 'the variable A is set to "x", which is not a number'],
    [
      { A: { default: true } },
      { A: "yes" },
      'the variable A is set to "yes", which is not true or false',
    ],
    [
      { A: { default: [] } },
      { A: "x" },
      "the variable A is set from outside, and its type is not one that can be",
    ],
    [{ A: { type: "strin" } }, {}, '"strin" is not a type'],
    [{ A: { validation: {} } }, {}, "a validation is an expression"],
  ])("%j with %j: %s", (variables, env, message) => {
    const said = judge({ variable: variables, target: { a: {} } }, { names: ["a"], env });
    expect(said.replace(/^docker-bake\.json:1:\d+: /, "")).toBe(message);
  });
});

describe("matrix", () => {
  const documents = {
    variable: { VERSIONS: { default: ["1", "2"] } },
    target: {
      app: {
        name: "app-${v}-${item.tgt}",
        matrix: {
          v: "${VERSIONS}",
          item: [
            { tgt: "x", n: 1 },
            { tgt: "y", n: 2 },
          ],
        },
        target: "${item.tgt}",
        args: { V: "${v}", N: "${item.n}" },
      },
      user: { inherits: ["app-2-y"] },
    },
  };

  test("is a group of its variants", () => {
    const names = ["app-1-x", "app-1-y", "app-2-x", "app-2-y"];
    expect(listNames(documents, ["app"])).toEqual(names);
    expect(target(documents, "user")).toEqual({
      context: ".",
      target: "y",
      args: { V: "2", N: "2" },
    });
  });

  test.each([
    [{ matrix: { v: ["1", "2"] } }, "two variants have the name a"],
    [{ matrix: { v: ["1"] }, name: "a.${v}" }, '"a.1" is not a name for a target or group'],
    [{ matrix: { v: "1" }, name: "a" }, "a list is expected here"],
    [{ name: "b" }, "a target has a name of its own with a matrix alone"],
  ])("%j: %s", (a, message) => {
    expect(judge({ target: { a } }).replace(/^docker-bake\.json:1:\d+: /, "")).toBe(message);
  });
});

describe("groups", () => {
  const documents = {
    group: {
      default: { targets: ["all"] },
      all: { targets: ["b", "pair", "b"] },
      pair: { targets: ["a", "b"] },
      self: { targets: ["self", "a"] },
    },
    target: { a: {}, b: {}, self: {} },
  };

  test.each<[readonly string[], readonly string[]]>([
    [[], ["b", "a"]],
    [["pair"], ["a", "b"]],
    [["self"], ["self", "a"]],
    [["?"], ["a", "b"]],
    [
      ["[a-b]", "self"],
      ["a", "b", "self"],
    ],
  ])("%j", (names, expected) => {
    expect(listNames(documents, names)).toEqual(expected);
  });

  test("default is what was asked for", () => {
    const { groups } = resolve(documents, { names: ["pair", "self"] });
    expect([...groups]).toEqual([
      ["pair", { targets: ["a", "b"] }],
      ["self", { targets: ["self", "a"] }],
      ["default", { targets: ["pair", "self"] }],
    ]);
  });

  test.each([
    [
      { group: { a: { targets: ["b"] }, b: { targets: ["a"] } } },
      "a",
      "docker-bake.json:1:15: groups form a circle: a -> b -> a",
    ],
    [{ group: { a: { targets: ["x"] } } }, "a", "docker-bake.json:1:27: there is no target x"],
    [{ target: { app: {} } }, "ap", "there is no target or group ap in the bake file"],
    [{ target: { app: {} } }, "default", "there is no target or group default in the bake file"],
  ])("%j", (given, name, message) => {
    expect(judge(given, { names: [name] })).toBe(message);
  });
});

describe("contexts that are targets", () => {
  test("stand before what is made from them, and go nowhere unless they are asked for", () => {
    const documents = {
      target: {
        app: { contexts: { base: "target:base", tools: "target:tools" } },
        base: { contexts: { root: "target:root" }, tags: ["base"] },
        root: {},
        tools: {},
      },
    };
    const { targets } = resolve(documents, { names: ["app", "tools"] });
    expect(targets.map((one) => [one.name, one.isLinked, one.target.output])).toEqual([
      ["root", true, [{ type: "cacheonly" }]],
      ["base", true, [{ type: "cacheonly" }]],
      ["tools", false, undefined],
      ["app", false, undefined],
    ]);
  });

  test.each([
    [
      { a: { contexts: { x: "target:b" } }, b: { contexts: { x: "target:a" } } },
      "contexts of targets form a circle: a -> b -> a",
    ],
    [{ a: { contexts: { x: "target:a" } } }, "contexts of targets form a circle: a -> a"],
    [{ a: { contexts: { x: "target:c" } } }, "there is no target c"],
    [
      {
        a: { contexts: { x: "target:b" }, platforms: ["linux/amd64", "linux/arm64"] },
        b: { platforms: ["linux/amd64", "linux/s390x"] },
      },
      "a is for linux/arm64, which its context b is not for",
    ],
  ])("%j", (targets, message) => {
    const said = judge({ target: targets }, { names: ["a"] });
    expect(said.replace(/^docker-bake\.json:1:\d+: /, "")).toBe(message);
  });
});

describe("--set", () => {
  const documents = {
    target: {
      app: { tags: ["a"], output: ["type=image"], args: { A: "1" }, secret: ["id=s,src=f"] },
      "app-2": { platforms: ["linux/amd64"], ssh: ["default"] },
      other: {},
    },
  };

  test.each<[string, readonly string[], object]>([
    ["app", ["app.tags=x", "*.tags=y"], { tags: ["x", "y"] }],
    ["app", ["app.tags+=x"], { tags: ["a", "x"] }],
    ["app", ["app.tags="], { tags: [] }],
    ["app", ["app*.args.A=2", "app.args.B=a=b"], { args: { A: "2", B: "a=b" } }],
    ["app", ["app.args.FROM_ENV"], { args: { A: "1", FROM_ENV: "env" } }],
    ["app", ["app.args.NOT_THERE"], { args: { A: "1" } }],
    ["app", ["app.labels.org.example.x=v"], { labels: { "org.example.x": "v" } }],
    ["app", ["app.secret.s=env=E"], { secret: [{ id: "s", env: "E" }] }],
    [
      "app",
      ["app.secrets+=id=t,env=T"],
      {
        secret: [
          { id: "s", src: "f" },
          { id: "t", env: "T" },
        ],
      },
    ],
    ["app", ["app.output=type=oci,dest=x"], { output: [{ type: "oci", dest: "x" }] }],
    ["app", ["*.push=true"], { output: [{ type: "image", push: "true" }] }],
    ["app", ["*.load=true"], { output: [{ type: "image" }, { type: "docker" }] }],
    ["app", ["app.annotations=k=v"], { annotations: ["k=v"] }],
    ["app", ["app.no-cache=1", "app.pull=false"], { "no-cache": true, pull: false }],
    ["app", ["app.resources.memory=2g"], { resources: { memory: "2g" } }],
    ["app-2", ["app-?.platform+=linux/arm64"], { platforms: ["linux/amd64", "linux/arm64"] }],
    ["app-2", ["app-2.ssh=k=a,b"], { ssh: [{ id: "k", paths: ["a", "b"] }] }],
    ["other", ["*.push=true"], { output: [{ type: "image", push: "true" }] }],
    ["other", ["other.output=-", "*.load=true"], { output: [{ type: "tar", dest: "-" }] }],
    ["other", ["other.output=type=registry", "other.push=false"], { output: [] }],
    [
      "other",
      ["other.cache-from=a,b"],
      {
        "cache-from": [
          { type: "registry", ref: "a" },
          { type: "registry", ref: "b" },
        ],
      },
    ],
  ])("%s %j", (name, sets, expected) => {
    const env = { FROM_ENV: "env" };
    expect(target(documents, name, { sets, env })).toMatchObject(expected);
  });

  test.each([
    ["app", "it is not of the form TARGET.KEY=VALUE"],
    ["app.tags", "it has no value"],
    ["app.args=1", "args needs a name: args.NAME"],
    ["app.tags.x=1", "tags takes no name"],
    ["app.target+=x", "target is no list that += could extend"],
    ["app.tag=x", "a target has no tag that can be set"],
    ["app.constructor=x", "a target has no constructor that can be set"],
    ["nobody.tags=x", "no target matches nobody"],
    ["app.pull=maybe", "pull is true or false"],
    ["app.secret.t=env=E", "the target has no secret t"],
    ["app.output=dest=x,a=b", "an output needs a type"],
  ])("%s: %s", (word, message) => {
    expect(judge(documents, { names: ["app"], sets: [word] })).toBe(`--set ${word}: ${message}`);
  });
});

test("all faults of a block are told", () => {
  const text = '{"target":{"a":{"tags":1,"pull":"x","output":[{}],"secret":["x=y"]}}}';
  expect(() => resolveTexts([text])).toThrow(
    expect.objectContaining({
      message: 'docker-bake.json:1:24: "tags": a list of texts is expected here',
      diagnostics: [
        { message: '"tags": a list of texts is expected here', column: 24 },
        { message: '"pull": true or false is expected here', column: 33 },
        { message: '"output": an output needs a type', column: 47 },
        { message: '"secret": a secret has no x', column: 61 },
      ].map(({ message, column }) =>
        expect.objectContaining({
          code: "bake-file-invalid",
          message,
          span: expect.objectContaining({ start: expect.objectContaining({ column }) }),
        }),
      ),
    }),
  );
});

test("comments are none of it", () => {
  const documents = { "//": 1, target: { "//": "x", a: { "//": ["x"], tags: ["t"] } } };
  expect(target(documents, "a")).toEqual({ context: ".", tags: ["t"] });
});
