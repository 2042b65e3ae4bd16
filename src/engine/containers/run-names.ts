import { hashText } from "../../oci/oci.ts";
import type { EngineRun } from "../model.ts";

/** What names a run in the engine's storage: 16 hex digits. */
export function labelRun({ id }: Pick<EngineRun, "id">): string {
  return hashText(id);
}

/** The name that a run gives to the environment's image, so that what a killed run leaves can be told. */
export function runImageName(label: string): string {
  return `localhost/xbuild-run-${label}:latest`;
}

/** The name that a run gives to the image of a stage that others are built with. */
export function stageImageName(label: string, index: number): string {
  return `localhost/xbuild-run-${label}-stage${index}:latest`;
}

/** The name of the image whose config says what the metadata instructions came to. */
export function configImageName(label: string): string {
  return `localhost/xbuild-config-${label}:latest`;
}

/** The name that a run gives to an image from outside. */
export function pinName(label: string, index: number): string {
  return `localhost/xbuild-run-${label}-base${index}:latest`;
}

/** The name under which a run makes a manifest list. */
export function listName(label: string): string {
  return `localhost/xbuild-run-${label}-list:latest`;
}

/** The named context with the files of heredocs. */
export const documentsContext = "xbuild-heredocs";

/** The label of what a run commits its layering steps to, where a shell may be asked for; its value names the run. */
export const shellLabel = "io.xbuild.shell";

/** The name of an empty list that takes a run's names away from what they stand for. */
export function dropName(label: string, index: number): string {
  return `localhost/xbuild-run-${label}-drop${index}:latest`;
}

/** Whether a name is one of those. */
export function isPinName(name: string, label: string): boolean {
  return name.startsWith(`localhost/xbuild-run-${label}-base`);
}

/** The engine names a working container after the image that it comes from; here all are the run's own. */
export function runContainerPrefix(label: string): string {
  return `xbuild-run-${label}-`;
}

/** Whether a name is one that a run gives and takes away again. */
export function isPassingName(name: string): boolean {
  return /^localhost\/xbuild-(?:run|config|files)-/.test(name);
}

/** Whether a name is one that keeps an image for the next builds: an environment, a stage, a base for a platform. */
export function isLastingName(name: string): boolean {
  return /^localhost\/xbuild-(?:env|base):/.test(name);
}
