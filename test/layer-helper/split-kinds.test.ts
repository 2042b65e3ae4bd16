import { linkSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createLab, link, listShells, makeScratch, put } from "./lab.ts";
import { compareTrees, flatten, readLayers, readTree } from "./oracle.ts";
import type { Layers } from "./oracle.ts";
import { makeMergedRoot, putDpkg } from "./roots.ts";

const apkDatabase = "lib/apk/db/installed";

function makeApkRoot(): string {
  const root = makeScratch();
  const database = `
P:musl
V:1.2.4-r2
A:x86_64
o:musl
F:lib
M:0:0:755
R:ld-musl.so.1
a:0:0:755

P:busybox
V:1.36.1-r5
F:bin
R:busybox
R:sh
F:etc/network/if-up.d
F:

P:empty
V:1-r0
`.trimStart();
  put(root, apkDatabase, database);
  put(root, "lib/apk/db/scripts.tar");
  put(root, "etc/apk/world", "busybox\n");
  put(root, "etc/apk/repositories");
  for (const path of ["lib/ld-musl.so.1", "bin/busybox"]) put(root, path, path, 0o755);
  link(root, "bin/sh", "/bin/busybox");
  link(root, "bin/ls", "/bin/busybox");
  mkdirSync(join(root, "etc/network/if-up.d"), { recursive: true });
  return root;
}

/** As current Wolfi and Chainguard images have it: the database has two paths, and so has each file. */
function makeMergedApkRoot(): string {
  const root = makeApkRoot();
  for (const directory of ["lib", "bin"]) {
    mkdirSync(join(root, "usr"), { recursive: true });
    renameSync(join(root, directory), join(root, "usr", directory));
    link(root, directory, `usr/${directory}`);
  }
  return root;
}

function makePacmanRoot(): string {
  const root = makeMergedRoot();
  const local = "var/lib/pacman/local";
  put(root, `${local}/ALPM_DB_VERSION`, "9\n");
  const desc =
    "%NAME%\nbash\n\n%VERSION%\n5.2.026-2\n\n%BASE%\nbash\n\n%DEPENDS%\nreadline\nglibc\n\n";
  put(root, `${local}/bash-5.2.026-2/desc`, desc);
  put(
    root,
    `${local}/bash-5.2.026-2/files`,
    "%FILES%\nbin/\nusr/\nusr/bin/bash\nbin/sh\n\n%BACKUP%\netc/x\t1\n",
  );
  put(root, `${local}/bash-5.2.026-2/mtree`);
  put(root, `${local}/tool-1-1/desc`, "%NAME%\ntool\n\n%VERSION%\n1-1\n");
  put(root, `${local}/tool-1-1/files`, "%FILES%\nusr/share/tool/\n");
  put(root, "var/lib/pacman/sync/core.db");
  put(root, "usr/bin/bash");
  link(root, "usr/bin/sh", "bash");
  put(root, "etc/x");
  mkdirSync(join(root, "usr/share/tool"));
  return root;
}

function makeNixRoot(): string {
  const root = makeScratch();
  const [bash, glibc] = ["0aaa-bash-5.2-p15", "1bbb-glibc-2.38"];
  put(root, `nix/store/${bash}/bin/bash`, "bash", 0o555);
  put(root, `nix/store/${glibc}/lib/libc.so`, "libc", 0o444);
  put(root, "nix/store/2ccc-builder.sh", "a file");
  put(root, "nix/store/3ddd-bash-5.2.drv", "Derive()");
  link(root, "nix/store/4eee-profile", `/nix/store/${bash}`);
  put(root, "nix/var/nix/db/db.sqlite");
  put(root, "etc/hosts.allow");
  return root;
}

function putPip(
  root: string,
  site: string,
  name: string,
  version: string,
  lines: readonly string[],
) {
  const folder = `${site}/${name}-${version}.dist-info`;
  put(root, `${folder}/METADATA`);
  put(
    root,
    `${folder}/RECORD`,
    [
      ...lines,
      `${name}-${version}.dist-info/METADATA,,`,
      `${name}-${version}.dist-info/RECORD,,`,
      "",
    ].join("\r\n"),
  );
}

const site = "usr/local/lib/python3.11/site-packages";

