import { expect, test } from "vitest";
import { completeReference } from "../../src/pipeline/identify.ts";
import { createNamePattern } from "../../src/cli/line/name-pattern.ts";
import { listPushedNames } from "../../src/cli/request/registries.ts";
import { parseImageName } from "../../src/oci/reference.ts";
import { parseReference, registryOf } from "../../src/copy/reference.ts";
import { locatePush } from "../../src/registry/locations.ts";
import { parseRegistriesDocument } from "../../src/registry/registries-document.ts";
import { resolveShortName, type RegistriesConf } from "../../src/registry/registries-conf.ts";

// One grammar: wherever a name is read, the same part of it is the registry.

/** What registries.conf says, with one alias. */
function createConf(text: string): RegistriesConf {
  const document = parseRegistriesDocument(`${text}\n[aliases]\n"u/app" = "alias.example/app"\n`);
  if (document === undefined) throw new Error("it is no registries.conf");
  const aliases = new Map(Object.entries(document.aliases));
  return { ...document, aliases, searchRegistries: [], credentialHelpers: [], isBroken: false };
}

test.each([
  ["r.example/app", "r.example", "app"],
  ["r:5000/app", "r:5000", "app"],
  ["localhost:5000/a/b", "localhost:5000", "a/b"],
  ["R.Example/app", "R.Example", "app"],
  ["MyHost:5000/app", "MyHost:5000", "app"],
  ["MyHost/app", "MyHost:443", "app"],
  ["myHost/a/b", "myHost:443", "a/b"],
  ["LOCALHOST/app", "LOCALHOST:443", "app"],
  ["docker.io/app", "docker.io", "library/app"],
  ["index.docker.io/u/app", "docker.io", "u/app"],
])("%s is in the registry %s, for everybody", async (text, host, path) => {
  const name = parseImageName(text);
  const repository = `${host}/${path}`;
  expect(name).toMatchObject({ registry: host, repository: path, full: `${repository}:latest` });
  const reference = parseReference(text);
  expect(reference).toMatchObject({ repository, name: name.full });
  expect(parseReference(`docker://${text}`)).toEqual(reference);
  expect(listPushedNames([name])).toEqual([reference]);
  expect(registryOf(reference.text)).toBe(host);
  expect(await completeReference(text, noAccess)).toEqual(reference);
  expect(resolveShortName(createConf(""), text)).toBeUndefined();
  expect(createNamePattern([name.full])(name.full)).toBe(true);
});

test.each([
  ["MyHost/app", "MyHost/app", true],
  ["MyHost/*", "MyHost/app", true],
  ["My*/app", "MyHost/app", true],
  ["MyHost:443/app:*", "MyHost/app:1", true],
  ["MyHost/app", "MyHost:5000/app", false],
  ["r.example/a*", "r.example/app", true],
  ["docker.io/u/*", "docker.io/u/app", true],
])("the pattern %s and the name %s: %s", (pattern, text, expected) => {
  expect(createNamePattern([pattern])(parseImageName(text).full)).toBe(expected);
});

test.each([
  ["app", "app", "docker.io/library/app"],
  ["u/app", "u/app", "alias.example/app"],
  ["u.v", "u.v", "docker.io/library/u.v"],
  ["localhost", "localhost", "docker.io/library/localhost"],
])("%s names no registry, for nobody", async (text, path, elsewhere) => {
  const conf = createConf("");
  const options = { resolveShortName: (name: string) => resolveShortName(conf, name) };
  const name = parseImageName(text);
  expect(name).toMatchObject({ registry: "localhost", repository: path });
  expect(parseReference(text, options).repository).toBe(elsewhere);
  expect(() => listPushedNames([name])).toThrow("does not name a registry");
  expect(registryOf(`docker://${text}`)).toBe("docker.io");
  expect(createNamePattern([text])(name.full)).toBe(true);
});

test.each([
  ["MyHost", "MyHost/app", true],
  ["MyHost:443", "MyHost/app", true],
  ["MyHost", "MyHost:5000/app", true],
  ["MyHost:5000", "MyHost/app", false],
  ["r.example/a", "r.example/a/b", true],
  ["r.example/a", "r.example/ab", false],
])("a rule of registries.conf for %s is for %s: %s", (location, text, expected) => {
  const conf = createConf(`[[registry]]\nlocation = "${location}"\ninsecure = true\n`);
  expect(locatePush(conf, parseReference(text).repository ?? "").insecure).toBe(expected);
});

test("localhost without a port is no registry, nor is an image ID", async () => {
  for (const text of ["localhost/app", "docker://localhost/app", "0123456789ab", "oci:/a/b"]) {
    expect(await completeReference(text, noAccess)).toBeUndefined();
  }
});

test.each(["MyHost/App", "My_Host/app", "MyHost./app", "MyHost/"])(
  "%s is refused by everybody",
  (text) => {
    const refusal = expect.objectContaining({ code: "name-invalid" });
    expect(() => parseImageName(text)).toThrow(refusal);
    expect(() => parseReference(text)).toThrow(refusal);
  },
);

const noAccess = { env: { HOME: "/nonexistent" }, retries: 0, timeout: 0 };
