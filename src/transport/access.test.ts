import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { renderAccess, withAuthFile, type TransportAccess } from "./access.ts";

const access: TransportAccess = {
  env: {},
  retries: 0,
  timeout: 1000,
  tlsVerify: false,
  certDir: "/certs",
  authFile: "/auth.json",
};

test("flags for one end, or for an inspection", () => {
  expect(renderAccess(access, "src")).toEqual([
    "--src-tls-verify=false",
    "--src-authfile=/auth.json",
    "--src-cert-dir=/certs",
  ]);
  expect(renderAccess({ env: {}, retries: 0, timeout: 0 }, undefined)).toEqual([]);
});

test("--creds become a file that only we can read, for the registries that are asked, for as long as they are", async () => {
  const references = ["docker://r.example:5000/a:1", "docker://docker.io/b", "oci:/x:y"];
  const given = { ...access, creds: "user:pa:ss" };
  const path = await withAuthFile(given, references, async (file = "") => {
    const { auths }: { readonly auths: Record<string, { readonly auth: string }> } = JSON.parse(
      await readFile(file, "utf8"),
    );
    expect(Object.keys(auths)).toEqual(["r.example:5000", "docker.io"]);
    expect(atob(auths["docker.io"]?.auth ?? "")).toBe("user:pa:ss");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(file))).mode & 0o777).toBe(0o700);
    return file;
  });
  await expect(stat(dirname(path))).rejects.toThrow("ENOENT");
});

/** The auth file that skopeo is given. */
const seen = (given: TransportAccess, reference: string): Promise<unknown> =>
  withAuthFile(given, [reference], (file) => Promise.resolve(file));

test("without --creds, or without a registry, the user's own file", async () => {
  expect(await seen(access, "docker://r.example/a")).toBe("/auth.json");
  expect(await seen({ ...access, creds: "u:p" }, "oci:/x")).toBe("/auth.json");
});
