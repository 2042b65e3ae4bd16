import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { askRegistry, copy, run, unpackWheel, wantedBy } from "./installed.ts";
import type { Installation } from "./installed.ts";
import { makeScratch, put } from "./lab.ts";

/** A Maven project's dependencies, as they stand in an exploded Spring Boot application. */
const maven: Installation = {
  kind: "maven",
  what: "an application's libraries",
  needs: ["mvn"],
  layers: [
    ["gson-2.10", "slf4j-api-2.0.7", "log4j-1.2-api-2.20.0"],
    ["gson-2.10.1", "slf4j-api-2.0.9", "log4j-1.2-api-2.21.0"],
  ],
  install(root, isAfter) {
    const groups: Readonly<Record<string, string>> = {
      gson: "com.google.code.gson",
      "slf4j-api": "org.slf4j",
      "log4j-1.2-api": "org.apache.logging.log4j",
    };
    const dependencies = wantedBy(this, isAfter).map(([name, version]) =>
      dependency(groups[name] ?? "", name, version),
    );
    const native = "io.netty:netty-transport-native-epoll:4.1.100.Final";
    const [group = "", name = "", version = ""] = native.split(":");
    dependencies.push(dependency(group, name, version, "linux-x86_64"));
    const project = makeScratch();
    put(project, "pom.xml", renderProject(dependencies));
    const output = `-DoutputDirectory=${join(root, "app/BOOT-INF/lib")}`;
    askRegistry(
      ["mvn", "--quiet", "--batch-mode", "dependency:copy-dependencies", output],
      project,
    );
    put(root, "app/BOOT-INF/classes/Main.class");
    put(root, "app/lib/unversioned.jar");
  },
};

function dependency(group: string, name: string, version: string, classifier = ""): string {
  const own = classifier === "" ? "" : `<classifier>${classifier}</classifier>`;
  return `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version>${own}</dependency>`;
}

function renderProject(dependencies: readonly string[]): string {
  const own =
    "<modelVersion>4.0.0</modelVersion><groupId>org.example</groupId><artifactId>app</artifactId><version>1</version>";
  return `<project>${own}<dependencies>${dependencies.join("")}</dependencies></project>`;
}

/** .NET's own framework, of which a Python package carries a copy. */
const dotnet: Installation = {
  kind: "dotnet",
  what: "a framework",
  needs: ["python3"],
  layers: [
    ["runtime.linux-x64.Microsoft.NETCore.App-2.1.30"],
    ["runtime.linux-x64.Microsoft.NETCore.App-3.1.23-servicing.22122.4"],
  ],
  install(root, isAfter) {
    const content = unpackWheel(`dotnetcore2==${isAfter ? "3.1.23" : "2.1.23"}`);
    copy(join(content, "dotnetcore2/bin"), root, "usr/share/dotnet");
  },
};

/** Without entries for directories, which Go refuses. */
const zipFiles = `
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    for folder, _, files in os.walk("."):
        for name in files: archive.write(os.path.join(folder, name))
`;

/** Serves a module's version to Go's own program, from files. */
function publishModule(proxy: string, path: string, version: string) {
  const source = makeScratch();
  const folder = `${path}@${version}`;
  put(source, `${folder}/go.mod`, `module ${path}\n`);
  for (const name of ["one", "two", "three"]) {
    const code = `package main\nimport "fmt"\nfunc main() { fmt.Println("${name} ${version}") }\n`;
    put(source, `${folder}/cmd/${name}/main.go`, code);
  }
  const directory = `${path}/@v/${version}`;
  put(
    proxy,
    `${directory}.info`,
    JSON.stringify({ Version: version, Time: "2024-01-02T03:04:05Z" }),
  );
  put(proxy, `${path}/@v/list`, `${version}\n`);
  put(proxy, `${directory}.mod`, `module ${path}\n`);
  run(["python3", "-c", zipFiles, join(proxy, `${directory}.zip`)], source);
}

const gomod: Installation = {
  kind: "gomod",
  what: "installed commands",
  needs: ["go", "python3"],
  layers: [
    ["one", "three", "two"].map((name) => `example.org/tool/cmd/${name}-1.2.3`),
    ["one", "three", "two"].map((name) => `example.org/tool/cmd/${name}-1.10.0`),
  ],
  install(root, isAfter) {
    const proxy = makeScratch();
    const version = `v${wantedBy(this, isAfter)[0]?.[1] ?? ""}`;
    publishModule(proxy, "example.org/tool", version);
    const bin = join(root, "usr/local/bin");
    mkdirSync(bin, { recursive: true });
    run(["go", "install", `example.org/tool/cmd/...@${version}`], root, {
      GOPROXY: `file://${proxy}`,
      GONOSUMDB: "*",
      GOFLAGS: "-modcacherw",
      GOMODCACHE: makeScratch(),
      GOBIN: bin,
    });
  },
};

/** A program of Rust that a Python package carries; it is built with cargo-auditable. */
const cargo: Installation = {
  kind: "cargo",
  what: "a program with its list",
  needs: ["python3"],
  layers: [["uv-0.13.6"], ["uv-0.13.9"]],
  install(root, isAfter) {
    const version = wantedBy(this, isAfter)[0]?.[1] ?? "";
    const content = unpackWheel(`uv==${version}`);
    const scripts = join(content, `uv-${version}.data/scripts`);
    if (!existsSync(scripts)) throw new Error(`no scripts in ${readdirSync(content).join(" ")}`);
    copy(scripts, root, "usr/local/bin");
    run(["chmod", "-R", "755", "usr/local/bin"], root);
  },
};

export const compiled: readonly Installation[] = [maven, dotnet, gomod, cargo];
