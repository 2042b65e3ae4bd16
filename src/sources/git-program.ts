import { statfsSync } from "node:fs";
import { execa } from "execa";
import { systemCode } from "../system/errno.ts";
import { lastLine, lastWords, redact } from "./git-words.ts";
import { prepareGit, withoutConfiguration } from "./git-environment.ts";
import type { FetchPlace, GitSource } from "./model.ts";
import { nameSource } from "./parse.ts";
import { refuseFetch } from "./problems.ts";

/** Git for one source, in the directory of its place. */
export interface Git {
  /**
   * Runs it to its end. @returns its exit status and what it wrote. Errors: `context-unavailable` where it is not
   * there or nothing is heard of it any more, the signal's reason.
   */
  readonly ask: (words: readonly string[], options?: GitOptions) => Promise<GitAnswer>;
  /** The same where it must succeed. @returns stdout. Errors: `context-unavailable`, too. */
  readonly run: (words: readonly string[], options?: GitOptions) => Promise<string>;
  /** The error for one that it did not do. */
  readonly refuse: (answer: GitAnswer) => Error;
}

export interface GitOptions {
  /** Without any configuration but ours: what is checked out is the same for every user. */
  readonly isBare?: boolean;
}

export interface GitAnswer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const hint =
  "check the address, the name behind # and the credentials: git ls-remote must work there without a question";

const room = "free some space (xbuild cache prune removes what no tag needs), or set XBUILD_STORE";

/** Git has no status for it. */
function isFull(directory: string): boolean {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize < 1024 * 1024;
}

export function openGit(source: GitSource, place: FetchPlace): Git {
  const shown = nameSource(source);
  const { words: common, env } = prepareGit(source, place);
  const ask: Git["ask"] = async (words, { isBare = false } = {}) => {
    const own = isBare ? withoutConfiguration(env) : env;
    const answer = await runQuietly([...common, ...words], { shown, env: own }, place);
    if (answer.status === 127 && /git: (?:command )?not found/.test(answer.stderr)) {
      const install = "install git (apt-get install git, dnf install git)";
      throw refuseFetch(shown, "git is not installed", { hint: install });
    }
    return { ...answer, stderr: redact(answer.stderr, source) };
  };
  const refuse: Git["refuse"] = (answer) =>
    refuseFetch(shown, lastWords(answer), { hint: isFull(place.directory) ? room : hint });
  return {
    ask,
    refuse,
    run: async (words, options) => {
      const answer = await ask(words, options);
      if (answer.status !== 0) throw refuse(answer);
      return answer.stdout;
    },
  };
}

interface Call {
  readonly shown: string;
  readonly env: Readonly<Record<string, string>>;
}

const maxOutput = 16 * 1024 * 1024;
/** The modes of files are what git makes of them by the umask. */
const script = 'umask 022 && exec git "$@"';

async function runQuietly(
  words: readonly string[],
  { shown, env }: Call,
  { directory, timeout, signal, onProgress }: FetchPlace,
): Promise<GitAnswer> {
  signal.throwIfAborted();
  const child = execa("sh", ["-c", script, "git", ...words], {
    cwd: directory,
    env,
    extendEnv: false,
    reject: false,
    stdin: "ignore",
    maxBuffer: maxOutput,
    // Without a terminal that ssh could ask for a password on; and its children end with it.
    detached: true,
  });
  const end = (): void => endGroup(child.pid);
  const silence = watchSilence(timeout, end);
  child.stderr.on("data", (chunk: Buffer | string) => {
    silence.refresh();
    onProgress(lastLine(String(chunk)));
  });
  signal.addEventListener("abort", end, { once: true });
  try {
    const { exitCode, stdout, stderr } = await child;
    signal.throwIfAborted();
    if (!silence.isOver()) return { status: exitCode ?? 1, stdout, stderr };
    const reason = `nothing came for ${timeout / 1000} s`;
    throw refuseFetch(shown, reason, { hint: "check the address and the network" });
  } finally {
    silence.stop();
    signal.removeEventListener("abort", end);
  }
}

interface Silence {
  readonly refresh: () => void;
  readonly isOver: () => boolean;
  readonly stop: () => void;
}

function watchSilence(timeout: number, end: () => void): Silence {
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    end();
  }, timeout);
  return {
    refresh: () => void timer.refresh(),
    isOver: () => isOver,
    stop: () => clearTimeout(timer),
  };
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // It has ended.
    if (systemCode(error) !== "ESRCH") throw error;
  }
}
