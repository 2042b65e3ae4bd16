import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { XbuildError } from "../../src/errors.ts";
import { createCopyError } from "../../src/copy/failures.ts";
import { createWords } from "../../src/copy/last-words.ts";
import { parseReference } from "../../src/copy/reference.ts";
import { parseChallenges } from "../../src/registry/challenge.ts";
import { locatePulls } from "../../src/registry/locations.ts";
import { parseRegistriesDocument } from "../../src/registry/registries-document.ts";
import { createTokenRequest, parseToken } from "../../src/registry/tokens.ts";
import { fuzz, fuzzTimeout, hold, judge, mutate, runs } from "./harness.ts";

const messages = [
  'time="2026-11-25T12:00:00Z" level=fatal msg="Error reading manifest latest in host/app: manifest unknown: \\"x\\""',
  "Error: initializing source docker://host/app: unauthorized: authentication required",
  "x509: certificate signed by unknown authority",
  "received unexpected HTTP status: 500 Internal Server Error",
];
const words = [
  "/digest ",
  "match",
  " manifest unknown",
  "\\",
  '"',
  "level=fatal",
  "\n",
  "\x1b[2J",
  "x".repeat(3000),
  "401",
  "timeout",
];

test(
  "what a program says of a registry's answer",
  async () => {
    const tried = await fuzz(mutate(messages, words), (bytes) => {
      const heard = createWords();
      heard.add(bytes.toString("utf8"));
      const last = heard.last();
      expect(last.length).toBeLessThanOrEqual(20_000);
      const error = createCopyError("read docker://host/app", last);
      expect(error).toBeInstanceOf(XbuildError);
      expect(error.message.length).toBeLessThan(20_000);
    });
    expect(tried).toBeGreaterThanOrEqual(runs);
  },
  fuzzTimeout,
);

test(
  "challenges",
  async () => {
    const headers = [
      'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a:pull"',
      "Basic realm=x, Bearer realm=y",
      'Negotiate, Basic realm="a\\"b"',
    ];
    const tokens = ['"', "\\", ",", "=", "\t", "http://", "file:///etc/passwd", "\0"];
    const tried = await fuzz(mutate(headers, tokens), (bytes) => {
      for (const challenge of parseChallenges(bytes.toString("latin1"))) {
        expect(challenge.scheme).toBe(challenge.scheme.toLowerCase());
        try {
          createTokenRequest(challenge, ["repository:a:pull"], undefined);
        } catch (error) {
          // What is no address is nowhere to go to.
          hold(error instanceof TypeError, String(error));
        }
      }
    });
    expect(tried).toBeGreaterThanOrEqual(runs);
  },
  fuzzTimeout,
);

test(
  "the answers of token servers",
  async () => {
    const answers = ['{"token":"abc","expires_in":300}', '{"access_token":"abc","issued_at":"x"}'];
    const tried = await fuzz(
      mutate(answers, ["null", "1e999", '"'.repeat(3), "-5", "{}"]),
      (bytes) => {
        try {
          const token = parseToken({ status: 200, headers: {}, body: bytes });
          expect(token.text).not.toBe("");
          expect(Number.isFinite(token.expires)).toBe(true);
        } catch (error) {
          hold(error instanceof Error, String(error));
        }
      },
    );
    expect(tried).toBeGreaterThanOrEqual(runs);
  },
  fuzzTimeout,
);

describe("references", () => {
  const references = [
    "docker://host:5000/team/app:tag",
    "app",
    "host.example/a/b@sha256:" + "a".repeat(64),
    "oci:/dir:name",
    "docker-archive:/f:app:1",
  ];
  const tokens = [
    "/",
    ":",
    "@",
    "//",
    "..",
    " ",
    "-",
    "\0",
    "\n",
    "A",
    "é",
    "docker://",
    "x".repeat(300),
  ];

  test(
    "are read or refused",
    async () => {
      const tried = await fuzz(mutate(references, tokens), async (bytes) => {
        const { value } = await judge(
          () => parseReference(bytes.toString("utf8")),
          /^(?:usage|name-invalid)$/,
        );
        hold(/^[^\s\0]+$/.test(value?.repository ?? "none"), "a repository with blanks");
      });
      expect(tried).toBeGreaterThanOrEqual(runs);
    },
    fuzzTimeout,
  );
});

test(
  "registries.conf",
  async () => {
    const files = [
      'unqualified-search-registries = ["docker.io"]\n[[registry]]\nprefix = "*.example"\nlocation = "host/a"\nblocked = true\n[[registry.mirror]]\nlocation = "m.example"\n',
      '[registries.search]\nregistries = ["a.example"]\n[registries.insecure]\nregistries = ["b"]\n',
      '[aliases]\n"app" = "host/app"\n',
    ];
    const tokens = [
      "[[",
      "]]",
      '"',
      "=",
      "\n",
      "{",
      "'''",
      "prefix",
      "location",
      '""',
      "*.",
      "__proto__",
      "9".repeat(40),
      "#",
    ];
    const names = fc.constantFrom("host/a/b", "x.example/app", "docker.io/library/app", "a");
    const tried = await fuzz(fc.tuple(mutate(files, tokens), names), ([bytes, name]) => {
      const document = parseRegistriesDocument(bytes.toString("utf8"));
      if (document === undefined) return;
      const conf = {
        ...document,
        aliases: new Map(Object.entries(document.aliases)),
        searchRegistries: document.searchRegistries ?? [],
        credentialHelpers: document.credentialHelpers ?? [],
        isBroken: false,
      };
      const found = locatePulls(conf, name);
      expect(found).toBeDefined();
    });
    expect(tried).toBeGreaterThanOrEqual(runs);
  },
  fuzzTimeout,
);
