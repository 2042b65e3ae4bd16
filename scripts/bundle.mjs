// How the sources become what users run: one file for each part that is loaded by itself.
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { faceOf, roomOf } from "./rooms.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const reExport = /export (?:type )?\{([^}]*)\} from "(\.[^"]+)";/g;
const staticImport = /(import|export)( type)? \{([^}]*)\} from "(\.[^"]+)";/g;
const dynamicImport = /(const \{ ([^}]*) \} = await |\(await )import\("(\.[^"]+)"\)(?:\)\.(\w+))?/g;

/** Whether a path, from the root of a file system, is that of a room's face. */
function isFace(path) {
  const file = relative(root, path);
  const room = roomOf(file);
  return room !== undefined && faceOf(room) === file;
}

/** The file behind each name that a face gives. */
function readFace(path) {
  const text = readFileSync(path, "utf8");
  return new Map(
    [...text.matchAll(reExport)].flatMap(([, names, from]) =>
      splitNames(names).map(({ name }) => [name, join(dirname(path), from)]),
    ),
  );
}

/**
 * Links names that rooms take from each other's faces to the files that define them. A face re-exports and does nothing
 * else; as a file of the bundle it would make whoever needs one name of a room load all of it.
 */
const linkFaces = {
  name: "link-faces",
  setup(build) {
    const faces = new Map();
    const findFile = (importer, specifier, name) => {
      const face = join(dirname(importer), specifier);
      if (!isFace(face)) return undefined;
      if (!faces.has(face)) faces.set(face, readFace(face));
      return faces.get(face).get(name);
    };
    build.onLoad({ filter: /\/(?:src|grammar)\/.*\.ts$/ }, async ({ path }) => ({
      contents: isFace(path)
        ? await readFile(path, "utf8")
        : rewrite(await readFile(path, "utf8"), path, findFile),
      loader: "ts",
    }));
  },
};

const common = {
  absWorkingDir: root,
  outbase: "src",
  bundle: true,
  platform: "node",
  target: "node20.19",
  plugins: [linkFaces],
};

/** esbuild's options for the library: modules, without where they go. */
export const bundleOptions = {
  ...common,
  entryPoints: ["src/index.ts"],
  splitting: true,
  format: "esm",
  // Bundled CommonJS packages ask for Node's own modules with require().
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
};

const fileUrl = 'require("node:url").pathToFileURL(__filename).href';

/**
 * The program as one script, for `src/cli/main.ts`, which hands on what the first line names. In it stands what is
 * loaded later, too: it is run then.
 */
export const programOptions = {
  ...common,
  entryPoints: { program: "src/cli/process.ts" },
  outExtension: { ".js": ".cjs" },
  format: "cjs",
  minifyWhitespace: true,
  // A script that V8 compiles by itself has no loader: Node's own modules are asked for with require(), later all the same.
  supported: { "dynamic-import": false },
  define: { "import.meta.url": "__fileUrl" },
  banner: {
    js: `(function (module, require, __filename) { "use strict"; const exports = module.exports, __fileUrl = ${fileUrl};`,
  },
  footer: { js: "})" },
};

/** BuildKit's frontend: one file, which runs without the others. */
export const frontendOptions = {
  ...common,
  entryPoints: { frontend: "src/frontend/main.ts" },
  outExtension: { ".js": ".mjs" },
  format: "esm",
  minifyWhitespace: true,
  banner: bundleOptions.banner,
};

/** What is run first. */
export const mainOptions = {
  ...common,
  entryPoints: ["src/cli/main.ts"],
  format: "cjs",
};

function rewrite(text, importer, findFile) {
  const specify = (file) => {
    const path = relative(dirname(importer), file);
    return path.startsWith(".") ? path : `./${path}`;
  };
  return text
    .replaceAll(staticImport, (whole, keyword, type = "", names, specifier) => {
      // Types load nothing, and may have other names in a face.
      const values = splitNames(names).filter(
        ({ written }) => type !== "" || !written.startsWith("type "),
      );
      const parts = values.map(({ name, written }) => {
        const file = findFile(importer, specifier, name);
        return file && `${keyword}${type} { ${written} } from "${specify(file)}";`;
      });
      return parts.includes(undefined) ? whole : parts.join(" ");
    })
    .replaceAll(dynamicImport, (whole, _, names, specifier, member) => {
      const wanted = splitNames(names ?? member ?? "");
      const files = new Set(wanted.map(({ name }) => findFile(importer, specifier, name)));
      const [file] = files;
      return files.size === 1 && file !== undefined
        ? whole.replace(specifier, specify(file))
        : whole;
    });
}

function splitNames(names) {
  return names
    .split(",")
    .map((written) => written.trim())
    .filter((written) => written !== "")
    .map((written) => ({ written, name: written.replace(/^type /, "").split(/ as |: /)[0] }));
}
