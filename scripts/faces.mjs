// Links names that rooms take from each other's faces to the files that define them. A face re-exports and does nothing
// else; as a file of the bundle it would make whoever needs one name of a room load all of it.
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

const reExport = /export (?:type )?\{([^}]*)\} from "(\.[^"]+)";/g;
const staticImport = /(import|export)( type)? \{([^}]*)\} from "(\.[^"]+)";/g;
const dynamicImport = /(const \{ ([^}]*) \} = await |\(await )import\("(\.[^"]+)"\)(?:\)\.(\w+))?/g;

/** The path of a room's face, where a path is one: `store/store.ts`. */
export function isFace(path) {
  return /\/(?:src\/([^/]+)\/\1|grammar\/grammar)\.ts$/.test(path);
}

/** The file behind each name that a face gives. */
export function readFace(path) {
  const text = readFileSync(path, "utf8");
  return new Map(
    [...text.matchAll(reExport)].flatMap(([, names, from]) =>
      splitNames(names).map(({ name }) => [name, join(dirname(path), from)]),
    ),
  );
}

/** An esbuild plugin. */
export const linkFaces = {
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

function rewrite(text, importer, findFile) {
  const specify = (file) => {
    const path = relative(dirname(importer), file);
    return path.startsWith(".") ? path : `./${path}`;
  };
  return text
    .replaceAll(staticImport, (whole, keyword, type = "", names, specifier) => {
      const parts = splitNames(names).map(({ name, written }) => {
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
