// Tells what became of the layers between two builds: for upgrade.sh.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [directory = "."] = process.argv.slice(2);

function readLayers(name) {
  return JSON.parse(readFileSync(join(directory, `${name}.json`), "utf8")).layers;
}

function field(paragraph, key) {
  return new RegExp(`^${key}: (.*)$`, "m").exec(paragraph)?.[1] ?? "";
}

/** Package versions by name, of dpkg's status file. */
function readVersions(name) {
  const text = readFileSync(join(directory, `${name}.status`), "utf8");
  return new Map(
    text
      .split("\n\n")
      .filter((one) => one.trim() !== "")
      .map((one) => [field(one, "Package"), field(one, "Version")]),
  );
}

const before = readLayers("before");
const after = readLayers("after");
const known = new Set(before.map((layer) => layer.digest));
const then = readVersions("before");
const now = readVersions("after");
const upgraded = [...now].filter(([name, version]) => then.has(name) && then.get(name) !== version);

/** Layers that belong to no package. */
const shared = {
  "dpkg-database": "holds the versions of all packages",
  "python-cache": "holds the bytecode that Python made of its new files",
  other: "holds caches and logs of what was installed",
};

/** Why a layer is another one than before. */
function explain(layer) {
  const members = upgraded.filter(([name, version]) =>
    layer.name.split(" ").includes(`${name}-${version}`),
  );
  if (members.length > 0) {
    return members.map(([name, version]) => `${name} ${then.get(name)} -> ${version}`).join(", ");
  }
  return shared[layer.name] ?? explainPlace(layer.name.split(" ")) ?? "NOT EXPLAINED";
}

/** Whether a name with its version is that of a package before its upgrade. */
function isUpgraded(member) {
  return upgraded.some(([name]) => member === `${name}-${then.get(name)}`);
}

/** A layer of unchanged packages that shared one with an upgraded package. */
function explainPlace(members) {
  const mates = before
    .map((layer) => layer.name.split(" "))
    .filter((names) => names.some((name) => members.includes(name)))
    .flatMap((names) => names.filter(isUpgraded));
  return mates.length === 0 ? undefined : `shared a layer with ${mates.join(", ")}`;
}

const changed = after.filter((layer) => !known.has(layer.digest));
const kept = after.filter((layer) => known.has(layer.digest));
const bytes = (layers) => layers.reduce((sum, layer) => sum + layer.size, 0);
const megabytes = (layers) => `${(bytes(layers) / 1e6).toFixed(1)} MB`;
console.log(`${upgraded.length} of ${now.size} packages have another version.`);
for (const layer of changed) console.log(`  new   ${layer.name}: ${explain(layer)}`);
console.log(
  `${kept.length} of ${after.length} layers kept (${((100 * kept.length) / after.length).toFixed(0)} %), ` +
    `${megabytes(changed)} of ${megabytes(after)} to download.`,
);
const unexplained = changed.filter((layer) => explain(layer) === "NOT EXPLAINED");
if (unexplained.length > 0) process.exitCode = 1;