function makePipRoot(): string {
  const root = makeMergedRoot();
  for (const path of [
    "requests/__init__.py",
    'requests/a,"b".py',
    "shared.py",
    "six.py",
    "own.pth",
  ])
    put(root, `${site}/${path}`);
  put(root, `${site}/requests/__pycache__/__init__.cpython-311.pyc`);
  put(root, "usr/local/bin/normalizer");
  put(root, "usr/lib/python3/six.py");
  putPip(root, site, "requests", "2.31.0", [
    "../../../bin/normalizer,sha256=x,3",
    "requests/__init__.py,sha256=x,3",
    '"requests/a,""b"".py",sha256=x,3',
    "requests/__pycache__/__init__.cpython-311.pyc,,",
    "/usr/lib/python3/six.py,,",
    "missing.py,,",
  ]);
  putPip(root, site, "six", "1.16", ["six.py,,"]);
  put(root, "venv/six.py");
  putPip(root, "venv", "six", "1.16", ["six.py,,"]);
  return root;
}

function makeNpmRoot(): string {
  const root = makeScratch();
  const putPackage = (folder: string, version: string, extra = ""): void => {
    put(
      root,
      `${folder}/package.json`,
      `{${extra}"dependencies":{"version":"0"},\n "x":["version","1"], "version": "${version}"}`,
    );
    put(root, `${folder}/index.js`);
  };
  const modules = "srv/app/node_modules";
  putPackage(`${modules}/express`, "4.18.2", '"name":"a \\"version\\": \\"3\\"",');
  putPackage(`${modules}/express/node_modules/debug`, "2.6.9");
  putPackage(`${modules}/debug`, "4.3.4");
  putPackage(`${modules}/send/node_modules/debug`, "2.6.9");
  putPackage(`${modules}/send`, "0.18.0");
  putPackage(`${modules}/@scope/pkg`, "1.0.0-beta.1");
  put(root, `${modules}/@scope/pkg/lib/deep/file.js`);
  put(root, `${modules}/no-version/package.json`, "{}");
  link(root, `${modules}/.bin/express`, "../express/index.js");
  put(root, `${modules}/.package-lock.json`);
  put(root, "srv/app/package.json", '{"version":"9.9.9"}');
  put(root, "srv/app/main.js");
  return root;
}

const m = "srv/app/node_modules";

function makeChain(root: string) {
  link(root, "usr/lib/apk/db/installed", "second");
  link(root, "usr/lib/apk/db/second", "../../../../opt/third");
  link(root, "opt/third", `../opt/../${apkDatabase}`);
}

function linkDatabase(root: string) {
  mkdirSync(join(root, "usr/lib/apk/db"), { recursive: true });
  linkSync(join(root, apkDatabase), join(root, "usr/lib/apk/db/installed"));
}

const cases: readonly (readonly [string, () => string, Layers])[] = [
  [
    "apk",
    makeApkRoot,
    {
      "busybox-1.36.1-r5": ["bin/busybox", "bin/sh"],
      "musl-1.2.4-r2": ["lib/ld-musl.so.1"],
      "apk-database": ["etc/apk/world", "lib/apk/db/installed", "lib/apk/db/scripts.tar"],
      other: ["bin/ls", "etc/apk/repositories"],
    },
  ],
  [
    "apk",
    makeMergedApkRoot,
    {
      "busybox-1.36.1-r5": ["bin", "usr/bin/busybox", "usr/bin/sh"],
      "musl-1.2.4-r2": ["lib", "usr/lib/ld-musl.so.1"],
      "apk-database": ["etc/apk/world", "usr/lib/apk/db/installed", "usr/lib/apk/db/scripts.tar"],
      other: ["etc/apk/repositories", "usr/bin/ls"],
    },
  ],
  [
    "pacman",
    makePacmanRoot,
    {
      "bash-5.2.026-2": [
        "bin",
        "usr/bin/bash",
        "usr/bin/sh",
        ...["desc", "files", "mtree"].map((name) => `var/lib/pacman/local/bash-5.2.026-2/${name}`),
      ],
      "tool-1-1": ["desc", "files"].map((name) => `var/lib/pacman/local/tool-1-1/${name}`),
      "pacman-database": ["var/lib/pacman/local/ALPM_DB_VERSION", "var/lib/pacman/sync/core.db"],
      other: ["etc/x", "lib", "var/run"],
    },
  ],
  [
    "nix",
    makeNixRoot,
    {
      "/nix/store/0aaa-bash-5.2-p15": ["nix/store/0aaa-bash-5.2-p15/bin/bash"],
      "/nix/store/2ccc-builder.sh": ["nix/store/2ccc-builder.sh"],
      "/nix/store/1bbb-glibc-2.38": ["nix/store/1bbb-glibc-2.38/lib/libc.so"],
      "/nix/store/4eee-profile": ["nix/store/4eee-profile"],
      "nix-database": ["nix/store/3ddd-bash-5.2.drv", "nix/var/nix/db/db.sqlite"],
      other: ["etc/hosts.allow"],
    },
  ],
  [
    "pip",
    makePipRoot,
    {
      "requests-2.31.0": [
        "usr/lib/python3/six.py",
        "usr/local/bin/normalizer",
        `${site}/requests-2.31.0.dist-info/METADATA`,
        `${site}/requests-2.31.0.dist-info/RECORD`,
        `${site}/requests/__init__.py`,
        `${site}/requests/__pycache__/__init__.cpython-311.pyc`,
        `${site}/requests/a,"b".py`,
      ],
      "six-1.16": [
        `${site}/six-1.16.dist-info/METADATA`,
        `${site}/six-1.16.dist-info/RECORD`,
        `${site}/six.py`,
        "venv/six-1.16.dist-info/METADATA",
        "venv/six-1.16.dist-info/RECORD",
        "venv/six.py",
      ],
      other: ["bin", "lib", `${site}/own.pth`, `${site}/shared.py`, "var/run"],
    },
  ],
  [
    "npm",
    makeNpmRoot,
    {
      "@scope/pkg-1.0.0-beta.1": [
        `${m}/@scope/pkg/index.js`,
        `${m}/@scope/pkg/lib/deep/file.js`,
        `${m}/@scope/pkg/package.json`,
      ],
      "debug-2.6.9": [
        `${m}/express/node_modules/debug/index.js`,
        `${m}/express/node_modules/debug/package.json`,
        `${m}/send/node_modules/debug/index.js`,
        `${m}/send/node_modules/debug/package.json`,
      ],
      "debug-4.3.4": [`${m}/debug/index.js`, `${m}/debug/package.json`],
      "express-4.18.2": [`${m}/express/index.js`, `${m}/express/package.json`],
      "send-0.18.0": [`${m}/send/index.js`, `${m}/send/package.json`],
      other: [
        "srv/app/main.js",
        `${m}/.bin/express`,
        `${m}/.package-lock.json`,
        `${m}/no-version/package.json`,
        "srv/app/package.json",
      ],
    },
  ],
];

