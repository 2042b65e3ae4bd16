import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  makeCondaRoot,
  makeMavenRoot,
  makeDotnetRoot,
  makeComposerRoot,
  makeGemRoot,
  makeCranRoot,
} from "./found-roots.ts";
import { createLab, link, listShells, makeScratch, put } from "./lab.ts";
import type { Lab } from "./lab.ts";
import { compareTrees, flatten, readLayers, readTree } from "./oracle.ts";
import type { Layers } from "./oracle.ts";
import { execute, putDpkg } from "./roots.ts";

// What real installations of split-installed.test.ts do not have, or not on this machine: written by hand.

const m2 = "root/.m2/repository/org/example";
const gems = "usr/local/lib/ruby/gems/3.1.0";
const nokogiri = "nokogiri-1.15.4-x86_64-linux";

const cases: readonly (readonly [string, () => string, Layers])[] = [
  [
    "conda",
    makeCondaRoot,
    {
      "ca-certificates-2024.2.2-h06a4308_0": [
        "conda-meta/ca-certificates-2024.2.2-h06a4308_0.json",
        "ssl/cert.pem",
      ].map((path) => `opt/env/${path}`),
      "numpy-1.26.4-py311_0": [
        "bin/f2py",
        "conda-meta/numpy-1.26.4-py311_0.json",
        "lib/numpy.py",
        'lib/é,"1.py',
        "pkgs/numpy-1.26.4-py311_0/info/index.json",
      ].map((path) => `opt/env/${path}`),
      "numpy-tests-1.26.4-py311_0": [
        "conda-meta/numpy-tests-1.26.4-py311_0.json",
        "lib/numpy-1.26.4.dist-info/RECORD",
      ].map((path) => `opt/env/${path}`),
      other: ["opt/env/conda-meta/history", "opt/env/conda-meta/numpy.json", "opt/env/own"],
    },
  ],
  [
    "maven",
    makeMavenRoot,
    {
      "spark-3.5.0": ["venv/spark-3.5.0.dist-info/RECORD", "venv/spark/jars/hive-2.3.9.jar"],
      "dated-20230618": ["opt/app/lib/dated-20230618.jar"],
      "foo-1.0-beta-9": ["opt/app/lib/foo-1.0-beta-9.jar"],
      "foo-bar-1.0-20230101.123456-1": ["opt/app/lib/foo-bar-1.0-20230101.123456-1.jar"],
      "foo-bar-1.0-SNAPSHOT": [
        "_remote.repositories",
        "foo-bar-1.0-SNAPSHOT.jar",
        "foo-bar-1.0-SNAPSHOT.pom",
      ].map((name) => `${m2}/foo-bar/1.0-SNAPSHOT/${name}`),
      "guava-32.1.3-jre": ["opt/app/lib/guava-32.1.3-jre.jar"],
      "native:linux-x86_64-1.0": ["opt/app/lib/native-1.0-linux-x86_64.jar"],
      "native:osx-aarch_64-1.0": ["opt/app/lib/native-1.0-osx-aarch_64.jar"],
      other: [
        "opt/app/lib/plain-api.jar",
        "opt/app/lib/plain.jar",
        `${m2}/foo-bar/maven-metadata-local.xml`,
        `${m2}/parent/3/parent-3.pom`,
      ],
    },
  ],
  [
    "dotnet",
    makeDotnetRoot,
    {
      "Humanizer.Core.de-2.14.1": ["app/de/Humanizer.resources.dll"],
      "Newtonsoft.Json-13.0.3": ["app/Newtonsoft.Json.dll", "tool/Newtonsoft.Json.dll"],
      "SQLite-2.1.6": ["app/libe_sqlite3.so", "app/runtimes/alpine-x64/native/libe_sqlite3.so"],
      "Strange-1.0.0+1": ["app/Strange.dll"],
      other: ["app/App.deps.json", "app/App.dll", "tool/App.deps.json", "tool/App.dll"],
    },
  ],
  [
    "composer",
    makeComposerRoot,
    {
      "acme/dev-dev-main": ["srv/vendor/acme/dev/Dev.php"],
      "psr/log-1.1.4": ["srv/vendor/psr/log/Log.php"],
      other: [
        "srv/vendor/autoload.php",
        "srv/vendor/composer/installed.json",
        "srv/vendor/psr/else.php",
      ],
    },
  ],
  [
    "gem",
    makeGemRoot,
    {
      [nokogiri]: [
        `cache/${nokogiri}.gem`,
        `doc/${nokogiri}/ri/index`,
        `gems/${nokogiri}/lib/nokogiri.rb`,
        `specifications/${nokogiri}.gemspec`,
      ].map((path) => `${gems}/${path}`),
      other: [
        `${gems}/gems/json-2.6.1/exe/json`,
        `${gems}/specifications/default/json-2.6.1.gemspec`,
      ],
    },
  ],
  [
    "cran",
    makeCranRoot,
    {
      "R6-2.5.1": ["DESCRIPTION", "Meta/package.rds", "R/R6.rdb"].map(
        (path) => `usr/local/lib/R/site-library/R6/${path}`,
      ),
      other: ["srv/own/DESCRIPTION"],
    },
  ],
];

