import { XbuildError } from "../../errors.ts";

/** Why an engine does not work for this user at all, and what to do. */
interface Cause {
  /** Matched against one line at a time. The group `what` stands in the message for `$`. */
  readonly says: RegExp;
  /** Behind it on the same line. */
  readonly behind?: RegExp;
  /** `@` is the engine. */
  readonly message: string;
  readonly hint: string;
}

const notAllowed = /not permitted|denied|No space left|Invalid argument/i;
const makeWritable =
  "make it writable (in a pod, mount a volume there), or name another place with HOME, TMPDIR, XDG_RUNTIME_DIR or storage.conf";

/** In the words of buildah and podman, which those of Go's standard library are a part of. */
const causes: readonly Cause[] = [
  {
    // buildah pull request 6961: until then chroot isolation sets groups where the kernel forbids that.
    says: /setting supplemental groups list: operation not permitted/i,
    message: "@ cannot run a step with chroot isolation for a user who has one user ID alone",
    hint: "give the user ranges in /etc/subuid and /etc/subgid, or run with --isolation=rootless --network=host and runc or crun",
  },
  {
    says: /unshare\(CLONE_NEWUSER\)|cannot clone/,
    behind: notAllowed,
    message: "@ may not make a user namespace here",
    hint: "allow it (user.max_user_namespaces, the seccomp profile of a pod), or run as root",
  },
  {
    says: /unknown userid (?<what>\d+)/,
    message: "the user ID $ has no entry in /etc/passwd, and @ does not start without",
    hint: "give it one, whose home directory can be written",
  },
  {
    says: /enough IDs available in the namespace|insufficient UIDs or GIDs available/,
    message: "an image has files of users that this user has no IDs for",
    hint: 'give the user ranges in /etc/subuid and /etc/subgid, or set ignore_chown_errors = "true" in storage.conf',
  },
  {
    says: /\b(?:mkdir|chmod|open) (?<what>\/[^ :"]*): read-only file system/,
    message: "@ cannot write $",
    hint: makeWritable,
  },
  {
    says: /\b(?:mkdir|chmod) (?<what>\/[^ :"]*): (?:permission denied|no such file or directory)/,
    message: "@ cannot write $",
    hint: makeWritable,
  },
];

/** The error `engine-cannot-run` where what a program said tells that it does not work for this user. */
export function describeUnusable(
  program: string,
  { text, exitStatus }: { readonly text: string; readonly exitStatus: number },
): XbuildError | undefined {
  const lines = text.split("\n").filter((line) => enginesLine.test(line));
  for (const line of lines) {
    for (const cause of causes) {
      const what = findCause(cause, line);
      if (what === undefined) continue;
      const message = cause.message.replace("@", () => program).replace("$", () => what);
      return new XbuildError("engine-cannot-run", message, { hint: cause.hint, exitStatus });
    }
  }
  return undefined;
}

/** A build's output holds what the steps said as well: only errors in the engine's manner count. */
const enginesLine =
  /^(?:Error: |Error during unshare|time="[^"]*" level=error|error setting |cannot clone)/;

/** @returns what stands for `$`, or undefined where the line does not say this */
function findCause({ says, behind }: Cause, line: string): string | undefined {
  const found = says.exec(line);
  if (found === null) return undefined;
  const rest = line.slice(found.index + found[0].length);
  return behind === undefined || behind.test(rest) ? (found.groups?.["what"] ?? "") : undefined;
}
