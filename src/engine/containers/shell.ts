import { XbuildError } from "../../errors.ts";
import { type Digest, digestHex } from "../../oci/oci.ts";
import { show } from "../../visible.ts";
import { noteKeys } from "../notes.ts";
import type {
  BuildCall,
  CallContext,
  ContainersCommands,
  ShellCommands,
  WorkingContainer,
} from "./commands.ts";
import type { SessionWorkspace } from "../model.ts";
import { shellLabel } from "./run-names.ts";

/** For a build whose step may fail under the eyes of a user. */
export interface ShellSession extends SessionWorkspace {
  readonly commands: ContainersCommands;
  /** What names the run in the engine's storage. */
  readonly label: string;
}

/**
 * Runs a call so that the container of a step that fails is kept, and offers a shell in it. The engines keep it only where
 * each step is committed, so this is so for the layering steps, too, then; what that leaves goes when the call ends.
 * Errors: those of the call, when the user has left the shell
 */
export async function buildWithShell(
  given: BuildCall,
  context: CallContext,
  session: ShellSession,
): Promise<Digest> {
  const { commands, label, run } = session;
  const mark = `${shellLabel}=${label}`;
  if (given.mode === "single") await run.note(noteKeys.shell, mark);
  const call = { ...given, keepsContainer: true, text: markSteps(given, mark) };
  const shell = await commands.loadShell();
  const before = await shell.listContainers();
  try {
    const id = await commands.build(call, context);
    await removeLeft(id, before, shell);
    return id;
  } catch (error) {
    if (!(error instanceof XbuildError) || error.code !== "step-failed") throw error;
    const container = await findContainer({ call, mark, before }, shell);
    try {
      await offerShell(call, { container, error, shell }, session);
    } finally {
      if (container !== undefined) await shell.removeContainer(container.name);
    }
    throw error;
  } finally {
    if (given.mode === "single") await removeMarked(mark, shell);
  }
}

/**
 * Where each step's container is left, so is that of a stage without a step, which stands on the image that the stage
 * comes to; it is named after that, as no container of a run is.
 */
async function removeLeft(
  id: Digest,
  before: readonly WorkingContainer[],
  shell: ShellCommands,
): Promise<void> {
  const known = new Set(before.map(({ name }) => name));
  for (const { name, image } of await shell.listContainers()) {
    const isLeft = !known.has(name) && /^(?:[0-9a-f]{12}|xbuild-env)-working-container/.test(name);
    if (isLeft && isSame(digestHex(id), image)) await shell.removeContainer(name);
  }
}

/** Removes what the steps of a call were committed to, with the containers that stand on it. Idempotent. */
export async function removeMarked(mark: string, shell: ShellCommands): Promise<void> {
  await shell.removeImages(await shell.listImages(mark));
}

/**
 * A label in the stage that has the layering steps, of which no image is kept: all that is committed there can be told.
 * The last stage, whose config is read, is left alone.
 */
function markSteps({ mode, text }: BuildCall, mark: string): string {
  const froms = text.match(/^FROM .*\n/gm) ?? [];
  const [first] = froms;
  if (mode !== "single" || first === undefined || froms.length < 2) return text;
  return text.replace(first, () => `${first}LABEL ${mark}\n`);
}

interface FailedCall {
  readonly call: BuildCall;
  readonly mark: string;
  /** What there was when it began. */
  readonly before: readonly WorkingContainer[];
}

/** The one that the failed step left; undefined where others came meanwhile, and nobody knows which it is. */
async function findContainer(
  { call, mark, before }: FailedCall,
  shell: ShellCommands,
): Promise<WorkingContainer | undefined> {
  const known = new Set(before.map(({ name }) => name));
  const fresh = (await shell.listContainers()).filter(({ name }) => !known.has(name));
  const images = call.mode === "single" ? await shell.listImages(mark) : undefined;
  const own = fresh.filter(
    ({ image }) => images === undefined || images.some((id) => isSame(id, image)),
  );
  return own.length === 1 ? own[0] : undefined;
}

/** Engines shorten IDs as they like. */
function isSame(one: string, other: string): boolean {
  return other !== "" && (one.startsWith(other) || other.startsWith(one));
}

interface FailedStep {
  readonly container: WorkingContainer | undefined;
  readonly error: XbuildError;
  readonly shell: ShellCommands;
}

async function offerShell(
  call: BuildCall,
  { container, error, shell }: FailedStep,
  { reporter }: ShellSession,
): Promise<void> {
  if (container === undefined || !shell.canRun()) {
    reporter.warn({
      code: "shell-unavailable",
      severity: "warning",
      message:
        container === undefined
          ? "no shell: the container of the failed step cannot be told from those of other builds"
          : "no shell: only buildah can run one in a container of a build",
      hint:
        container === undefined
          ? "build again when nothing else is built in this storage"
          : "install buildah beside podman (Debian: apt-get install buildah)",
    });
    return;
  }
  const [directory] = call.mounts;
  const place = directory === undefined ? "" : `, with ${directory.target}`;
  const words = show`xbuild: ${locate(error)}${error.message}\nxbuild: a shell in the container of that step, as it left it${place}; leave it with exit or Ctrl-D: the build then ends with the step's exit status\n`;
  const goOn = reporter.pause?.();
  try {
    reporter.log.stderr(Buffer.from(words.visible));
    await shell.run(container.name, listFlags(call));
  } finally {
    goOn?.();
  }
}

function locate({ diagnostics: [first] }: XbuildError): string {
  if (first?.file === undefined || first.span === undefined) return "";
  return `${first.file}:${first.span.start.line}: `;
}

/** Flags of a build that say how its steps run, and that `buildah run` has, too. */
const runFlags = new Set(
  "cap-add cap-drop cgroupns ipc isolation network no-hosts pid runtime runtime-flag uts volume".split(
    " ",
  ),
);

/** Arguments are variables there, as for the step; those whose values must not be shown are left out. */
function listFlags({ flags, mounts, buildArgs, hiddenArgs }: BuildCall): readonly string[] {
  const shown = [...buildArgs].filter(([name]) => !hiddenArgs.has(name));
  return [
    ...flags.filter((flag) => runFlags.has(/^--([a-z-]+)/.exec(flag)?.[1] ?? "")),
    ...mounts.map(
      ({ source, target, readOnly }) => `--volume=${source}:${target}:${readOnly ? "ro" : "rw"}`,
    ),
    ...shown.map(([name, value]) => `--env=${name}=${value}`),
  ];
}
