// The rooms of the house, written once: who may import whom, and what of the world each may touch. The lint rule
// `xbuild/rooms` holds the source to it, type imports too; ARCHITECTURE.md says what is in each room.
import { dirname, posix, relative } from "node:path";

/** Modules of Node that touch nothing outside of the process. */
const harmless = new Set(
  ["buffer", "crypto", "path", "stream", "util", "zlib"].map((one) => `node:${one}`),
);
const programs = new Set(["execa", "node:child_process"]);

/**
 * By name: the floor; the rooms that it may import, all below it or beside it; whether it is `pure` (no disk, no
 * network, no process); whether it may start programs; packages that no other room uses. `src` has the files that
 * stand in no room: every room may import these.
 */
export const rooms = {
  src: { floor: 0, pure: true, imports: [] },
  grammar: { floor: 0, pure: true, imports: [], packages: ["chevrotain"] },
  system: { floor: 1, imports: [], programs: true, isToolbox: true },
  oci: { floor: 1, pure: true, imports: [] },
  containerfile: {
    floor: 1,
    pure: true,
    imports: ["grammar", "oci"],
    packages: ["dockerfile-ast"],
  },
  plan: { floor: 2, pure: true, imports: ["grammar", "containerfile", "oci"] },
  archive: { floor: 3, imports: ["system", "oci"], programs: true },
  context: { floor: 3, imports: ["system", "oci"] },
  sources: { floor: 3, imports: ["system", "archive", "registry"], programs: true },
  store: { floor: 3, imports: ["system", "oci"] },
  engine: {
    floor: 3,
    imports: ["system", "oci", "containerfile", "plan", "registry", "copy"],
    programs: true,
  },
  registry: { floor: 3, imports: ["system", "oci"], programs: true, packages: ["undici"] },
  copy: { floor: 3, imports: ["system", "oci", "registry"], programs: true },
  layers: { floor: 4, imports: ["system", "oci", "archive", "store"], programs: true },
  delivery: {
    floor: 5,
    imports: ["system", "oci", "archive", "store", "engine", "registry", "copy"],
  },
  pipeline: {
    floor: 5,
    imports:
      "system oci containerfile plan archive context store engine registry copy layers delivery".split(
        " ",
      ),
  },
  rebase: {
    floor: 6,
    imports: ["system", "oci", "archive", "store", "registry", "copy", "delivery"],
  },
  frontend: {
    floor: 6,
    packages: ["@bufbuild/protobuf", "@connectrpc/connect", "@connectrpc/connect-node"],
    imports: "system oci containerfile plan archive layers engine pipeline".split(" "),
  },
  cli: {
    floor: 7,
    packages: ["log-update"],
    imports:
      "grammar system oci containerfile plan archive sources store engine registry copy layers delivery pipeline rebase".split(
        " ",
      ),
  },
};

/** Stands above all rooms: what users of the library import. */
const libraryFile = "src/index.ts";

/** The face of a room: the one file that others import. Of a toolbox each file is a face. */
export function faceOf(room) {
  return room === "grammar" ? "grammar/grammar.ts" : `src/${room}/${room}.ts`;
}

/** The room of a file, both by its path from the root: undefined for what is no source of the product. */
export function roomOf(path) {
  const [, room] = /^src\/([^/]+)\/./.exec(path) ?? [];
  if (room !== undefined) return room;
  if (/^grammar\/(?!corpus\/)./.test(path)) return "grammar";
  return /^src\/[^/]+\.ts$/.test(path) ? "src" : undefined;
}

/** What is wrong with `file` importing `specifier`; undefined where nothing is. */
export function findFault(file, specifier) {
  const name = roomOf(file);
  if (name === undefined || file === libraryFile || file.endsWith(".test.ts")) return undefined;
  const room = rooms[name];
  if (room === undefined) return `there is no room ${name}: write it down in scripts/rooms.mjs`;
  return specifier.startsWith(".")
    ? judgeFile(name, room, posix.join(dirname(file), specifier))
    : judgePackage(name, room, specifier);
}

function judgeFile(name, room, target) {
  const other = roomOf(target);
  if (other === undefined) return `${target} is no source of the product`;
  if (other === name || (other === "src" && target !== libraryFile)) return undefined;
  if (!room.imports.includes(other)) {
    return `${name} (floor ${room.floor}) may not know ${other}: see scripts/rooms.mjs`;
  }
  if (rooms[other].isToolbox || target === faceOf(other)) return undefined;
  return `${target} is inside of ${other}: import ${faceOf(other)}`;
}

function judgePackage(name, room, specifier) {
  if (programs.has(specifier) && !room.programs) return `${name} starts no programs`;
  if (room.pure && specifier.startsWith("node:") && !harmless.has(specifier)) {
    return `${name} is pure: it touches nothing outside of the process`;
  }
  const isOf = (name) => specifier === name || specifier.startsWith(`${name}/`);
  const owner = Object.keys(rooms).find((one) => rooms[one].packages?.some(isOf));
  return owner === undefined || owner === name ? undefined : `only ${owner} uses ${specifier}`;
}

const readSource = (source) => (source?.type === "Literal" ? source.value : undefined);

export const roomsRule = {
  create: (context) => {
    const file = relative(context.cwd ?? process.cwd(), context.filename);
    const check = (node, specifier) => {
      if (typeof specifier !== "string") return;
      const fault = findFault(file, specifier);
      if (fault !== undefined) context.report({ node, message: `${fault}.` });
    };
    const checkSource = (node) => check(node, readSource(node.source));
    const isFace = roomOf(file) !== undefined && faceOf(roomOf(file)) === file;
    return {
      ImportDeclaration: checkSource,
      ExportAllDeclaration: checkSource,
      ExportNamedDeclaration: checkSource,
      ImportExpression: checkSource,
      TSImportType: (node) => check(node, readSource(node.argument ?? node.source)),
      Program: (node) => {
        if (
          !isFace ||
          node.body.every((one) => one.type === "ExportNamedDeclaration" && one.source)
        )
          return;
        const message = "A face names what its room gives, and does nothing: re-exports alone.";
        context.report({ node, message });
      },
    };
  },
};
