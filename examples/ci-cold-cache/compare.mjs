// What became of the layers, by the --metadata-file of two builds.
//
//   node compare.mjs BEFORE.json AFTER.json
//
// Prints "ALL NEW BYTES": how many layers the second image has, how many of them the first has not, and how
// large these are. Exit status 1, with their names, where a package's layer got another digest.
import { readFileSync } from "node:fs";

const [before, after] = process.argv
  .slice(2)
  .map((file) => JSON.parse(readFileSync(file, "utf8")).layers);
const digests = new Map(before.map((layer) => [layer.name, layer.digest]));
const known = new Set(digests.values());

// These follow from all packages together (docs/layer-helper.md).
const isShared = ({ name }) => ["dpkg-database", "python-cache", "other"].includes(name);
const fresh = after.filter((layer) => !known.has(layer.digest));
const wrong = fresh.filter((layer) => !isShared(layer) && digests.has(layer.name));
if (wrong.length > 0) {
  process.stderr.write(`other digests: ${wrong.map((layer) => layer.name).join(" ")}\n`);
  process.exitCode = 1;
}
const bytes = fresh.reduce((sum, layer) => sum + layer.size, 0);
process.stdout.write(`${after.length} ${fresh.length} ${bytes}\n`);
