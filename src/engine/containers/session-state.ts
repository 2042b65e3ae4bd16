import type { Digest } from "../../oci/oci.ts";
import type { EngineBuild, SessionWorkspace } from "../model.ts";
import { noteKeys } from "../notes.ts";
import type { ContainersCommands } from "./commands.ts";

/** What the parts of a session share. */
export interface Session extends SessionWorkspace {
  readonly commands: ContainersCommands;
  readonly build: EngineBuild;
  /** What names the run in the engine's storage. */
  readonly label: string;
  /** Names that are removed at the end, however it comes. */
  readonly claimed: string[];
  /** IDs of the stages that were evaluated, by their indexes. */
  readonly stages: Map<number, Digest>;
}

/** Written down first: what is taken before its name is known to the next cleaner would stay. */
export async function claim(session: Session, names: readonly string[]): Promise<void> {
  session.claimed.push(...names);
  for (const name of names) await session.run.note(noteKeys.name, name);
}

/** Image IDs as a Containerfile has them. */
export function nameImages<T>(images: ReadonlyMap<T, Digest>): ReadonlyMap<T, string> {
  return new Map([...images].map(([key, id]) => [key, id.replace(/^sha256:/, "")]));
}
