import { fstatSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { descriptorPath } from "../system/linux.ts";
import { renderAccess, type TransportAccess } from "./access.ts";
import { withCredentials } from "./auth-source.ts";

const access: TransportAccess = {
  env: {},
  retries: 0,
  timeout: 1000,
  tlsVerify: false,
  certDir: "/certs",
  authFile: "/auth.json",
};

test("flags for the source", () => {
  expect(renderAccess(access)).toEqual([
    "--src-tls-verify=false",
    "--src-authfile=/auth.json",
    "--src-cert-dir=/certs",
  ]);
  expect(renderAccess({ env: {}, retries: 0, timeout: 0 })).toEqual([]);
});

test("--creds become a file without a name, for the registry that is asked, for as long as it is", async () => {
  const reference = "docker://r.example:5000/a:1";
  const given = { ...access, creds: "user:pa:ss" };
  const fd = await withCredentials(given, reference, async ({ path, fd }) => {
    expect(path).toBe("/proc/self/fd/3");
    const own = descriptorPath(fd ?? -1);
    const { auths }: { readonly auths: Record<string, { readonly auth: string }> } = JSON.parse(
      await readFile(own, "utf8"),
    );
    expect(Object.keys(auths)).toEqual(["r.example:5000"]);
    expect(atob(auths["r.example:5000"]?.auth ?? "")).toBe("user:pa:ss");
    return fd ?? -1;
  });
  expect(() => fstatSync(fd)).toThrow("EBADF");
});

/** The auth file that skopeo is given. */
const seen = (given: TransportAccess, reference: string): Promise<unknown> =>
  withCredentials(given, reference, (auth) => Promise.resolve(auth));

test("without --creds, or without a registry, the user's own file", async () => {
  const own = { path: "/auth.json", fd: undefined };
  expect(await seen(access, "docker://r.example/a")).toEqual(own);
  expect(await seen({ ...access, creds: "u:p" }, "oci:/x")).toEqual(own);
});
