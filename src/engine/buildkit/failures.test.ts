import { describe, expect, it } from "vitest";
import { parseContainerfile } from "../../containerfile/containerfile.ts";
import { createBuildctl } from "./client.ts";
import { BuilderLostError, describeFailure, type FailedSolve } from "./failures.ts";
import { emptyCall } from "./solve-call.ts";

const text = "FROM a\nRUN one \\\n  two\n# see\nCOPY nothing /x\nRUN <<EOF\nx\nEOF\n";

function describeTail(tail: string, given: Partial<FailedSolve> = {}) {
  return describeFailure({
    call: { ...emptyCall, text, context: "/context", purpose: "environment of app" },
    client: createBuildctl("tcp://far:1", []),
    result: { status: 1, isStalled: false },
    failed: undefined,
    tail,
    containerfile: parseContainerfile(Buffer.from(text), "Containerfile.x"),
    ...given,
  });
}

const excerpt = (line: number): string =>
  `Containerfile:${line}\n--------------------\n   ${line} | >>> something\n--------------------\n`;

// All tails are those of buildctl 0.34.2 and buildx 0.38.2.
describe("a step that fails", () => {
  const failed = 'process "/bin/sh -c one   two" did not complete successfully: exit code: 7';

  it.each([
    `error: failed to solve: ${failed}`,
    `ERROR: failed to build: failed to solve: ${failed}`,
  ])("has its exit status and its place: %s", (last) => {
    const error = describeTail(`${excerpt(3)}${last}`, { failed });
    expect(error).toMatchObject({
      code: "step-failed",
      exitStatus: 7,
      cause: failed,
      message: "a step failed with exit status 7 on tcp://far:1 (environment of app)",
      diagnostics: [
        { file: "Containerfile.x", excerpt: "RUN one \\", span: { start: { line: 2, column: 1 } } },
      ],
    });
  });

  it("has the status that it ended with, whatever it says", () => {
    const said =
      'process "/bin/sh -c echo exit code: 3; false" did not complete successfully: exit code: 1';
    expect(describeTail(`error: failed to solve: ${said}`, { failed: said })).toMatchObject({
      code: "step-failed",
      exitStatus: 1,
    });
  });

  it("is no loss of the builder, whatever it says", () => {
    const said =
      'process "/bin/sh -c echo connection refused, requires BuildKit" did not complete successfully: exit code: 1';
    const error = describeTail(`error: failed to solve: ${said}`, { failed: said });
    expect(error).not.toBeInstanceOf(BuilderLostError);
    expect(error.code).toBe("step-failed");
  });

  it.each([
    [5, "COPY nothing /x"],
    [7, "RUN <<EOF"],
  ])("stands in line %i", (line, expected) => {
    const reason =
      'failed to compute cache key: failed to calculate checksum of ref a::b: "/nothing": not found';
    const error = describeTail(`${excerpt(line)}error: failed to solve: ${reason}`, {
      failed: reason,
    });
    expect(error).toMatchObject({
      code: "step-failed",
      exitStatus: 1,
      message: `tcp://far:1 (environment of app): ${reason}`,
      diagnostics: [{ excerpt: expected }],
    });
  });

  it.each([
    [4, undefined],
    [5, "COPY nothing /x"],
    [6, "COPY nothing /x"],
  ])("stands a line higher behind one of ours: %i", (line, expected) => {
    const tail = `${excerpt(line)}error: failed to solve: ${failed}`;
    const { diagnostics } = describeTail(tail, { failed, extraLine: line === 5 ? 7 : 5 });
    expect(diagnostics[0]?.excerpt).toBe(expected);
  });

  it("stands nowhere where the builder names no line, or one of nobody's", () => {
    for (const tail of ["", excerpt(99), "Containerfile:2\nno rule below it\n"])
      expect(
        describeTail(`${tail}error: failed to solve: ${failed}`, { failed }).diagnostics,
      ).toEqual([]);
  });
});

