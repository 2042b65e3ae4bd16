import type { GitSource, HttpSource, RemoteSource, UserInfo } from "./model.ts";
import { refuseAddress } from "./problems.ts";

/**
 * What an operand means that `isRemoteContext` takes for one: standard input (`-`), a git repository
 * (`git://`, `ssh://`, `file://`, `git@host:path`, `github.com/...`, a URL whose path ends in `.git`; behind it
 * `#REF:DIRECTORY` or `?ref=...&subdir=...`), else an archive or a Containerfile over HTTP. buildah-build(1);
 * docs.docker.com, "Build context". Errors: `context-url-invalid`
 */
export function parseSource(text: string): RemoteSource {
  if (text === "-") return { kind: "input" };
  const [address, fragment] = splitOnce(text, "#");
  if (text.startsWith("git@")) return parseGit(address, fragment);
  if (text.startsWith("github.com/")) return parseGit(`https://${address}`, fragment);
  if (!URL.canParse(address)) {
    throw refuseAddress(hideUserInfo(text), "it is not a URL", "check how it is written");
  }
  const url = new URL(address);
  const isHttp = url.protocol === "https:" || url.protocol === "http:";
  if (!isHttp || url.pathname.endsWith(".git")) return parseGit(address, fragment);
  const userInfo = takeUserInfo(url);
  url.hash = "";
  return { kind: "http", url, userInfo };
}

/**
 * What a context is called between builds, and to people: its address without user and password, and without the
 * query of a URL, in which tokens stand; what of a git repository is meant behind it.
 */
export function nameSource(source: RemoteSource): string {
  if (source.kind === "input") return "-";
  if (source.kind === "http") return nameAddress(source);
  const { url, ref = "", subdirectory } = source;
  const place = subdirectory === "" ? ref : `${ref}:${subdirectory}`;
  return place === "" ? url : `${url}#${place}`;
}

/** What the last build of a context is known by: of a repository whichever branch or commit of it that was. */
export function nameSourcePlace(source: GitSource | HttpSource): string {
  return source.kind === "git" ? nameSource({ ...source, ref: undefined }) : nameSource(source);
}

/** The same for people. */
export function describeSource(source: RemoteSource): string {
  return source.kind === "input" ? "standard input" : nameSource(source);
}

function nameAddress({ url }: Pick<HttpSource, "url">): string {
  return url.origin + url.pathname;
}

/** A text that may be an address, as it may be shown. */
export function hideUserInfo(text: string): string {
  const [place] = splitOnce(text, "?");
  const [scheme, rest] = splitOnce(place, "://");
  if (rest === undefined) return place;
  const host = rest.split("/", 1)[0] ?? "";
  return `${scheme}://${rest.slice(host.lastIndexOf("@") + 1)}`;
}

function parseGit(address: string, fragment: string | undefined): GitSource {
  const shown = hideUserInfo(address);
  const [place, query] = splitOnce(address, "?");
  const { url, userInfo } = takeGitUserInfo(place, shown);
  const [ref, directory = ""] = splitOnce(fragment ?? "", ":");
  const parameters = readQuery(query, shown);
  const all = { ref: decode(ref), subdir: decode(directory), ...parameters };
  return {
    kind: "git",
    url,
    userInfo,
    ref: readRef(all.ref, shown),
    subdirectory: readDirectory(all.subdir, shown),
    commit: readCommit(parameters.commit, shown),
  };
}

interface GitPlace {
  readonly url: string;
  readonly userInfo: UserInfo | undefined;
}

/** A host that begins with a dash would be an option of ssh's (CVE-2017-1000117). */
const scpPattern = /^git@[A-Za-z0-9[][^/:\s]*:[^-\s]/;

function takeGitUserInfo(place: string, shown: string): GitPlace {
  const wrong = "it names no repository";
  const hint = "write https://HOST/PATH.git, ssh://git@HOST/PATH or git@HOST:PATH";
  if (place.startsWith("git@")) {
    if (scpPattern.test(place)) return { url: place, userInfo: undefined };
    throw refuseAddress(shown, wrong, hint);
  }
  const url = URL.canParse(place) ? new URL(place) : undefined;
  const isKnown = /^(?:https?|git|ssh|file):$/.test(url?.protocol ?? "");
  const hasHost = url?.protocol === "file:" || /^[A-Za-z0-9[]/.test(url?.host ?? "");
  if (url === undefined || !isKnown || !hasHost || url.pathname === "/")
    throw refuseAddress(shown, wrong, hint);
  const isHttp = url.protocol === "https:" || url.protocol === "http:";
  if (isHttp) return { userInfo: takeUserInfo(url), url: url.href };
  // ssh asks for no password that stands in an address; the user is part of who is meant.
  url.password = "";
  return { url: url.href, userInfo: undefined };
}

/** Takes them out of the URL. */
function takeUserInfo(url: URL): UserInfo | undefined {
  const { username, password } = url;
  url.username = "";
  url.password = "";
  if (username === "" && password === "") return undefined;
  return { username: decode(username), password: decode(password) };
}

interface Query {
  readonly ref?: string;
  readonly subdir?: string;
  readonly commit?: string;
}

/** BuildKit's form. */
function readQuery(query: string | undefined, shown: string): Query {
  const entries = [...new URLSearchParams(query ?? "")].map(([name, value]): Query => {
    if (name === "ref") return { ref: value };
    if (name === "branch") return { ref: `refs/heads/${value}` };
    if (name === "tag") return { ref: `refs/tags/${value}` };
    if (name === "subdir") return { subdir: value };
    if (name === "checksum" || name === "commit") return { commit: value };
    const hint = "use ref, branch, tag, subdir or checksum";
    throw refuseAddress(shown, `its query has the unknown name ${name}`, hint);
  });
  return Object.assign({}, ...entries);
}

/** git-check-ref-format(1): what could be an option, a refspec or a revision's expression is no name. */
function readRef(ref: string, shown: string): string | undefined {
  if (ref === "") return undefined;
  const isName = !/^[-+/]|[\s~^:?*[\\\p{Cc}]|\.\.|@\{|\/$|\.lock$/u.test(ref);
  if (isName) return ref;
  const hint = "name a branch, a tag or a commit behind #";
  throw refuseAddress(shown, `${ref} is not the name of a branch, a tag or a commit`, hint);
}

function readDirectory(text: string, shown: string): string {
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  if (!parts.includes("..")) return parts.join("/");
  throw refuseAddress(shown, `${text} leads out of the repository`, "name a directory in it");
}

function readCommit(text: string | undefined, shown: string): string | undefined {
  if (text === undefined || /^[0-9a-f]{7,64}$/.test(text)) return text;
  throw refuseAddress(
    shown,
    `${text} is not a commit`,
    "give its ID in lower case, 7 digits or more",
  );
}

function splitOnce(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
