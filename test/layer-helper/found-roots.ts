import { link, makeScratch, put } from "./lab.ts";

/** As Python writes JSON, without characters that are not ASCII. */
function renderRecord(files: readonly string[]): string {
  const text = JSON.stringify({
    build: "py311_0",
    depends: ["a, b", 'say "no"', "back\\slash"],
    files,
    name: "of no use here",
    paths_data: { paths: files.map((_path) => ({ _path, files: ["opt/env/bin/none"] })) },
  });
  return text.replaceAll("é", String.raw`\u00e9`);
}

/** Conda is in no registry of Debian's or of a language. */
export function makeCondaRoot(): string {
  const root = makeScratch();
  const meta = "opt/env/conda-meta";
  put(
    root,
    `${meta}/numpy-1.26.4-py311_0.json`,
    renderRecord(["lib/numpy.py", "bin/f2py", 'lib/é,"1.py']),
  );
  put(
    root,
    `${meta}/ca-certificates-2024.2.2-h06a4308_0.json`,
    renderRecord(["ssl/cert.pem", "missing"]),
  );
  put(root, `${meta}/numpy.json`, renderRecord(["own"]));
  put(root, `${meta}/history`);
  const site = "opt/env/lib/numpy-1.26.4.dist-info";
  put(root, `${meta}/numpy-tests-1.26.4-py311_0.json`, renderRecord([`${site.slice(8)}/RECORD`]));
  put(root, `${site}/RECORD`, "own,,\nnumpy.py,,\n");
  for (const path of ["lib/numpy.py", "bin/f2py", 'lib/é,"1.py', "ssl/cert.pem", "own"])
    put(root, `opt/env/${path}`);
  put(root, "opt/env/pkgs/numpy-1.26.4-py311_0/info/index.json");
  return root;
}

export function makeMavenRoot(): string {
  const root = makeScratch();
  const jars = [
    "foo-1.0-beta-9.jar",
    "foo-bar-1.0-20230101.123456-1.jar",
    "guava-32.1.3-jre.jar",
    "native-1.0-linux-x86_64.jar",
    "native-1.0-osx-aarch_64.jar",
    "plain.jar",
    "plain-api.jar",
  ];
  for (const jar of jars) put(root, `opt/app/lib/${jar}`);
  link(root, "opt/app/lib/dated-20230618.jar", "plain.jar");
  const repository = "root/.m2/repository/org/example";
  for (const name of [
    "foo-bar-1.0-SNAPSHOT.jar",
    "foo-bar-1.0-SNAPSHOT.pom",
    "_remote.repositories",
  ])
    put(root, `${repository}/foo-bar/1.0-SNAPSHOT/${name}`);
  put(root, `${repository}/foo-bar/maven-metadata-local.xml`);
  put(root, `${repository}/parent/3/parent-3.pom`);
  // A wheel's jars are the wheel's.
  put(root, "venv/spark/jars/hive-2.3.9.jar");
  put(
    root,
    "venv/spark-3.5.0.dist-info/RECORD",
    "spark/jars/hive-2.3.9.jar,,\nspark-3.5.0.dist-info/RECORD,,\n",
  );
  return root;
}

export function makeDotnetRoot(): string {
  const root = makeScratch();
  const assets = {
    "App/1.0.0": { runtime: { "App.dll": {} } },
    "Humanizer.Core.de/2.14.1": {
      resources: { "lib/net6.0/de/Humanizer.resources.dll": { locale: "de" } },
    },
    "Newtonsoft.Json/13.0.3": {
      runtime: { "lib/net6.0/Newtonsoft.Json.dll": { fileVersion: "13" } },
    },
    "SQLite/2.1.6": {
      native: { "runtimes/linux-x64/native/libe_sqlite3.so": {} },
      runtimeTargets: { "runtimes/alpine-x64/native/libe_sqlite3.so": { rid: "alpine-x64" } },
      compile: { "ref/App.dll": {} },
    },
    "Strange/1.0.0+1": { runtime: { "lib/Strange.dll": {} } },
  };
  const types = Object.keys(assets).map((name) => {
    const type = name.startsWith("App/") ? "project" : "package";
    return [name, { type, serviceable: true, sha512: "" }];
  });
  const document = {
    targets: { ".NETCoreApp,Version=v8.0": assets },
    libraries: Object.fromEntries(types),
  };
  const text = JSON.stringify(document, null, 2).replaceAll("+", String.raw`\u002B`);
  for (const folder of ["app", "tool"]) {
    put(root, `${folder}/App.deps.json`, text);
    for (const path of ["App.dll", "Newtonsoft.Json.dll"]) put(root, `${folder}/${path}`);
  }
  for (const path of ["de/Humanizer.resources.dll", "libe_sqlite3.so", "Strange.dll"])
    put(root, `app/${path}`);
  put(root, "app/runtimes/alpine-x64/native/libe_sqlite3.so");
  return root;
}

/** Composer 1 wrote a list alone. */
export function makeComposerRoot(): string {
  const root = makeScratch();
  const packages = [
    { name: "psr/log", version: "1.1.4", autoload: { "psr-4": { name: "x/y" } } },
    { name: "acme/dev", version: "dev-main" },
    { name: "meta/package", version: "1.0.0" },
  ];
  put(
    root,
    "srv/vendor/composer/installed.json",
    JSON.stringify(packages).replaceAll("/", String.raw`\/`),
  );
  for (const path of ["psr/log/Log.php", "acme/dev/Dev.php", "psr/else.php", "autoload.php"])
    put(root, `srv/vendor/${path}`);
  return root;
}

export function makeGemRoot(): string {
  const root = makeScratch();
  const home = "usr/local/lib/ruby/gems/3.1.0";
  const platform = "nokogiri-1.15.4-x86_64-linux";
  put(root, `${home}/specifications/default/json-2.6.1.gemspec`);
  put(
    root,
    `${home}/specifications/${platform}.gemspec`,
    "# -*- encoding: utf-8 -*-\n# stub: nokogiri 1.15.4 x86_64-linux lib\n",
  );
  put(root, `${home}/gems/${platform}/lib/nokogiri.rb`);
  put(root, `${home}/gems/json-2.6.1/exe/json`);
  put(root, `${home}/cache/${platform}.gem`);
  put(root, `${home}/doc/${platform}/ri/index`);
  return root;
}

/** A library of R, and the source of a package, which nobody has installed. */
export function makeCranRoot(): string {
  const root = makeScratch();
  const library = "usr/local/lib/R/site-library";
  put(root, `${library}/R6/DESCRIPTION`, "Package: R6\nTitle: x\n Version: 9\nVersion:  2.5.1\r\n");
  put(root, `${library}/R6/Meta/package.rds`);
  put(root, `${library}/R6/R/R6.rdb`);
  put(root, "srv/own/DESCRIPTION", "Package: own\nVersion: 1.0\n");
  return root;
}
