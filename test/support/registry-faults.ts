import type { OutgoingHttpHeaders } from "node:http";
import { digestBytes } from "../../src/oci/digest.ts";
import type { RequestLine } from "./registry-records.ts";

/** A fault and the requests that have it. Where several rules match, the one added first counts. */
export type Fault = FaultKind & {
  readonly match: (request: RequestLine) => boolean;
  /** How many requests have it; all of them by default. */
  readonly times?: number;
  /** Milliseconds before anything is done with the request. */
  readonly delay?: number;
};

export type FaultKind =
  /** An answer of the proxy's own with a registry's error document. A 401 has the challenge of the proxy's `auth`. */
  | { readonly status: number; readonly headers?: FaultHeaders }
  /** No answer; the connection stays open until the proxy stops. */
  | { readonly hang: true }
  /** The connection ends after these bytes of the answer's body, or after the body where it is shorter. */
  | { readonly resetAfter: number }
  /**
   * The connection ends after these bytes of the request's body. Where that has fewer (Infinity), the
   * registry does what it was asked to, and the client has no answer.
   */
  | { readonly resetUploadAfter: number }
  /** One bit of the byte at this offset of the answer's body is another; of the one in the middle with true. */
  | { readonly corrupt: true | number }
  | { readonly replace: Replacement }
  /** The registry gets the request without its query: a mount becomes an upload. */
  | { readonly dropQuery: true }
  /** Nothing but a delay. */
  | { readonly delay: number };

/** undefined takes a header away. */
export type FaultHeaders = Readonly<Record<string, string | undefined>>;

/** An answer instead of the registry's. */
export interface Replacement {
  readonly body: Uint8Array;
  /** 200 by default. */
  readonly status?: number;
  /** Docker-Content-Digest is the body's unless told otherwise. */
  readonly headers?: FaultHeaders;
}

/** A fault that was set. */
export interface FaultRule {
  /** How many requests have had it. */
  readonly hits: number;
  readonly remove: () => void;
}

export interface FaultList {
  readonly add: (fault: Fault) => FaultRule;
  /** The fault of this request, which counts as a hit. */
  readonly take: (request: RequestLine) => Fault | undefined;
  readonly clear: () => void;
}

/** What the proxy itself says. */
export interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Uint8Array;
}

export function createFaultList(): FaultList {
  let rules: { readonly fault: Fault; hits: number }[] = [];
  return {
    add: (fault) => {
      const rule = { fault, hits: 0 };
      rules.push(rule);
      return {
        get hits() {
          return rule.hits;
        },
        remove: () => {
          rules = rules.filter((other) => other !== rule);
        },
      };
    },
    take: (request) => {
      const rule = rules.find(
        ({ fault, hits }) => hits < (fault.times ?? Infinity) && fault.match(request),
      );
      if (rule !== undefined) rule.hits += 1;
      return rule?.fault;
    },
    clear: () => {
      rules = [];
    },
  };
}

/** An error as registries say it. distribution-spec v1.1, "Error Codes". */
export function createErrorAnswer(
  status: number,
  path: string,
  headers: FaultHeaders = {},
): Answer {
  const code = findErrorCode(status, path);
  const errors = [{ code, message: `the test's proxy says ${status}`, detail: null }];
  return createAnswer(status, Buffer.from(JSON.stringify({ errors })), {
    "content-type": "application/json; charset=utf-8",
    ...lowerNames(headers),
  });
}

export function createReplacement({ body, status = 200, headers = {} }: Replacement): Answer {
  return createAnswer(status, body, {
    "docker-content-digest": digestBytes(body),
    ...lowerNames(headers),
  });
}

function createAnswer(status: number, body: Uint8Array, headers: FaultHeaders): Answer {
  const all = Object.entries({
    "docker-distribution-api-version": "registry/2.0",
    "content-length": `${body.byteLength}`,
    ...headers,
  });
  return {
    status,
    headers: Object.fromEntries(all.filter(([, value]) => value !== undefined)),
    body,
  };
}

function lowerNames(headers: FaultHeaders): FaultHeaders {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

function findErrorCode(status: number, path: string): string {
  if (status === 404 && path.includes("/blobs/uploads/")) return "BLOB_UPLOAD_UNKNOWN";
  if (status === 404) return path.includes("/blobs/") ? "BLOB_UNKNOWN" : "MANIFEST_UNKNOWN";
  return errorCodes[status] ?? "UNKNOWN";
}

const errorCodes: Readonly<Record<number, string>> = {
  401: "UNAUTHORIZED",
  403: "DENIED",
  405: "UNSUPPORTED",
  429: "TOOMANYREQUESTS",
  503: "UNAVAILABLE",
};
