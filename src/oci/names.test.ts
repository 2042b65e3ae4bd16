import { expect, test } from "vitest";
import { isHost, isLocalName, splitName } from "./names.ts";

const digest = `sha256:${"0".repeat(64)}`;

test.each([
  ["app", undefined, "app", undefined, undefined],
  ["user/app:1", undefined, "user/app", "1", undefined],
  ["localhost", undefined, "localhost", undefined, undefined],
  ["localhost/app", "localhost", "app", undefined, undefined],
  ["localhost:5000/app", "localhost:5000", "app", undefined, undefined],
  ["a.b", undefined, "a.b", undefined, undefined],
  ["a.b/c:d", "a.b", "c", "d", undefined],
  ["MyHost/app", "MyHost", "app", undefined, undefined],
  ["App", undefined, "App", undefined, undefined],
  ["[::1]:500/x", "[::1]:500", "x", undefined, undefined],
  ["a.b/", "a.b", "", undefined, undefined],
  ["/x", undefined, "/x", undefined, undefined],
  ["", undefined, "", undefined, undefined],
  [`r:1/a/b:t@${digest}`, "r:1", "a/b", "t", digest],
  ["a@b@c", undefined, "a", undefined, "b@c"],
  ["app:", undefined, "app", "", undefined],
])("the parts of %j", (text, host, path, tag, digest) => {
  expect(splitName(text)).toEqual({ host, path, tag, digest });
});

test.each([
  ["localhost", true],
  ["MyHost:443", true],
  ["a-b.c:1", true],
  ["a_b", false],
  ["-a", false],
  ["a.", false],
  ["a:", false],
  ["[::1]:1", false],
])("%j is a host: %s", (text, expected) => {
  expect(isHost(text)).toBe(expected);
});

test.each([
  ["localhost/app:latest", true],
  ["localhost:5000/app:latest", false],
  ["LOCALHOST:443/app:latest", false],
  ["docker.io/localhost/app:latest", false],
])("no registry has %s: %s", (name, expected) => {
  expect(isLocalName(name)).toBe(expected);
});
