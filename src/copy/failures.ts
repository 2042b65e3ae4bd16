import type { ErrorCode } from "../codes.ts";
import { XbuildError } from "../errors.ts";
import { hasInOrder, limitText } from "../text.ts";
import { type Environment, listProxies } from "../registry/registry.ts";

/** Why a transfer failed, as far as it changes what to do about it. */
export type FailureKind =
  | "missing"
  | "auth"
  | "rate"
  | "server"
  | "timeout"
  | "connection"
  | "proxy"
  | "tls"
  | "corrupt"
  | "invalid"
  | "full"
  | "policy"
  | "blocked"
  | "settings"
  | "other";

/** An HTTP status in skopeo's words. */
const statusPattern = /status(?: ?code)?(?: from registry)?:? (?<status>[1-5]\d\d)\b/i;

type Sign = RegExp | ((message: string) => boolean);

/** What skopeo refuses by itself, whatever a registry has said before that. */
const refusals: readonly (readonly [FailureKind, Sign])[] = [
  ["policy", /Source image rejected: /],
  ["blocked", /registry \S+ is blocked in /],
  [
    "settings",
    /Error loading trust policy|loading registries|reading registries\.conf\.d|getting username and password|missing (?:client certificate|key) \S+ for /,
  ],
];

/** Go tells of a proxy that lets nobody through with the text of its answer, and nothing else. */
const proxyPattern =
  /proxy authentication required|[a-z] "https:[^"]*": (?:forbidden|method not allowed)$/i;

/** skopeo says it in words alone; the first that fits counts. */
const patterns: readonly (readonly [FailureKind, Sign])[] = [
  ["proxy", proxyPattern],
  ["full", /no space left on device|disk quota exceeded/i],
  ["tls", /x509:|tls: |server gave HTTP response to HTTPS client/i],
  ["rate", /toomanyrequests|too many requests/i],
  ["auth", /unauthorized|authentication required|invalid username\/password|denied|forbidden/i],
  // skopeo asks the first version of the API where the second answers with a fault, and tells of that alone.
  [
    "server",
    /internal server error|bad gateway|service unavailable|gateway time-?out|V1 container registry/i,
  ],
  ["timeout", /i\/o timeout|timed? ?out|deadline exceeded/i],
  [
    "missing",
    /manifest unknown|name unknown|not known to registry|not found|no descriptor found|no such image|reference does not exist|does not resolve to an image|not an image|no image found|no such file or directory/i,
  ],
  [
    "invalid",
    /maximum allowed size|larger than \d+|unsupported (?:MIME|manifest)|parsing (?:image )?manifest/i,
  ],
  [
    "corrupt",
    (message) =>
      /does not match|did not match|mismatch|checksum/i.test(message) ||
      hasInOrder(message, /digest /i, /match/i),
  ],
  [
    "connection",
    /connection reset|connection refused|broken pipe|\bEOF\b|no such host|unreachable|no route to host|server misbehaving|connection closed|server closed/i,
  ],
];

/** What skopeo's message means. Of a long one, which is a registry's, only the ends are looked at. */
export function classifyFailure(message: string): FailureKind {
  return findKind(refusals, limitText(message)) ?? classifyAnswer(limitText(dropMirrors(message)));
}

/** Where mirrors failed too, what the registry itself says comes last, and counts (containers/image, `newImageSource`). */
function dropMirrors(message: string): string {
  if (!message.includes("(Mirrors also failed: ")) return message;
  return message.slice(message.lastIndexOf("]): ") + 1);
}

function classifyAnswer(message: string): FailureKind {
  const status = Number(statusPattern.exec(message)?.groups?.["status"] ?? 0);
  // 405: a registry that may only be read.
  if (status === 401 || status === 403 || status === 405) return "auth";
  if (status === 404) return "missing";
  if (status === 429) return "rate";
  if (status >= 500) return "server";
  return findKind(patterns, message) ?? "other";
}

function findKind(
  table: readonly (readonly [FailureKind, Sign])[],
  message: string,
): FailureKind | undefined {
  return table.find(([, sign]) =>
    typeof sign === "function" ? sign(message) : sign.test(message),
  )?.[0];
}

/** Whether the same request may well succeed a moment later. */
export function isTransient(kind: FailureKind): boolean {
  return ["rate", "server", "timeout", "connection", "corrupt"].includes(kind);
}

const codes: Readonly<Record<FailureKind, ErrorCode>> = {
  missing: "registry-not-found",
  auth: "registry-denied",
  rate: "registry-unavailable",
  server: "registry-unavailable",
  timeout: "registry-unavailable",
  connection: "registry-unavailable",
  proxy: "registry-unavailable",
  tls: "registry-tls",
  corrupt: "registry-corrupt",
  invalid: "image-invalid",
  full: "store-full",
  policy: "policy-rejected",
  blocked: "registry-blocked",
  settings: "registry-settings",
  other: "copy-failed",
};

/** What to do about each kind. */
export const hints: Readonly<Record<FailureKind, string>> = {
  missing: "check the name and the tag; skopeo list-tags shows those that a repository has",
  auth: "log in (buildah login REGISTRY), or give --creds or --authfile, with the right to read and, for a push, to write",
  rate: "wait, or log in: registries allow more requests to users that they know; --retry N tries longer",
  server: "try again later, or with --retry N: the registry has a fault",
  timeout: "check the network and the registry; --retry N tries longer",
  connection: "check the registry's name, its port and the network",
  proxy:
    "check HTTP_PROXY and HTTPS_PROXY with user and password; NO_PROXY names the hosts that need no proxy",
  tls: "put its CA into /etc/containers/certs.d/HOST:PORT/ca.crt, or name the directory with --cert-dir; --tls-verify=false trusts anyone",
  corrupt:
    "try again, and tell who runs the registry: it, or something on the way, changes what it sends",
  invalid: "push the image again, or name another one",
  full: "make room: xbuild cache prune removes what no name needs",
  policy:
    "have it signed by a key that the policy asks for, or allow it in policy.json (containers-policy.json(5))",
  blocked:
    "name another registry, or unblock it in registries.conf (containers-registries.conf(5))",
  settings: "fix the file that skopeo's message names: until then skopeo reads nothing",
  other: "see skopeo's message",
};

/** So much of a message of others is shown. */
const longestShown = 2048;

/** The error of a transfer, which names what was to be moved, the proxy where that is at fault, and what to do. */
export function createFailure(what: string, message: string, env: Environment = {}): XbuildError {
  const kind = message.includes(": proxyconnect ") ? "proxy" : classifyFailure(message);
  const proxies = kind === "proxy" ? listProxies(env).join(" or ") : "";
  const way = proxies === "" ? "" : ` through the proxy ${proxies}`;
  const words = `cannot ${what}${way}: ${limitText(message, longestShown)}`;
  return new XbuildError(codes[kind], words, { hint: hints[kind] });
}

/** A document that is not what it should be. */
export function createInvalid(reason: string): XbuildError {
  return new XbuildError("image-invalid", `the image is broken: ${reason}`, {
    hint: "push the image again, or name another one; --ignore-cache-errors builds without it",
  });
}

/** Whether an error says that there is no such image. */
export function isMissing(error: unknown): boolean {
  return error instanceof XbuildError && error.code === "registry-not-found";
}
