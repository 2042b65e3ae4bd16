import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { askRegistry, run, wantedBy } from "./installed.ts";
import type { Installation } from "./installed.ts";
import { makeScratch, put } from "./lab.ts";

const npm: Installation = {
  kind: "npm",
  what: "pnpm's links and store",
  needs: ["npm"],
  layers: [
    ["debug-4.3.3", "ms-2.1.2", "picocolors-1.0.0", "@types/ms-0.7.31"],
    ["debug-4.3.4", "ms-2.1.2", "picocolors-1.0.1", "@types/ms-0.7.34"],
  ],
  install(root, isAfter) {
    // debug depends on ms.
    const dependencies = wantedBy(this, isAfter).filter(([name]) => name !== "ms");
    put(
      root,
      "srv/package.json",
      JSON.stringify({ dependencies: Object.fromEntries(dependencies) }),
    );
    const store = ["--store-dir", join(root, "root/store"), "--package-import-method", "hardlink"];
    const pnpm = ["npx", "--yes", "pnpm@9.15.9", "install", "--silent", ...store];
    askRegistry(pnpm, join(root, "srv"), { HOME: makeScratch() });
  },
};

const pip: Installation = {
  kind: "pip",
  what: "uv's virtual environments",
  needs: ["python3"],
  layers: [
    ["click-8.1.3", "itsdangerous-2.1.1", "MarkupSafe-2.1.2"],
    ["click-8.1.7", "itsdangerous-2.1.2", "MarkupSafe-2.1.3"],
  ],
  install(root, isAfter) {
    const tools = makeScratch();
    askRegistry(
      ["python3", "-m", "pip", "install", "--quiet", "--target", ".", "uv==0.13.6"],
      tools,
    );
    const uv = join(tools, "bin/uv");
    const env = { UV_CACHE_DIR: join(root, "root/.cache/uv"), UV_LINK_MODE: "hardlink" };
    mkdirSync(join(root, "app"));
    run([uv, "--quiet", "venv", "--python", "python3", "app/.venv"], root, env);
    const wanted = wantedBy(this, isAfter).map((words) => words.join("=="));
    askRegistry(
      [uv, "--quiet", "pip", "install", "--no-deps", "--compile-bytecode", ...wanted],
      root,
      {
        ...env,
        VIRTUAL_ENV: join(root, "app/.venv"),
      },
    );
  },
};

/** A gem of this name with a program and, where "makes" says so, an extension that make builds. */
function buildGem(name: string, version: string, makes: boolean): string {
  const directory = makeScratch();
  put(directory, `lib/${name}.rb`, `VERSION = "${version}"\n`);
  put(directory, `exe/${name}`, "#!/usr/bin/env ruby\n", 0o755);
  const makefile =
    "all:\n\techo built >built.so\ninstall:\n\tcp built.so $(sitearchdir)/\nclean:\n";
  put(directory, "ext/extconf.rb", `File.write("Makefile", ${JSON.stringify(makefile)})\n`);
  const specification = `Gem::Specification.new do |s|
  s.name, s.version, s.summary, s.authors, s.license = "${name}", "${version}", "a test", ["test"], "MIT"
  s.homepage = "https://example.org"
  s.files = Dir["lib/*", "exe/*", "ext/*"]
  s.bindir = "exe"
  s.executables = ["${name}"]
  ${makes ? 's.extensions = ["ext/extconf.rb"]' : ""}
end
`;
  put(directory, "own.gemspec", specification);
  run(["gem", "build", "own.gemspec"], directory);
  return join(directory, `${name}-${version}.gem`);
}

const gem: Installation = {
  kind: "gem",
  what: "RubyGems' home",
  needs: ["gem", "make"],
  layers: [
    ["with-2d-1.2.0", "plain-0.9.0", "last_one-3.0.0.rc1"],
    ["with-2d-1.10.0", "plain-0.10.0", "last_one-3.0.0"],
  ],
  install(root, isAfter) {
    const home = join(root, "usr/local/bundle");
    for (const [name, version] of wantedBy(this, isAfter)) {
      const file = buildGem(name, version, name.startsWith("with"));
      run(["gem", "install", "--local", "--no-document", "--install-dir", home, file], root);
    }
  },
};

const composer: Installation = {
  kind: "composer",
  what: "Composer's vendor directory",
  needs: ["composer"],
  layers: [
    ["acme/one-2.1.0", "acme/two-0.9.1", "other-acme/linked-3.0.0"],
    ["acme/one-2.2.0", "acme/two-0.10.0", "other-acme/linked-3.1.0"],
  ],
  install(root, isAfter) {
    const names = wantedBy(this, isAfter);
    const repositories = names.map(([name, version]) => {
      const own = { name, version: `v${version}`, type: "library" };
      put(root, `opt/${name}/composer.json`, JSON.stringify(own));
      put(root, `opt/${name}/src/code.php`, `<?php // ${name} ${version}`);
      const symlink = name.endsWith("linked");
      return { type: "path", url: `../opt/${name}`, options: { symlink } };
    });
    const require = Object.fromEntries(names.map(([name]) => [name, "*"]));
    const project = { require, repositories: [...repositories, { "packagist.org": false }] };
    put(root, "srv/composer.json", JSON.stringify(project));
    const env = { COMPOSER_ALLOW_SUPERUSER: "1", COMPOSER_HOME: makeScratch() };
    run(["composer", "install", "--quiet", "--no-interaction"], join(root, "srv"), env);
  },
};

/** Debian's packages of R's, without the database that would own them. Their next version is said to be another. */
const cran: Installation = {
  kind: "cran",
  what: "R's library",
  needs: ["apt-get"],
  // The versions are Debian 12's.
  layers: [
    ["digest-0.6.31", "glue-1.6.2", "jsonlite-1.8.4"],
    ["digest-0.6.31.9000", "glue-1.6.2.9000", "jsonlite-1.8.4.9000"],
  ],
  install(root, isAfter) {
    const directory = makeScratch();
    run(["chmod", "755", directory], directory);
    const packages = ["r-cran-digest", "r-cran-glue", "r-cran-jsonlite"];
    askRegistry(["apt-get", "download", "--quiet", ...packages], directory);
    for (const file of readdirSync(directory)) run(["dpkg-deb", "-x", file, root], directory);
    const library = join(root, "usr/lib/R/site-library");
    for (const name of readdirSync(library)) {
      const file = join(library, name, "DESCRIPTION");
      const text = readFileSync(file, "utf8");
      if (isAfter) writeFileSync(file, text.replace(/^(Version: .*)$/m, "$1.9000"));
    }
  },
};

export const scripted: readonly Installation[] = [npm, pip, gem, composer, cran];
