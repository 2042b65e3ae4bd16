import { addStage, baseName, imageName, pick, putFile, type Slot } from "./draft.ts";
import {
  type Form,
  makeTree,
  type Origin,
  pickForm,
  type SourceChange,
  type Way,
} from "./forms.ts";
import { createChange } from "./source-changes.ts";
import { file, type Change } from "./world.ts";

/** Where the sources are, for an instruction. */
interface Place {
  readonly directory: string;
  /** What stands behind `from=`. */
  readonly from: string | undefined;
}

/** Writes a read of files, and says how one thing of what it reads is changed. */
export function readSources(
  slot: Slot,
  { way, origin }: { readonly way: Way; readonly origin: Origin },
  change: SourceChange,
): Change {
  const { draft, id } = slot;
  const form = pickForm(draft.chance, { way, origin }, change);
  const place = openOrigin(slot, origin, form);
  putFile(draft, place.directory, { ...makeTree(id), [`${id}-beside`]: file("beside\n") });
  const isRoot = form.sources.includes("");
  if (isRoot && origin === "context") draft.readsWhole = true;
  if (form.isOpen === true && origin === "context") draft.isVague = true;
  const hasMode =
    way === "mount" ? writeMount(slot, place, form) : writeCopy(slot, { ...place, way }, form);
  const made = createChange({ form, directory: place.directory, id }, change);
  if (change === "beside") return isRoot ? { ...made, effect: "open" } : made;
  return hasMode && change.includes("mode") ? { ...made, effect: "open" } : made;
}

function openOrigin(slot: Slot, origin: Origin, form: Form): Place {
  const { draft, id } = slot;
  if (origin === "context") return { directory: "context", from: undefined };
  if (origin === "stage") return { directory: "context", from: makeStage(slot, form) };
  if (origin === "named context") {
    draft.flags.push(`--build-context=${id}=@${id}@`);
    return { directory: id, from: id };
  }
  const name = imageName(slot);
  draft.images[name] = { text: "FROM scratch\nCOPY . /\n", directory: id };
  if (draft.chance() < 0.7) return { directory: id, from: name };
  draft.flags.push(`--build-context=${id}=docker-image://${name}`);
  return { directory: id, from: id };
}

function makeStage(slot: Slot, { sources }: Form): string {
  const { draft, id } = slot;
  const name = `from-${id}`;
  if (sources.includes("") || draft.chance() < 0.4) {
    addStage(slot, name, "scratch").lines.push(`COPY ${id} /${id}`);
    return name;
  }
  const stage = addStage(slot, name, baseName(draft));
  const mount = `RUN --mount=type=bind,source=${id},target=/m cp -a /m /${id}`;
  stage.lines.push(draft.chance() < 0.5 ? mount : `COPY ${id} /${id}`);
  return name;
}

/** @returns whether the modes of what is read are lost */
function writeCopy(
  { draft, lines, id, told }: Slot,
  { way, from }: Place & { readonly way: Way },
  form: Form,
): boolean {
  const { chance } = draft;
  const flags = from === undefined ? [] : [`--from=${from}`];
  if (chance() < 0.2) flags.push(pick(chance, ["--chown=1000:1000", "--chown=app"]));
  const hasMode = chance() < 0.1;
  if (hasMode) flags.push("--chmod=0640");
  const root = pick(chance, [".", ".", "./", "/"]);
  const paths = form.sources.map((one) => (one === "" ? root : `${id}/${one}`));
  const sources = writeVariables(paths, { draft, lines, id });
  const words = [...sources, `${told}/`];
  const isJson = chance() < 0.2;
  const text = isJson ? `[${words.map((one) => JSON.stringify(one)).join(", ")}]` : words.join(" ");
  lines.push([way, ...flags, text].join(" "));
  return hasMode;
}

/** Some paths are written in another way, or with a variable of the stage, the base or the command line. */
function writeVariables(
  paths: readonly string[],
  { draft, lines, id }: Pick<Slot, "draft" | "lines" | "id">,
): readonly string[] {
  const how = pick(draft.chance, ["", "", "", "/", "./", "ARG", "ENV", "base", "hidden"] as const);
  if (how === "" || !paths.every((one) => one.startsWith(id))) return paths;
  // Where the base has a variable of that name, it counts (Dockerfile reference, ARG).
  if (how === "base" || how === "hidden") draft.isVague = true;
  if (how === "hidden") lines.push("ARG HERE=nowhere");
  if (how === "base" || how === "hidden") return paths.map((one) => `$HERE/${one}`);
  if (how === "ARG" || how === "ENV") {
    lines.push(`${how} FROM_${id}=${id}`);
    return paths.map((one) => one.replace(id, `\${FROM_${id}}`));
  }
  return paths.map((one) => `${how}${one}`);
}

function writeMount({ draft, lines, id, told }: Slot, { from }: Place, form: Form): boolean {
  const { chance } = draft;
  const [source = ""] = form.sources;
  const isTree = source === "" || source === "d";
  const root = from === undefined ? pick(chance, ["", "", "/"]) : "/";
  const fields = [
    "type=bind",
    ...(from === undefined ? [] : [`from=${from}`]),
    ...(source === ""
      ? []
      : [`${pick(chance, ["source", "source", "src"])}=${root}${id}/${source}`]),
    `${pick(chance, ["target", "target", "dst", "destination"])}=/m-${id}`,
    // buildah 1.39 shows nothing of a file that is mounted so.
    ...(chance() < 0.1 && isTree ? ["rw"] : []),
  ];
  const take = source === "" ? `/m-${id}/${id}` : `/m-${id}`;
  const commands = [`tell /m-${id} ${told}`, ...(isTree ? [`take ${take} ${told}-tree`] : [])];
  const command = commands.join(" && ");
  const isJson = chance() < 0.15;
  const text = isJson ? JSON.stringify(["/bin/sh", "-c", command]) : command;
  lines.push(`RUN --mount=${fields.join(",")} ${text}`);
  return false;
}
