import type { FrontendOptions } from "./options.ts";

/** Who makes of an ordinary file what it says. */
export interface DockerfileFrontend {
  readonly frontend: string;
  /** By which it is found, and by which it knows that it is the one that was meant. */
  readonly options: ReadonlyMap<string, string>;
}

/**
 * The one of BuildKit itself. `cmdline` is what says that a file's `# syntax=` is answered: else it would look for a frontend
 * there again. BuildKit, `frontend/dockerfile/builder/build.go`
 */
export const ownFrontend: DockerfileFrontend = {
  frontend: "dockerfile.v0",
  options: new Map([["cmdline", "dockerfile.v0"]]),
};

/** Says to a frontend of ours that another one has asked it. */
const askedOption = "xbuild-asked";

const directive = /^#[ \t]*(?<name>[A-Za-z][A-Za-z0-9]*)[ \t]*=[ \t]*(?<value>\S.*)$/;

/**
 * The one that a line `# dockerfile=IMAGE` among the directives at the head of the file names, else BuildKit's own. A line of
 * ours ends the directives that BuildKit knows, so it stands behind them.
 */
export function findDockerfileFrontend(
  text: string,
  { given }: Pick<FrontendOptions, "given">,
): DockerfileFrontend {
  // One that was asked by another of us answers by itself: else they might ask each other without end.
  if (given.has(askedOption)) return ownFrontend;
  for (const line of text.split("\n")) {
    const { name = "", value = "" } = directive.exec(line)?.groups ?? {};
    if (name === "") break;
    if (name.toLowerCase() !== "dockerfile") continue;
    const image = value.trim();
    const options = { source: image, cmdline: image, [askedOption]: "1" };
    return { frontend: "gateway.v0", options: new Map(Object.entries(options)) };
  }
  return ownFrontend;
}
