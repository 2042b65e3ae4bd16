import { expect, test } from "vitest";
import { classifyFailure, createFailure, isTransient, type FailureKind } from "./failures.ts";

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
  ["Source image rejected: Running image docker://r/x:1 is rejected by policy.", "policy"],
  ["Source image rejected: A signature was required, but no signature exists", "policy"],
  [
    "Source image rejected: open /etc/keys/none.gpg: no such file or directory, status code 404",
    "policy",
  ],
  [
    'Error parsing image name "docker://r/x:1": registry r is blocked in /etc/containers/registries.conf or /etc/containers/registries.conf.d',
    "blocked",
  ],
  [
    "Error loading trust policy: open /etc/containers/policy.json: no such file or directory",
    "settings",
  ],
  [
    'loading registries configuration "/none.conf": open /none.conf: no such file or directory',
    "settings",
  ],
  [
    'getting username and password: 1 error occurred: * error getting credentials - err: exec: "docker-credential-x": executable file not found in $PATH',
    "settings",
  ],
  ["missing key client.key for client certificate client.cert. Note that CA ...", "settings"],
  ['Get "https://r.example/v2/": Proxy Authentication Required', "proxy"],
  ["invalid status code from registry 407 (Proxy Authentication Required)", "proxy"],
  ['pinging container registry r.example: Get "https://r.example/v2/": Forbidden', "proxy"],
  ["invalid status code from registry 403 (Forbidden)", "auth"],
  ['Get "https://r/v2/": proxyconnect tcp: dial tcp 1.2.3.4:1: connection refused', "connection"],
  ["manifest's digest of a layer may match nothing", "corrupt"],
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

test("where mirrors failed too, the registry itself decides", () => {
  const mirror = "[m.example/a:1: reading manifest 1 in m.example/a: status code 404]";
  const tail = "r.example/a:1: received unexpected HTTP status: 503 Service Unavailable";
  expect(classifyFailure(`(Mirrors also failed: ${mirror}): ${tail}`)).toBe("server");
  expect(classifyFailure(`(Mirrors also failed: ${mirror}): manifest unknown`)).toBe("missing");
});

test("what a registry says at length is shown in part", () => {
  const words = `reading manifest x in r/app: manifest unknown ${"digest ".repeat(200_000)}`;
  const { code, message } = createFailure("read docker://r/app:x", words);
  expect(code).toBe("registry-not-found");
  expect(message.length).toBeLessThan(2200);
  expect(message).toContain("cannot read docker://r/app:x: reading manifest x");
});

test.each([
  'Get "https://r/v2/": proxyconnect tcp: dial tcp: lookup proxy: no such host',
  'Get "https://r/v2/": Proxy Authentication Required',
])("a proxy is named without its password: %s", (words) => {
  const env = { HTTPS_PROXY: "http://user:secret@proxy:3128", http_proxy: "proxy:3128" };
  const error = createFailure("read docker://r/app:x", words, env);
  expect(error.code).toBe("registry-unavailable");
  expect(error.message).toBe(
    `cannot read docker://r/app:x through the proxy http://proxy:3128: ${words}`,
  );
  expect(error.hint).toContain("HTTPS_PROXY");
});