const names = (lab: Lab): readonly string[] => lab.entries().map((entry) => entry.created_by);

describe.each(listShells())("found under $name", (shell) => {
  it.each(cases)("%s gives each package what is its own", (_kind, makeRoot, layers) => {
    const root = makeRoot();
    const lab = createLab(shell);
    lab.ok(["split", "auto", root]);
    expect(readLayers(lab, root)).toEqual(layers);
    expect(names(lab).toSorted()).toEqual(Object.keys(layers).toSorted());
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  });

  it("follows a link whose name has a quote", () => {
    const root = makeScratch();
    put(root, "usr/it's/file");
    link(root, "it's", "usr/it's");
    putDpkg(root, [{ name: "owner", list: ["/it's/file"] }]);
    const lab = createLab(shell);
    lab.ok(["split", "dpkg", root]);
    expect(readLayers(lab, root)["owner-1.0"]).toContain("usr/it's/file");
  });

  it("takes no damaged document, and no binary without a list, for a package", () => {
    const root = makeScratch();
    const program = readFileSync("/proc/self/exe");
    put(root, "srv/node", program, 0o755);
    put(root, "srv/cut", program.subarray(0, 2_000_000), 0o755);
    put(
      root,
      "srv/elf",
      Buffer.concat([Buffer.from("\x7fELF"), Buffer.alloc(2_000_000, 255)]),
      0o755,
    );
    put(root, "srv/zeros", Buffer.alloc(2_000_000), 0o755);
    put(root, "srv/App.deps.json", '{"targets": {"x": {"A/1": {"runtime": {"a.dll": {');
    put(root, "srv/a.dll");
    put(root, "srv/composer/installed.json", '{"packages": [{"name": "a/b", "version": "1');
    put(root, "srv/conda-meta/a-1-0.json", '[[[]]]]}}\\"\\');
    put(root, "srv/node_modules/a/package.json", '{"version": null, "version": 1}"');
    put(root, "srv/node_modules/b/package.json", '\u{feff}{"x": "\\\\", "version": "1.0.0" }');
    const lab = createLab(shell);
    lab.ok(["split", "auto", root]);
    const large = ["/srv/cut", "/srv/elf", "/srv/node", "/srv/zeros"];
    expect(names(lab).toSorted()).toEqual([...large, "a-1-0", "b-1.0.0", "other"]);
    expect(readLayers(lab, root)["a-1-0"]).toEqual(["srv/conda-meta/a-1-0.json"]);
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  });
});

const documents = [
  "node_modules/x/package.json",
  "x-1.dist-info/RECORD",
  "x/DESCRIPTION",
  "specifications/a-1.gemspec",
  "conda-meta/a-1-0.json",
  "a.deps.json",
  "composer/installed.json",
];

it.each(documents)("%s is read where it is a file alone", (path) => {
  for (const shell of listShells()) {
    const root = makeScratch();
    put(root, "file");
    put(root, "piped/x/Meta/package.rds");
    put(root, `listed/${path}/file`);
    mkdirSync(dirname(join(root, "piped", path)), { recursive: true });
    execute("mkfifo", [join(root, "piped", path)]);
    link(root, `linked/${path}`, "/dev/zero");
    const lab = createLab(shell);
    lab.ok(["split", "auto", root]);
    expect(names(lab)).toEqual(["other"]);
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  }
});

it("reads of binaries only those executables that are large and no package's", () => {
  const [shell] = listShells();
  if (shell === undefined) throw new Error("no shell");
  const tools = makeScratch();
  const log = join(tools, "log");
  put(tools, "od", `#!/bin/sh\necho "$*" >>${log}\nexec /usr/bin/od "$@"\n`, 0o755);
  const root = makeScratch();
  const large = Buffer.alloc(1 << 20);
  for (const path of ["usr/bin/owned", "opt/library.so.1", "opt/it's one"])
    put(root, path, large, 0o755);
  put(root, "opt/data", large, 0o644);
  put(root, "opt/small", large.subarray(1), 0o755);
  putDpkg(root, [{ name: "owner", list: ["/usr/bin/owned"] }]);
  const lab = createLab(shell);
  lab.ok(["split", "auto", root], { env: { PATH: `${tools}:${shell.path}` } });
  const read = readFileSync(log, "utf8").trimEnd().split("\n");
  expect(read).toEqual([expect.stringMatching(/ \.\/opt\/it's one$/)]);
});
