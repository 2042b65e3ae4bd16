import * as fc from "fast-check";
import { expect, test } from "vitest";
import { XbuildError } from "../errors.ts";
import { parseImageName } from "./reference.ts";

const digest = `sha256:${"0".repeat(64)}`;

// What buildah 1.28.2 calls an image built with `-t`.
test.each([
  ["app", "localhost/app:latest"],
  ["app:1", "localhost/app:1"],
  ["app:BAD", "localhost/app:BAD"],
  ["docker.io/app", "docker.io/library/app:latest"],
  ["docker.io/library/app", "docker.io/library/app:latest"],
  ["index.docker.io/app", "docker.io/library/app:latest"],
  ["docker.io/u/app", "docker.io/u/app:latest"],
  ["example.com/a/b", "example.com/a/b:latest"],
  ["localhost/app", "localhost/app:latest"],
  ["localhost:5000/app", "localhost:5000/app:latest"],
  ["reg:5000/app", "reg:5000/app:latest"],
  ["u/app", "localhost/u/app:latest"],
  ["u/v/app:2", "localhost/u/v/app:2"],
  ["a__b", "localhost/a__b:latest"],
  ["a--b", "localhost/a--b:latest"],
  ["a.b", "localhost/a.b:latest"],
  ["registry/app", "localhost/registry/app:latest"],
  ["docker.io", "localhost/docker.io:latest"],
  ["localhost", "localhost/localhost:latest"],
  ["Reg.IO/app", "Reg.IO/app:latest"],
  [`a:${"t".repeat(128)}`, `localhost/a:${"t".repeat(128)}`],
])("%s is %s", (text, full) => {
  expect(parseImageName(text).full).toBe(full);
});

test.each([
  ["", "it is empty"],
  ["App", "it has upper-case letters"],
  ["localhost/App", "it has upper-case letters"],
  ["app:-x", '"-x" is no tag'],
  ["docker.io/app:", '"" is no tag'],
  [`a:${"t".repeat(129)}`, "is no tag"],
  ["a".repeat(256), "it is longer than 255 characters"],
  ["0".repeat(64), "64 hex digits stand for an image ID"],
  ["a___b", "it has characters"],
  ["a..b", "it has characters"],
  ["-x", "it has characters"],
  ["a_", "it has characters"],
  ["a b", "it has characters"],
  ["docker.io/", "it has characters"],
  [":x", "it has characters"],
  ["foo.com:bar/x", "foo.com:bar is no registry"],
  ["foo-.com/x", "foo-.com is no registry"],
  ["[::1]:500/x", "[::1]:500 is no registry"],
  ["docker://x/y", "it begins with a transport (docker://)"],
  ["oci:dir:x", "it begins with a transport (oci:)"],
  ["containers-storage:x", "it begins with a transport (containers-storage:)"],
  [`app@${digest}`, "an image cannot be given a digest as its name"],
])("%j is refused: %s", (text, reason) => {
  expect(() => parseImageName(text)).toThrowError(
    expect.objectContaining({ code: "name-invalid", message: expect.stringContaining(reason) }),
  );
});

test("a digest is taken where one may stand", () => {
  const options = { allowDigest: true };
  expect(parseImageName(`u/app@${digest}`, options)).toEqual({
    full: `localhost/u/app@${digest}`,
    registry: "localhost",
    repository: "u/app",
    tag: undefined,
    digest,
  });
  for (const bad of [`app:1@${digest}`, "app@sha256:00", `app@${digest}@${digest}`]) {
    expect(() => parseImageName(bad, options)).toThrow(XbuildError);
  }
});

test("a full name stands for itself", () => {
  const part = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  const names = fc.tuple(fc.array(part, { minLength: 1, maxLength: 4 }), part);
  fc.assert(
    fc.property(names, ([parts, tag]) => {
      const { full } = parseImageName(`${parts.join("/")}:${tag}`);
      expect(parseImageName(full).full).toBe(full);
    }),
  );
});
