import { expect, test } from "vitest";
import {
  classifyFailure,
  createFailure,
  isTransient,
  lastWords,
  type FailureKind,
} from "./failures.ts";

// Words of skopeo 1.9.3, and of the registries that it repeats.
const messages: readonly (readonly [string, FailureKind])[] = [
  [
    'Error parsing image name "docker://r/app:x": reading manifest x in r/app: manifest unknown: manifest unknown',
    "missing",
  ],
  ["reading manifest v1 in r/app: name unknown: repository name not known to registry", "missing"],
  [
    "Error reading blob: Error fetching blob: invalid status code from registry 404 (Not Found)",
    "missing",
  ],
  ["open /layout/index.json: no such file or directory", "missing"],
  [
    "loading image from docker engine: Error response from daemon: reference does not exist",
    "missing",
  ],
  ['no descriptor found for reference "x"', "missing"],
  [
    "unable to retrieve auth token: invalid username/password: unauthorized: authentication required",
    "auth",
  ],
  ["requesting bearer token: invalid status code from registry 403 (Forbidden)", "auth"],
  ["errors:\ndenied: requested access to the resource is denied", "auth"],
  ["toomanyrequests: You have reached your pull rate limit", "rate"],
  ["received unexpected HTTP status: 429 Too Many Requests", "rate"],
  ["received unexpected HTTP status: 503 Service Unavailable", "server"],
  ["reading blob: invalid status code from registry 500 (Internal Server Error)", "server"],
  ["pinging container registry r: can't talk to a V1 container registry", "server"],
  ["dial tcp 10.0.0.1:443: i/o timeout", "timeout"],
  ["timed out: nothing came for 120 s", "timeout"],
  ["read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer", "connection"],
  ["happened during read: unexpected EOF", "connection"],
  ["dial tcp: lookup nosuch.invalid: no such host", "connection"],
  ["dial tcp 127.0.0.1:5000: connect: connection refused", "connection"],
  ["x509: certificate signed by unknown authority", "tls"],
  ["http: server gave HTTP response to HTTPS client", "tls"],
  ["Digest did not match, expected sha256:a, got sha256:b", "corrupt"],
  ["write /store/x: no space left on device", "full"],
  ["exceeded maximum allowed size of 4194304 bytes", "invalid"],
  ["Instructed to preserve digests", "other"],
  ["something that nobody has seen yet", "other"],
];

test.each(messages)("%j is %s", (message, kind) => {
  expect(classifyFailure(message)).toBe(kind);
});

test("a tag, a port or a digest with a status code's digits is none", () => {
  expect(classifyFailure("copying 127.0.0.1:5004/app-503:404 is not possible")).toBe("other");
});

test("what may pass is tried again, and nothing else", () => {
  const kinds = new Set(messages.map(([, kind]) => kind));
  expect([...kinds].filter(isTransient)).toEqual([
    "rate",
    "server",
    "timeout",
    "connection",
    "corrupt",
  ]);
});

test("skopeo's fatal line counts, without its framing", () => {
  const stderr = `time="2026-01-01T00:00:00Z" level=warning msg="odd"
time="2026-01-01T00:00:01Z" level=fatal msg="reading \\"x\\": EOF"
`;
  expect(lastWords(stderr)).toBe('reading "x": EOF');
  const error = createFailure("read docker://r/x", lastWords(stderr));
  expect(error).toMatchObject({
    code: "registry-unavailable",
    message: 'cannot read docker://r/x: reading "x": EOF',
  });
});
