import type { FetchPlace, GitSource } from "./model.ts";

/** Words before git's command, and its whole environment. */
interface Prepared {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
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

/** Variables that are about another repository: in a hook they are set. git(1) */
const repositoryVariables: ReadonlySet<string> = new Set([
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_COMMON_DIR",
  "GIT_INDEX_FILE",
  "GIT_OBJECT_DIRECTORY",
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_NAMESPACE",
  "GIT_CEILING_DIRECTORIES",
  "GIT_PREFIX",
  "GIT_TEMPLATE_DIR",
  "GIT_CONFIG_PARAMETERS",
  "GIT_ATTR_SOURCE",
]);

/**
 * The user's configuration holds for what is asked of servers. Protocols are those that run no program of an address's
 * choice, files where the user named some (git(1), GIT_ALLOW_PROTOCOL). Nobody is asked for anything.
 */
export function prepareGit(
  { url, userInfo }: GitSource,
  { env, timeout }: Pick<FetchPlace, "env" | "timeout">,
): Prepared {
  const given = Object.entries(env).flatMap(([name, value]): [string, string][] =>
    value === undefined || repositoryVariables.has(name) ? [] : [[name, value]],
  );
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
      GIT_ALLOW_PROTOCOL: `https:http:ssh:git${url.startsWith("file:") ? ":file" : ""}`,
      ...(userInfo && {
        XBUILD_GIT_USER: userInfo.username,
        XBUILD_GIT_PASSWORD: userInfo.password,
      }),
    },
  };
}

/** For what touches files alone. */
export function withoutConfiguration(env: Prepared["env"]): Prepared["env"] {
  return {
    ...env,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_COUNT: "0",
  };
}

/** Command lines are read by everybody, environments by their user alone. gitcredentials(7) */
const helper =
  '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$XBUILD_GIT_USER" "$XBUILD_GIT_PASSWORD"; }; f';
