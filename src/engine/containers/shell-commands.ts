import { isInstalled } from "../../system/is-installed.ts";
import { attachProgram } from "../programs/attach.ts";
import type { ShellCommands, WorkingContainer } from "./commands.ts";
import type { Dialect } from "./dialects.ts";

/** The program that runs something in a working container; podman cannot. */
const program = "buildah";

/** Options that say which storage it is; podman has others, too. */
const storageOptions = new Set(["root", "runroot", "storage-driver", "storage-opt"]);

export interface ShellTools {
  readonly dialect: Pick<Dialect, "name" | "listWorking" | "removeContainers">;
  readonly options: readonly string[];
  /** Asks the engine. Errors: `engine-failed` */
  readonly query: (...words: readonly string[]) => Promise<string>;
}

/** What a shell in a failed step's container needs. */
export function createShellCommands({ dialect, options, query }: ShellTools): ShellCommands {
  const own = dialect.name === program ? options : pickStorage(options);
  return {
    canRun: () => isInstalled(program, process.env["PATH"] ?? ""),
    listContainers: async () => (await query(...dialect.listWorking)).split("\n").flatMap(parse),
    listImages: async (label) => {
      const words = ["images", "--all", "--quiet", "--no-trunc", "--filter", `label=${label}`];
      return (await query(...words))
        .split("\n")
        .flatMap((line) => stripAlgorithm(line.trim()) || []);
    },
    removeContainer: async (name) => void (await query(...dialect.removeContainers, name)),
    removeImages: async (ids) => {
      if (ids.length > 0) await query("rmi", "--force", ...ids);
    },
    run: (container, flags) =>
      attachProgram([program, ...own, "run", "--terminal", ...flags, container, "sh"], undefined),
  };
}

function parse(line: string): readonly WorkingContainer[] {
  const [name = "", image = ""] = line.trim().split(/\s+/);
  return name === "" ? [] : [{ name, image: stripAlgorithm(image) }];
}

function stripAlgorithm(id: string): string {
  return id.replace(/^sha256:/, "");
}

/** `--root=DIR`, or `--root` and `DIR` as two options. */
function pickStorage(options: readonly string[]): readonly string[] {
  return options.filter((one, index) => {
    const named = one.startsWith("--") ? one : (options[index - 1] ?? "");
    return storageOptions.has(/^--([a-z-]+)/.exec(named)?.[1] ?? "");
  });
}
