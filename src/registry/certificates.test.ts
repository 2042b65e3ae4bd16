import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readCertificates, type Certificates } from "./certificates.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "xbuild-certificates-"));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

/** Files whose content is their name. */
async function read(
  names: readonly string[],
  access: { readonly certDir?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Certificates> {
  for (const name of names) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), name);
  }
  const env = { HOME: join(root, "home"), ...access.env };
  return readCertificates("a.example:5000", { ...access, env }, root);
}

const directories = [
  "home/.config/containers/certs.d/a.example:5000",
  "etc/containers/certs.d/a.example:5000",
  "etc/docker/certs.d/a.example:5000",
];

it.each(directories.map((directory, index) => [directory, directories.slice(index)] as const))(
  "reads %s alone where it is the first",
  async (directory, all) => {
    const { ca } = await read(all.map((name) => `${name}/ca.crt`));
    expect(ca).toEqual([`${directory}/ca.crt`]);
  },
);

it("reads --cert-dir in their place", async () => {
  const names = ["mine/ca.crt", ...directories.map((name) => `${name}/ca.crt`)];
  expect((await read(names, { certDir: join(root, "mine") })).ca).toEqual(["mine/ca.crt"]);
});

it("does not read what another port has", async () => {
  expect(await read(["etc/containers/certs.d/a.example/ca.crt"])).toEqual({
    ca: [],
    cert: [],
    key: [],
  });
});

const at = (name: string): string => `etc/containers/certs.d/a.example:5000/${name}`;

it("pairs client certificates with their keys", async () => {
  const files = ["b.key", "b.cert", "a.cert", "a.key", "z.crt", "y.crt", "x"];
  expect(await read(files.map(at))).toEqual({
    ca: [at("y.crt"), at("z.crt")],
    cert: [at("a.cert"), at("b.cert")],
    key: [at("a.key"), at("b.key")],
  });
});

it.each(["c.cert", "c.key"])("refuses %s alone, as skopeo does", async (name) => {
  await expect(read([at("a.crt"), at(name)])).rejects.toThrow("half of c.cert and .key");
});

it("leaves a link out that leads nowhere, and refuses what it cannot read", async () => {
  await read([at("a.crt")]);
  await symlink("nowhere", join(root, at("b.crt")));
  expect((await read([])).ca).toEqual([at("a.crt")]);
  await mkdir(join(root, at("c.crt")));
  await expect(read([])).rejects.toThrow("EISDIR");
});

it("trusts what the system trusts, or $SSL_CERT_FILE", async () => {
  const bundle = "etc/ssl/certs/ca-certificates.crt";
  const own = "etc/containers/certs.d/a.example:5000/ca.crt";
  expect((await read([bundle, own])).ca).toEqual([bundle, own]);
  const env = { SSL_CERT_FILE: join(root, "bundle.pem") };
  expect((await read([bundle, "bundle.pem"], { env })).ca).toEqual(["bundle.pem", own]);
  const more = { ...env, SSL_CERT_DIR: `${join(root, "x")}:${join(root, "y")}` };
  const files = ["x/a.pem", "y/b.pem"];
  expect((await read(files, { env: more })).ca).toEqual(["bundle.pem", ...files, own]);
});
