import { execa } from "execa";
import { systemCode } from "../system/errno.ts";
import { limitText } from "../text.ts";
import type { FetchPlace, GitSource } from "./model.ts";
import { nameSource } from "./parse.ts";
import { refuseFetch } from "./problems.ts";

/** Git for one source. */
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

/** No program but git's own runs for a repository, and nothing is guessed about files. */
const settings = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.attributesFile=/dev/null",
  "core.autocrlf=false",
  "core.symlinks=true",
  "advice.detachedHead=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "fetch.recurseSubmodules=false",
  "http.lowSpeedLimit=1",
];

/** Those that are about a repository: a hook, say, has them set. git(1) */
const repositoryVariables =
  "GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_NAMESPACE GIT_COMMON_DIR GIT_CEILING_DIRECTORIES GIT_PREFIX GIT_TEMPLATE_DIR GIT_EXTERNAL_DIFF GIT_CONFIG_PARAMETERS GIT_ATTR_SOURCE GIT_EXEC_PATH".split(
    " ",
  );

const maxOutput = 16 * 1024 * 1024;

export function openGit(source: GitSource, place: FetchPlace): Git {
  const { signal, timeout, onProgress } = place;
  const shown = nameSource(source);
  const { env, words: common } = prepare(source, place);
  const ask: Git["ask"] = async (words, { isBare = false } = {}) => {
    signal.throwIfAborted();
    // The modes of files are what git makes of them by the umask.
    const script = ["-c", 'umask 022 && exec git "$@"', "git", ...common, ...words];
    const child = execa("sh", script, {
      cwd: place.directory,
      env: isBare ? { ...env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" } : env,
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
      if (silence.isOver()) {
        const reason = `nothing came for ${timeout / 1000} s`;
        throw refuseFetch(shown, reason, { hint: "check the address and the network" });
      }
      const status = exitCode ?? 1;
      if (status === 127 && /git: (?:command )?not found/.test(stderr)) throw missing(shown);
      return { status, stdout, stderr: redact(stderr, source) };
    } finally {
      silence.stop();
      signal.removeEventListener("abort", end);
    }
  };
  const refuse = (answer: GitAnswer): Error => refuseFetch(shown, lastWords(answer), { hint });
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

const hint =
  "check the address, the name behind # and the credentials: git ls-remote must work there without a question";

function missing(shown: string): Error {
  const reason = "git is not installed";
  return refuseFetch(shown, reason, { hint: "install git (apt-get install git, dnf install git)" });
}

interface Prepared {
  readonly words: readonly string[];
  readonly env: Record<string, string>;
}

/** Protocols that run no program of the user's choice; files only where the user named one. git(1), GIT_ALLOW_PROTOCOL */
function prepare({ url, userInfo }: GitSource, { env, timeout }: FetchPlace): Prepared {
  const given = Object.entries(env).flatMap(([name, value]): [string, string][] =>
    value === undefined || repositoryVariables.includes(name) ? [] : [[name, value]],
  );
  const isFile = url.startsWith("file:");
  const all = [
    ...settings,
    `http.lowSpeedTime=${Math.ceil(timeout / 1000)}`,
    ...(userInfo === undefined ? [] : [`credential.${new URL(url).origin}.helper=${helper}`]),
  ];
  return {
    words: all.flatMap((one) => ["-c", one]),
    env: {
      ...Object.fromEntries(given),
      LC_ALL: "C",
      GIT_TERMINAL_PROMPT: "0",
      GIT_LFS_SKIP_SMUDGE: "1",
      GIT_ALLOW_PROTOCOL: `https:http:ssh:git${isFile ? ":file" : ""}`,
      ...(userInfo && {
        XBUILD_GIT_USER: userInfo.username,
        XBUILD_GIT_PASSWORD: userInfo.password,
      }),
    },
  };
}

/** Command lines are read by everybody, environments by their user alone. gitcredentials(7) */
const helper =
  '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$XBUILD_GIT_USER" "$XBUILD_GIT_PASSWORD"; }; f';

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

function redact(text: string, { userInfo }: GitSource): string {
  const secrets = [userInfo?.password, encodeURIComponent(userInfo?.password ?? "")];
  return secrets.reduce<string>(
    (all, secret) => (secret ? all.replaceAll(secret, "xxxxx") : all),
    text,
  );
}

function lastLine(text: string): string {
  return (
    text
      .trim()
      .split(/[\r\n]/)
      .at(-1)
      ?.trim() ?? ""
  );
}

/** What it said in the end: progress comes before. */
function lastWords({ status, stderr }: GitAnswer): string {
  const lines = limitText(stderr)
    .split(/[\r\n]+/)
    .map((line) => line.trim());
  const told = lines.filter((line) => /^(?:fatal|error|remote|ssh|warning):? /.test(line));
  const words = (told.length > 0 ? told : lines.filter((line) => line !== "")).slice(-4);
  return limitText(words.join("; "), 1000) || `git ended with status ${status}`;
}
