import { XbuildError, type ErrorCode } from "../errors.ts";

/** Why a transfer failed, as far as it changes what to do about it. */
export type FailureKind =
  | "missing"
  | "auth"
  | "rate"
  | "server"
  | "timeout"
  | "connection"
  | "tls"
  | "corrupt"
  | "invalid"
  | "full"
  | "other";

/** An HTTP status in skopeo's words. */
const statusPattern = /status(?: ?code)?(?: from registry)?:? (?<status>[1-5]\d\d)\b/i;

/** skopeo says it in words alone; the first that fits counts. */
const patterns: readonly (readonly [FailureKind, RegExp])[] = [
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
  ["corrupt", /digest .*match|does not match|did not match|mismatch|checksum/i],
  [
    "connection",
    /connection reset|connection refused|broken pipe|\bEOF\b|no such host|unreachable|no route to host|server misbehaving|connection closed|server closed/i,
  ],
];

/** What skopeo's message means. */
export function classifyFailure(message: string): FailureKind {
  const status = Number(statusPattern.exec(message)?.groups?.["status"] ?? 0);
  // 405: a registry that may only be read.
  if (status === 401 || status === 403 || status === 405) return "auth";
  if (status === 404) return "missing";
  if (status === 429) return "rate";
  if (status >= 500) return "server";
  return patterns.find(([, pattern]) => pattern.test(message))?.[0] ?? "other";
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
  tls: "registry-tls",
  corrupt: "registry-corrupt",
  invalid: "image-invalid",
  full: "store-full",
  other: "copy-failed",
};

/** What to do about each kind. */
export const hints: Readonly<Record<FailureKind, string>> = {
  missing: "check the name and the tag; skopeo list-tags shows those that a repository has",
  auth: "log in (buildah login REGISTRY), or give --creds or --authfile, with the right to read and, for a push, to write",
  rate: "wait, or log in: registries let those whom they know ask more often; --retry N tries longer",
  server: "the registry has a fault: try again later, or with --retry N",
  timeout: "check the network and the registry; --retry N tries longer",
  connection: "check the registry's name, its port and the network",
  tls: "put its CA into /etc/containers/certs.d/HOST:PORT/ca.crt, or name the directory with --cert-dir; --tls-verify=false trusts anyone",
  corrupt:
    "the registry or something on the way changes what it sends: try again, and tell who runs it",
  invalid: "push the image again, or name another one",
  full: "make room: xbuild cache prune removes what no name needs",
  other: "see skopeo's message",
};

/** The error of a transfer, which names what was to be moved and what to do. */
export function createFailure(what: string, message: string): XbuildError {
  const kind = classifyFailure(message);
  return new XbuildError(codes[kind], `cannot ${what}: ${message}`, { hint: hints[kind] });
}

/** skopeo's fatal message, without logrus's framing. */
export function lastWords(stderr: string): string {
  const lines = stderr.trim().split("\n");
  const line = lines.findLast((one) => one.includes("level=fatal")) ?? lines.at(-1) ?? "";
  const message = /msg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
  // Go's quoting; what was several lines is one here.
  return (
    message
      ?.replace(/(?:\\[nrt])+/g, " ")
      .replace(/\\(.)/g, "$1")
      .trim() ?? line
  );
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
