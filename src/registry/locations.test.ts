import { expect, it } from "vitest";
import { locatePulls, locatePush, type RepositoryLocation } from "./locations.ts";
import type { RegistriesConf } from "./registries-conf.ts";
import { parseRegistriesDocument } from "./registries-document.ts";

function parse(text: string): RegistriesConf {
  const document = parseRegistriesDocument(text);
  if (document === undefined) throw new Error("it has a mistake");
  const rules = document.rules.toSorted((a, b) => (a.prefix < b.prefix ? -1 : 1));
  const none = { searchRegistries: [], credentialHelpers: [], aliases: new Map() };
  return { ...none, rules, isBroken: false };
}

/** `REGISTRY REPOSITORY`, with `insecure` and `blocked` where it is. */
function show({ registry, repository, insecure, blocked }: RepositoryLocation): string {
  const flags = [...(insecure ? ["insecure"] : []), ...(blocked ? ["blocked"] : [])];
  return [registry, repository, ...flags].join(" ");
}

function list(conf: RegistriesConf, name: string): readonly string[] {
  const { mirrors, primary } = locatePulls(conf, name);
  return [...mirrors, primary].map(show);
}

const rules = parse(`
  [[registry]]
  location = "plain.example"
  insecure = true
  [[registry]]
  prefix = "plain.example/deep/er"
  location = "deep.example:5000/x"
  [[registry]]
  prefix = "plain.example/deep"
  location = "shallow.example"
  blocked = true
  [[registry]]
  prefix = "*.wild.example"
  insecure = true
  [[registry]]
  prefix = "*.moved.wild.example"
  location = "moved.example/all"
  [[registry]]
  prefix = "a.same.example"
  location = "literal.example"
  [[registry]]
  prefix = "*.same.example"
  location = "wildcard.example"`);

it.each([
  ["other.example/a", "other.example a"],
  ["plain.example/a/b", "plain.example a/b insecure"],
  ["plain.example:5000/a", "plain.example:5000 a insecure"],
  ["plain.example.org/a", "plain.example.org a"],
  ["plain.example/deep/a", "shallow.example a blocked"],
  ["plain.example/deeper", "plain.example deeper insecure"],
  ["plain.example/deep/er", "deep.example:5000 x"],
  ["plain.example/deep/er/a", "deep.example:5000 x/a"],
  ["wild.example/a", "wild.example a"],
  ["a.b.wild.example:5000/c", "a.b.wild.example:5000 c insecure"],
  ["a.wild.example.wild.example/c", "a.wild.example.wild.example c"],
  ["other.example/a.wild.example/b", "other.example a.wild.example/b"],
  ["a.moved.wild.example/b", "moved.example all/b"],
  ["a.same.example/b", "wildcard.example b"],
])("%s is %s", (name, expected) => {
  expect(list(rules, name)).toEqual([expected]);
});

it("leaves pushes where their name says", () => {
  expect(show(locatePush(rules, "plain.example/deep/a"))).toBe("plain.example deep/a blocked");
});

const mirrored = parse(`
  [[registry]]
  prefix = "named.example/x"
  location = "primary.example/y"
  [[registry.mirror]]
  location = "m1.example:5000/z"
  insecure = true
  [[registry.mirror]]
  location = "m2.example"
  pull-from-mirror = "tag-only"
  [[registry.mirror]]
  location = "m3.example/"
  pull-from-mirror = "digest-only"
  [[registry.mirror]]
  location = "m4.example"
  [[registry]]
  location = "m4.example"
  blocked = true
  [[registry]]
  location = "gone.example"
  blocked = true
  mirror-by-digest-only = true
  [[registry.mirror]]
  location = "m5.example"`);

it("lists the mirrors that pulls by digest go to, each with its own settings", () => {
  expect(list(mirrored, "named.example/x/a")).toEqual([
    "m1.example:5000 z/a insecure",
    "m3.example a",
    "m4.example a blocked",
    "primary.example y/a",
  ]);
});

it("lists the mirrors of a registry that is blocked itself", () => {
  expect(list(mirrored, "gone.example/a")).toEqual(["m5.example a", "gone.example a blocked"]);
});
