import type { ErrorCode } from "../codes.ts";
import { restateError, XbuildError } from "../errors.ts";
import { isJsonObject, tryParseJson } from "../oci/oci.ts";
import { systemCode } from "../system/errno.ts";
import { limitText } from "../text.ts";
import type { Environment } from "./access.ts";
import type { HttpResponse } from "./http.ts";
import { listProxies } from "./proxy.ts";

/** What to do about each kind of failure. */
const registryHints = {
  missing: "check the name and the tag; skopeo list-tags shows those that a repository has",
  auth: "log in (buildah login REGISTRY), or give --creds or --authfile, with the right to read and, for a push, to write",
  rate: "wait, or log in: registries allow more requests to users that they know; --retry N tries longer",
  server: "try again later, or with --retry N: the registry has a fault",
  connection:
    "check the registry's name, its port and the network; --retry N and XBUILD_REGISTRY_TIMEOUT wait longer",
  proxy:
    "check HTTP_PROXY and HTTPS_PROXY with user and password; NO_PROXY names the hosts that need no proxy",
  tls: "put its CA into /etc/containers/certs.d/HOST:PORT/ca.crt, or name the directory with --cert-dir; --tls-verify=false trusts anyone",
  plain:
    "give --tls-verify=false, or say insecure = true of it in registries.conf, if you know who listens there: any user of this machine may",
  corrupt:
    "try again, and tell who runs the registry: it, or something on the way, changes what it sends",
  blocked:
    "name another registry, or unblock it in registries.conf (containers-registries.conf(5))",
  settings: "fix the file that the message names: until then no registry is asked",
  refused: "see what the registry says; who runs it may know more",
} as const;

type Kind = keyof typeof registryHints;

const codes: Readonly<Record<Kind, ErrorCode>> = {
  missing: "registry-not-found",
  auth: "registry-denied",
  rate: "registry-unavailable",
  plain: "registry-plain-http",
  server: "registry-unavailable",
  connection: "registry-unavailable",
  proxy: "registry-unavailable",
  tls: "registry-tls",
  corrupt: "registry-corrupt",
  blocked: "registry-blocked",
  settings: "registry-settings",
  refused: "copy-failed",
};

/** An error of this kind, which does not yet say what was wanted: `explainFailure` does. */
export function createRegistryError(kind: Kind, reason: string, cause?: unknown): XbuildError {
  return new XbuildError(codes[kind], reason, { hint: registryHints[kind], cause });
}

/** The error for an answer that is none of those that were hoped for. Its status decides, and no word of its body. */
export function createAnswerError(response: HttpResponse, who = "the registry"): XbuildError {
  const { status } = response;
  const said = readErrors(response);
  const reason = `${who} answers ${status}${said === "" ? "" : ` (${said})`}`;
  return createRegistryError(findKind(status), reason, response);
}

function findKind(status: number): Kind {
  // 405: a registry that may only be read.
  if (status === 401 || status === 403 || status === 405) return "auth";
  if (status === 404) return "missing";
  if (status === 407) return "proxy";
  if (status === 429) return "rate";
  return status >= 500 ? "server" : "refused";
}

/** distribution-spec v1.1, "Error Codes". Only shown. */
function readErrors({ body }: HttpResponse): string {
  const document = tryParseJson(body.subarray(0, longestRead));
  const errors = isJsonObject(document) ? document["errors"] : undefined;
  if (!Array.isArray(errors)) return "";
  const texts = errors.slice(0, 3).filter(isJsonObject).map(renderError);
  return limitText(texts.filter((text) => text !== "").join("; "), longestShown);
}

function renderError({ code, message }: Readonly<Record<string, unknown>>): string {
  return [code, message].filter((one) => typeof one === "string" && one !== "").join(": ");
}

/** So much of an error document is looked at, and so much of it is shown. */
const longestRead = 64 * 1024;
const longestShown = 1000;

/**
 * The error of a request, which names what was wanted. What has no answer is told apart by the codes of Node, OpenSSL and
 * undici. @param what completes "cannot ..."
 */
export function explainFailure(what: string, error: unknown, env: Environment): unknown {
  if (error instanceof XbuildError) {
    const way = error.hint === registryHints.proxy ? describeProxies(env) : "";
    return restateError(error, { message: `cannot ${what}${way}: ${error.message}` });
  }
  if (!(error instanceof Error)) return error;
  const kind = isTlsError(error) ? "tls" : isNetworkError(error) ? "connection" : undefined;
  if (kind === undefined) return error;
  if (speaksNoTls(error)) {
    const plain = createRegistryError(
      "tls",
      `cannot ${what}: the registry does not speak TLS`,
      error,
    );
    return restateError(plain, { hint: "give --tls-verify=false if it is one of plain HTTP" });
  }
  return createRegistryError(kind, `cannot ${what}: ${describeError(error)}`, error);
}

/** Whether what answered knows no TLS. */
export function speaksNoTls(error: unknown): boolean {
  return /WRONG_VERSION_NUMBER/.test(systemCode(error) ?? "");
}

function describeProxies(env: Environment): string {
  const proxies = listProxies(env).join(" or ");
  return proxies === "" ? "" : ` through the proxy ${proxies}`;
}

/** One of several addresses that were tried has a message; together they have none. */
function describeError(error: Error): string {
  const [first] = error instanceof AggregateError ? error.errors : [error];
  const { message } = first instanceof Error && error.message === "" ? first : error;
  return limitText(message || (systemCode(error) ?? error.name), longestShown);
}

/** Whether the same request may well succeed a moment later, though it has had no answer, or a wrong one. */
export function isPassing(error: unknown): boolean {
  if (error instanceof XbuildError) return passing.has(error.code);
  return isNetworkError(error) && !isTlsError(error);
}

const passing = new Set<ErrorCode>(["registry-unavailable", "registry-corrupt"]);

/** OpenSSL's words for what is wrong with a certificate (`X509_V_ERR_*`), and those of its and Node's TLS. */
function isTlsError(error: unknown): boolean {
  return /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_|PATH_LENGTH_|HOSTNAME_|EPROTO$)/.test(
    systemCode(error) ?? "",
  );
}

function isNetworkError(error: unknown): boolean {
  // What undici's own parser refuses has no code.
  if (error instanceof Error && error.name === "HTTPParserError") return true;
  return /^(?:ECONN|EPIPE$|ETIMEDOUT$|EHOST|ENET|EADDR|EAI_|ENOTFOUND$|UND_ERR_|HPE_)/.test(
    systemCode(error) ?? "",
  );
}
