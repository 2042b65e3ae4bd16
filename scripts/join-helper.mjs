// Joins the parts of helper/ into the one file that builds find at <path>/bin/layer.
//
// helper/layer.sh says what stands where, by lines of these forms:
//   #include FILE           a part; one of awk stands in a quoted string of the shell
//   #include kinds          the names of the kinds of packages, and the shell sections of helper/kinds/*.sh
//   #include listed kinds   the awk sections of those with "# kind: listed ORDER"
//   #include found kinds    of those with "# kind: found ORDER"
// helper/README.md says what is in the file of a kind.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The helper as one file, and where each of its lines comes from.
 * @param directory helper/, or a copy of it
 * @throws Error that names the part, where one is missing or not as it must be
 */
export function joinHelper(directory) {
  const kinds = readKinds(directory);
  const lines = [];
  for (const line of readPart(directory, "layer.sh")) {
    const [, wanted] = /^#include (.+)$/.exec(line.text) ?? [];
    if (wanted === undefined) lines.push(line);
    else if (wanted === "kinds") lines.push(...nameKinds(kinds), ...kinds.flatMap(markShell));
    else if (wanted === "listed kinds") lines.push(...listPrograms(kinds, "listed"));
    else if (wanted === "found kinds") lines.push(...listPrograms(kinds, "found"));
    else lines.push(...mark(wanted, readPart(directory, wanted)));
  }
  return {
    text: lines.map((line) => `${line.text}\n`).join(""),
    places: lines.map(({ file, line }) => ({ file, line })),
    kinds: kinds.map((kind) => kind.name),
  };
}

/**
 * The two languages of a kind's file, each as long as the file, with empty lines for the other one,
 * so that whatever reads one of them tells of the file's own lines.
 */
export function separateSections(text) {
  const lines = text.split("\n");
  const start = lines.indexOf(": <<'AWK'");
  const end = lines.indexOf("AWK");
  const inside = (index) => start >= 0 && index > start && index < end;
  const border = (index) => index === start || index === end;
  return {
    shell: lines.map((line, index) => (inside(index) || border(index) ? "" : line)).join("\n"),
    awk: lines.map((line, index) => (inside(index) ? line : "")).join("\n"),
  };
}

/** The kinds in the order in which they claim paths: those that list their packages first. */
function readKinds(directory) {
  const files = readdirSync(join(directory, "kinds")).filter((file) => file.endsWith(".sh"));
  const kinds = files.sort().map((file) => readKind(directory, file));
  kinds.sort((one, two) => rankKind(one) - rankKind(two));
  for (const [index, kind] of kinds.entries()) {
    const next = kinds[index + 1];
    if (next !== undefined && rankKind(kind) === rankKind(next)) {
      throw new Error(
        `${kind.file} and ${next.file} have the same place: ${kind.how} ${kind.order}`,
      );
    }
  }
  return kinds;
}

function rankKind(kind) {
  return (kind.how === "listed" ? 0 : 1_000_000) + kind.order;
}

function readKind(directory, file) {
  const name = file.slice(0, -".sh".length);
  const part = `kinds/${file}`;
  const text = readFileSync(join(directory, part), "utf8");
  const [, how, order] = /^# kind: (listed|found) (\d{1,4})$/m.exec(text) ?? [];
  const refuse = (reason) => new Error(`helper/${part}: ${reason}`);
  if (!/^[a-z0-9]+$/.test(name))
    throw refuse("the name of a kind has small letters and digits only");
  if (how === undefined)
    throw refuse('there is no line "# kind: listed ORDER" or "# kind: found ORDER"');
  if (!text.includes(`\nhas_${name}() {\n`)) throw refuse(`there is no function has_${name}`);
  if (!text.includes("\n: <<'AWK'\n") || !text.endsWith("\nAWK\n")) {
    throw refuse("there is no awk section, from : <<'AWK' to AWK at the file's end");
  }
  const { shell, awk } = separateSections(text);
  return {
    name,
    how,
    order: Number(order),
    file: `helper/${part}`,
    shell: trim(numberLines(`helper/${part}`, shell)),
    awk: trim(quoteProgram(numberLines(`helper/${part}`, awk))),
  };
}

/** A part's lines without empty ones at its ends. */
function readPart(directory, part) {
  const lines = trim(numberLines(`helper/${part}`, readFileSync(join(directory, part), "utf8")));
  return part.endsWith(".awk") ? quoteProgram(lines) : lines;
}

function numberLines(file, text) {
  return text.split("\n").map((line, index) => ({ file, line: index + 1, text: line }));
}

function trim(lines) {
  const first = lines.findIndex((line) => line.text !== "");
  const last = lines.findLastIndex((line) => line.text !== "");
  return lines.slice(first, last + 1);
}

/** The program stands between single quotes. */
function quoteProgram(lines) {
  return lines.map((line) => ({ ...line, text: line.text.replaceAll("'", String.raw`'\''`) }));
}

/** A line in the joined file that says whose lines follow. */
function mark(part, lines) {
  return [
    { file: `helper/${part}`, line: 1, text: `# ---- helper/${part}` },
    ...lines,
    ...gap(part),
  ];
}

function gap(part) {
  return [{ file: `helper/${part}`, line: 1, text: "" }];
}

function markShell(kind) {
  return mark(`kinds/${kind.name}.sh`, kind.shell);
}

function listPrograms(kinds, how) {
  const chosen = kinds.filter((kind) => kind.how === how);
  return chosen.flatMap((kind) => mark(`kinds/${kind.name}.sh`, kind.awk));
}

function nameKinds(kinds) {
  return ["listed", "found"].map((how) => {
    const names = kinds.filter((kind) => kind.how === how).map((kind) => kind.name);
    return { file: "helper/kinds", line: 1, text: `${how}_kinds='${names.join(" ")}'` };
  });
}
