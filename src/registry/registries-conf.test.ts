import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readRegistriesConf, resolveShortName, type RegistriesConf } from "./registries-conf.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "xbuild-registries-"));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

/** A machine with these files, and a user whose home is `home`. */
async function read(
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<RegistriesConf> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return readRegistriesConf({ HOME: join(root, "home"), ...env }, root);
}

const search = (name: string): string => `unqualified-search-registries = ["${name}"]\n`;
const user = "home/.config/containers";
const userFile = `${user}/registries.conf`;

describe("readRegistriesConf", () => {
  it("has nothing where there is nothing", async () => {
    expect(await read({})).toEqual({
      rules: [],
      searchRegistries: [],
      aliases: new Map(),
      credentialHelpers: ["containers-auth.json"],
      isBroken: false,
    });
  });

  it.each([
    [["etc/containers/registries.conf"], "etc/containers/registries.conf"],
    [
      ["etc/containers/registries.conf", "etc/containers/registries.conf.d/a.conf"],
      "etc/containers/registries.conf.d/a.conf",
    ],
    [
      ["etc/containers/registries.conf.d/1.conf", "etc/containers/registries.conf.d/2.conf"],
      "etc/containers/registries.conf.d/2.conf",
    ],
    [
      ["etc/containers/registries.conf.d/a.conf", `${user}/registries.conf.d/a.conf`],
      `${user}/registries.conf.d/a.conf`,
    ],
    [["etc/containers/registries.conf", userFile], userFile],
    [["etc/containers/registries.conf.d/a.conf", userFile], userFile],
    [[userFile, `${user}/registries.conf.d/a.conf`], `${user}/registries.conf.d/a.conf`],
    [["etc/containers/registries.conf", "etc/containers/registries.conf.d/a.txt"], undefined],
  ])("of %j, %s counts", async (names, winner) => {
    const conf = await read(Object.fromEntries(names.map((name) => [name, search(toHost(name))])));
    expect(conf.searchRegistries).toEqual([toHost(winner ?? "etc/containers/registries.conf")]);
  });

  it("reads the file that a variable names, with the drop-ins of /etc and of the user", async () => {
    const files = {
      "other.conf": search("chosen.example"),
      [userFile]: search("user.example"),
      "etc/containers/registries.conf.d/a.conf": '[aliases]\na = "system.example/a"',
      [`${user}/registries.conf.d/b.conf`]: '[aliases]\nb = "user.example/b"',
    };
    const conf = await read(files, { CONTAINERS_REGISTRIES_CONF: join(root, "other.conf") });
    expect(conf.searchRegistries).toEqual(["chosen.example"]);
    expect([...conf.aliases.keys()]).toEqual(["a", "b"]);
  });

  it("replaces tables with the same prefix, and takes aliases back", async () => {
    const conf = await read({
      "etc/containers/registries.conf": `
        [[registry]]
        location = "one.example"
        [[registry]]
        location = "two.example/"
        [aliases]
        a = "one.example/a"
        b = "one.example/b"`,
      "etc/containers/registries.conf.d/a.conf": `
        [[registry]]
        location = "two.example"
        insecure = true
        [aliases]
        a = ""`,
    });
    expect(conf.rules.map(({ prefix, insecure }) => [prefix, insecure])).toEqual([
      ["one.example", false],
      ["two.example", true],
    ]);
    expect([...conf.aliases]).toEqual([["b", "one.example/b"]]);
  });

  it("takes the first of several tables with one prefix in a file", async () => {
    const tables = ["one.example", "two.example"].map(
      (mirror) =>
        `[[registry]]\nlocation = "a.example"\n[[registry.mirror]]\nlocation = "${mirror}"\n`,
    );
    const conf = await read({ [userFile]: tables.join("") });
    expect(conf.rules.flatMap((one) => one.mirrors)).toEqual([
      { location: "one.example", insecure: false, pulls: "all" },
    ]);
  });

  it("reads version 1", async () => {
    const text = `[registries.search]\nregistries = ["s.example"]
      [registries.insecure]\nregistries = ["i.example", "b.example/x"]
      [registries.block]\nregistries = ["b.example/x/"]`;
    const conf = await read({ "etc/containers/registries.conf": text });
    expect(conf).toMatchObject({
      isBroken: false,
      searchRegistries: ["s.example"],
      rules: [
        { prefix: "b.example/x", insecure: true, blocked: true },
        { prefix: "i.example", insecure: true, blocked: false },
      ],
    });
  });

  it.each([
    ["TOML", "[["],
    ["a type", "unqualified-search-registries = 1"],
    ["a table without a place", '[[registry]]\nprefix = "a.example"'],
    ["an address for a place", '[[registry]]\nlocation = "https://a.example"'],
    ["a wildcard with a path", '[[registry]]\nprefix = "*.a.example/b"\nlocation = "c.example"'],
    ["version 1 in a drop-in", '[registries.search]\nregistries = ["a.example"]'],
    [
      "two versions",
      '[registries.block]\nregistries = ["a.example"]\n[[registry]]\nlocation = "b.example"',
    ],
    ["a mirror without a place", '[[registry]]\nlocation = "a.example"\n[[registry.mirror]]\n'],
    [
      "a mirror's own rule beside the registry's",
      '[[registry]]\nlocation = "a.example"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "b.example"\npull-from-mirror = "all"',
    ],
    [
      "a mirror's rule for no mirror",
      '[[registry]]\nlocation = "a.example"\npull-from-mirror = "all"',
    ],
    [
      "one place with two settings",
      '[[registry]]\nlocation = "a.example"\n[[registry]]\nprefix = "b.example"\nlocation = "a.example"\nblocked = true',
    ],
    ["a search registry with a path", 'unqualified-search-registries = ["a.example/b"]'],
  ])("takes a file with a mistake for none: %s", async (_, text) => {
    const conf = await read({
      "etc/containers/registries.conf": search("good.example"),
      "etc/containers/registries.conf.d/a.conf": text,
    });
    expect(conf).toMatchObject({
      rules: [],
      searchRegistries: ["good.example"],
      isBroken: true,
    });
  });

  it.each(["CONTAINERS_REGISTRIES_CONF", "REGISTRIES_CONFIG_PATH"])(
    "is broken without the file that $%s names",
    async (variable) => {
      const conf = await read({}, { [variable]: join(root, "none.conf") });
      expect(conf.isBroken).toBe(true);
    },
  );

  it("lets what a user has chosen before count more than aliases", async () => {
    const chosen = '[aliases]\na = "chosen.example/a"';
    const conf = await read({
      [userFile]: '[aliases]\na = "configured.example/a"',
      "home/.cache/containers/short-name-aliases.conf": chosen,
      "var/cache/containers/short-name-aliases.conf": chosen,
    });
    expect(conf.aliases.get("a")).toBe("chosen.example/a");
  });
});

describe("resolveShortName", () => {
  const aliases = '[aliases]\nfedora = "fedora.example/fedora"\n"my/tool" = "docker.io/tool"\n';

  it.each([
    ["fedora", search("docker.io"), "fedora.example/fedora"],
    ["my/tool", "", "docker.io/library/tool"],
    ["debian", search("docker.io"), "docker.io/library/debian"],
    ["user/app", search("docker.io"), "docker.io/user/app"],
    ["debian", search("quay.example"), "quay.example/debian"],
    ["debian", 'unqualified-search-registries = ["a.example", "b.example"]\n', undefined],
    ["debian", "", undefined],
    ["quay.example/debian", search("docker.io"), undefined],
    ["localhost/debian", search("docker.io"), undefined],
  ])("%s with %j is %s", async (name, text, expected) => {
    const conf = await read({ [userFile]: text + aliases });
    expect(resolveShortName(conf, name)).toBe(expected);
  });
});

/** The name of a file as the name of a registry. */
function toHost(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]+/g, "-");
}