describe("a builder that is gone", () => {
  it.each([
    'error: listing workers for Build: failed to list workers: Unavailable: connection error: desc = "transport: Error while dialing: dial unix /nowhere/sock: connect: no such file or directory"',
    'error: listing workers for Build: failed to list workers: Unavailable: connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"',
    'error: listing workers for Build: failed to list workers: Unavailable: connection error: desc = "transport: Error while dialing: dial tcp: lookup no-such-host.invalid on 10.0.0.1:53: no such host"',
    'error: listing workers for Build: failed to list workers: Unavailable: connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority"',
    'error: listing workers for Build: failed to list workers: Unavailable: connection error: desc = "error reading server preface: EOF"',
    "error: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF",
    "error: failed to solve: Unavailable: error reading from server: EOF",
    "error: failed to solve: rpc error: code = Unavailable desc = closing transport due to: connection error",
    "ERROR: failed to build: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF",
    "ERROR: failed to build: context deadline exceeded",
  ])("%s", (tail) => {
    const error = describeTail(tail);
    expect(error).toBeInstanceOf(BuilderLostError);
    expect(error.code).toBe("builder-lost");
    expect(error.message).toMatch(
      /^the builder tcp:\/\/far:1 \(environment of app\) cannot be reached: (?!error)/,
    );
  });

  it("is one from which nothing comes any more", () => {
    const error = describeTail("", { result: { status: 1, isStalled: true } });
    expect(error).toBeInstanceOf(BuilderLostError);
    expect(error.hint).toContain("XBUILD_STALL_TIMEOUT");
  });
});

describe("a builder that is there", () => {
  it("may not reach a registry, which is no loss of it", () => {
    const reason =
      '127.0.0.1:1/nothing:1: failed to resolve source metadata for 127.0.0.1:1/nothing:1: failed to do request: Head "http://127.0.0.1:1/v2/nothing/manifests/1": dial tcp 127.0.0.1:1: connect: connection refused';
    const error = describeTail(`${excerpt(1)}error: failed to solve: ${reason}`, {
      failed: reason,
    });
    expect(error).not.toBeInstanceOf(BuilderLostError);
    expect(error).toMatchObject({ code: "step-failed", diagnostics: [{ excerpt: "FROM a" }] });
  });

  it.each([
    ["error: failed to solve: failed to load LLB: network.host is not allowed", "network.host"],
    [
      "error: failed to solve: granting entitlement security.insecure is not allowed by build daemon configuration",
      "security.insecure",
    ],
    [
      "ERROR: failed to build: failed to solve: granting entitlement network.host is not allowed by build daemon configuration",
      "network.host",
    ],
  ])("may not allow something: %s", (tail, entitlement) => {
    expect(describeTail(tail)).toMatchObject({
      code: "engine-failed",
      hint: `allow it with --allow ${entitlement}, and where buildkitd is started (--allow-insecure-entitlement)`,
    });
  });

  it.each([
    "error: flag provided but not defined: -nonsense",
    "ERROR: unknown flag: --provenance",
    "error: failed to solve: named contexts are not supported by the current BuildKit daemon",
  ])("may be too old: %s", (tail) => {
    expect(describeTail(`usage of it\n${tail}`)).toMatchObject({
      code: "engine-cannot-run",
      exitStatus: 1,
    });
  });

  it("is not too old because a file's line says so", () => {
    const tail = `Containerfile:2\n--------------------\n   2 | >>> # requires BuildKit, x is not allowed\n--------------------\nerror: failed to solve: dockerfile parse error on line 2: unknown instruction: X`;
    const error = describeTail(tail);
    expect(error).toMatchObject({ code: "engine-failed", hint: "see what it says of it" });
  });

  it.each([
    [
      "error: could not read ca certificate: open no.pem: no such file or directory",
      /no\.pem: no such file/,
    ],
    ["what nobody has foreseen", /what nobody has foreseen$/],
    ["", /buildctl failed with exit status 1$/],
  ])("says what is wrong: %s", (tail, message) => {
    expect(describeTail(tail)).toMatchObject({
      code: "engine-failed",
      message: expect.stringMatching(message),
    });
  });
  it.each([
    ['ERROR: no builder "nobody" found', "engine-not-found", /buildx has no builder/],
    [
      "ERROR: OCI exporter is not supported for the docker driver.",
      "engine-cannot-run",
      /older image store/,
    ],
    [
      "ERROR: failed to solve: unsupported frontend capability moby.buildkit.frontend.contexts",
      "engine-cannot-run",
      /too old/,
    ],
  ])("says that it cannot do: %s", (tail, code, message) => {
    expect(describeTail(tail)).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});