describe.each(listShells())("split under $name", (shell) => {
  it.each(cases)("%s gives each package what is its own", (kind, makeRoot, layers) => {
    const root = makeRoot();
    const lab = createLab(shell);
    lab.ok(["split", kind, root]);
    expect(readLayers(lab, root)).toEqual(layers);
    expect(Object.keys(readLayers(lab, root)).toSorted()).toEqual(Object.keys(layers).toSorted());
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  });

  it.each(cases)("auto finds %s by itself", (_kind, makeRoot, layers) => {
    const root = makeRoot();
    const lab = createLab(shell);
    lab.ok(["split", "auto", root]);
    expect(readLayers(lab, root)).toEqual(layers);
  });

  it.each([
    ["a link to its directory", (root: string) => link(root, "usr/lib/apk", "../../lib/apk")],
    [
      "a link",
      (root: string) => link(root, "usr/lib/apk/db/installed", `../../../../${apkDatabase}`),
    ],
    ["links to links", makeChain],
    ["a hard link", linkDatabase],
  ])("reads a database once that has a second path by %s", (_what, addPath) => {
    const root = makeApkRoot();
    addPath(root);
    const lab = createLab(shell);
    lab.ok(["split", "apk", root]);
    expect(Object.keys(readLayers(lab, root))).toEqual([
      "busybox-1.36.1-r5",
      "musl-1.2.4-r2",
      "apk-database",
      "other",
    ]);
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  });

  it("reads a package's files once that have a second path", () => {
    const root = makePacmanRoot();
    link(root, "var/lib/pacman/local/again", "bash-5.2.026-2");
    put(root, "var/lib/dpkg/status.d/libc6", "Package: libc6\nVersion: 2.36\n");
    put(root, "var/lib/dpkg/status.d/libc6.md5sums", `${"0".repeat(32)}  usr/lib/libc.so\n`);
    put(root, "usr/lib/libc.so");
    link(root, "var/lib/dpkg/status.d/again", "libc6");
    const lab = createLab(shell);
    lab.ok(["split", "auto", root]);
    const [libc, bash] = ["libc6-2.36", "bash-5.2.026-2"];
    const databases = ["dpkg-database", "pacman-database"];
    const found = Object.keys(readLayers(lab, root));
    expect(found.slice(0, 3).toSorted()).toEqual([bash, libc, "tool-1-1"]);
    expect(found.slice(3)).toEqual([...databases, "other"]);
    expect(lab.paths(libc)).toContain("usr/lib/libc.so");
    expect(lab.paths(bash)).toContain("var/lib/pacman/local/bash-5.2.026-2/desc");
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  });

  it("gives pip and npm what the system does not own", () => {
    const root = makePipRoot();
    const modules = "usr/lib/node_modules/semver";
    put(root, `${modules}/package.json`, '{"version":"7.5.0"}');
    put(root, "opt/node_modules/semver/package.json", '{"version":"7.5.0"}');
    put(root, "opt/node_modules/six/package.json", '{"version":"1.16"}');
    for (const name of ["six.cpython-311", "six.cpython-311.opt-1", "own.cpython-311"]) {
      put(root, `${site}/__pycache__/${name}.pyc`);
    }
    put(root, `${site}/own.py`);
    putDpkg(root, [
      { name: "node-semver", list: [`/${modules}/package.json`] },
      { name: "python3-six", list: [`/${site}/six.py`, `/${site}/six-1.16.dist-info/RECORD`] },
    ]);
    const lab = createLab(shell);
    lab.ok(["split", "auto", root]);
    const layers = readLayers(lab, root);
    const found = Object.keys(layers);
    expect(found.slice(0, -3).toSorted()).toEqual([
      "node-semver-1.0",
      "python3-six-1.0",
      "requests-2.31.0",
      "semver-7.5.0",
      "six-1.16",
      "six-1.16:npm",
    ]);
    expect(found.slice(-3)).toEqual(["python-cache", "dpkg-database", "other"]);
    expect(layers["python3-six-1.0"]).toContain(`${site}/six.py`);
    const compiled = ["six.cpython-311.opt-1.pyc", "six.cpython-311.pyc"];
    expect(layers["python-cache"]).toEqual(compiled.map((name) => `${site}/__pycache__/${name}`));
    expect(layers["node-semver-1.0"]).toContain(`${modules}/package.json`);
    expect(layers["six-1.16"]).toEqual(
      ["RECORD", "METADATA"]
        .map((name) => `venv/six-1.16.dist-info/${name}`)
        .toSorted()
        .concat("venv/six.py"),
    );
    expect(layers["semver-7.5.0"]).toEqual(["opt/node_modules/semver/package.json"]);
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  });

  it("reads the database of an image without dpkg", () => {
    const root = makeMergedRoot();
    put(root, "usr/lib/libssl.so");
    put(root, "app");
    put(
      root,
      "var/lib/dpkg/status.d/libssl3",
      "Package: libssl3\nArchitecture: amd64\nVersion: 3.0.11-1\n",
    );
    put(
      root,
      "var/lib/dpkg/status.d/libssl3.md5sums",
      "0123456789abcdef0123456789abcdef  lib/libssl.so\n",
    );
    const lab = createLab(shell);
    lab.ok(["split", "auto", root]);
    expect(readLayers(lab, root)).toEqual({
      "libssl3-3.0.11-1": [
        "usr/lib/libssl.so",
        "var/lib/dpkg/status.d/libssl3",
        "var/lib/dpkg/status.d/libssl3.md5sums",
      ],
      other: ["app", "bin", "lib", "var/run"],
    });
  });

  it("takes several kinds, and a root with none", () => {
    const root = makeNpmRoot();
    putPip(root, "venv", "six", "1.16", []);
    const lab = createLab(shell);
    lab.ok(["split", "pip,npm", root]);
    expect(lab.entries().map((entry) => entry.created_by)).toEqual(
      expect.arrayContaining(["six-1.16", "@scope/pkg-1.0.0-beta.1"]),
    );
    const plain = makeScratch();
    put(plain, "file");
    const second = createLab(shell);
    second.ok(["split", "auto", plain]);
    expect(readLayers(second, plain)).toEqual({ other: ["file"] });
    const nothing = createLab(shell).run(["split", "auto", makeScratch()]);
    expect(nothing).toMatchObject({ status: 1, stdout: "" });
    expect(nothing.stderr).toMatch(/found nothing/);
  });

  it("keeps hard links of a store in one layer", () => {
    const root = makeNixRoot();
    put(root, "nix/store/.links/1xyz", "libc");
    mkdirSync(join(root, "nix/store/5fff-copy"));
    linkSync(join(root, "nix/store/.links/1xyz"), join(root, "nix/store/5fff-copy/libc.so"));
    const lab = createLab(shell);
    lab.ok(["split", "nix", root]);
    expect(readLayers(lab, root)["/nix/store/5fff-copy"]).toEqual([
      "nix/store/.links/1xyz",
      "nix/store/5fff-copy/libc.so",
    ]);
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  });
});
