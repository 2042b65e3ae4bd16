import { expect, test } from "vitest";
import { findKinds, isPackage, listPackages, nameKey, withoutKind } from "./package-keys.ts";

test.each([
  ["libc6-2.36-9+deb12u4", ["dpkg"], "dpkg:libc6"],
  ["libpcre2-8-0-10.42-1+deb12u2", ["dpkg"], "dpkg:libpcre2-8-0"],
  ["gcc-12-base-12.2.0-14", ["dpkg"], "dpkg:gcc-12-base"],
  ["libc6:i386-2.36-9", ["dpkg"], "dpkg:libc6:i386"],
  ["login-1:4.13+dfsg1-1+deb12u2", ["dpkg"], "dpkg:login"],
  // Native packages of Debian have versions as any other.
  ["adduser-3.134", ["dpkg"], "adduser"],
  ["base64-1.0.0", ["dpkg"], "base64"],
  ["musl-1.2.4-r2", ["apk"], "apk:musl"],
  ["express-4.18.2", ["apk"], "express"],
  ["bash-5.2.15-3.fc38", ["rpm"], "rpm:bash"],
  ["bash-5.2.026-2", ["pacman"], "pacman:bash"],
  ["six-1.16:npm", ["dpkg"], "npm:six"],
  ["@scope/pkg-1.0.0", [], "npm:@scope/pkg"],
  [`/nix/store/${"0".repeat(32)}-hello-2.12`, [], "nix:hello"],
  ["bash-5.2.15-2+b7", [], "bash"],
  ["dpkg-database", [], "database:dpkg-database"],
  ["python-cache", [], "cache:python-cache"],
  ["other", [], "other:other"],
  ["a name", [], "a%20name"],
])("%s", (name, kinds, key) => expect(nameKey(name, kinds)).toBe(key));

test("versions of one package have one key, whatever is known of its kind", () => {
  const keys = ["bash-5.2.15-2", "bash-5.2.15-2+b7", "bash-5.3-1"].map((one) =>
    nameKey(one, ["dpkg"]),
  );
  expect(new Set(keys)).toEqual(new Set(["dpkg:bash"]));
  expect(withoutKind("dpkg:libc6:i386")).toBe("libc6:i386");
});

test("the packages that share a layer, and the kinds that its image has", () => {
  expect(listPackages("libc6-2.36-9 bash-5.2.15-2")).toEqual(["libc6-2.36-9", "bash-5.2.15-2"]);
  const command = "RUN /bin/sh -c apt-get update";
  expect(listPackages(command)).toEqual([command]);
  expect(isPackage(command)).toBe(false);
  expect(findKinds(["libc6-2.36-9", "dpkg-database", "other"])).toEqual(["dpkg"]);
  expect(findKinds(["a-1 apk-database"])).toEqual(["apk"]);
});
