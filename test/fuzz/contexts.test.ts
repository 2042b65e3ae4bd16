import { expect, test } from "vitest";
import { XbuildError } from "../../src/errors.ts";
import { describeSource, nameSource, parseSource } from "../../src/sources/parse.ts";
import { fuzz, fuzzTimeout, hold, mutate, runs } from "./harness.ts";

const addresses = [
  "https://user:s3cr3t@example.com/a/b.git?ref=main&subdir=c#v1:d/e",
  "http://user:s3cr3t@example.com:8080/c.tar.gz?token=s3cr3t#x",
  "ssh://git:s3cr3t@example.com/a.git#refs/heads/x",
  "git@example.com:a/b.git#0123456789abcdef",
  "github.com/owner/name#:dir",
  "file:///a/b#main",
];
const words = ["#", "?", "@", ":", "..", "--upload-pack=x", "%2e%2e/", "\\", "\n", "[::1]", "://"];

test(
  "addresses of contexts: what is given to git is no option, and nothing tells a password",
  async () => {
    const tried = await fuzz(mutate(addresses, words), (bytes) => {
      const text = bytes.toString("utf8");
      try {
        const source = parseSource(text);
        if (source.kind !== "git") return;
        const { url, ref = "", subdirectory } = source;
        hold(/^(?:(?:https?|git|ssh|file):\/\/|git@[^-])/.test(url), "the scheme is a known one");
        hold(!/^[-+]/.test(ref), "the reference is no option");
        hold(!subdirectory.split("/").includes(".."), "the directory is inside");
        hold(nameSource(source) === describeSource(source), "a repository is called by its name");
      } catch (error) {
        expect(error).toBeInstanceOf(XbuildError);
      }
    });
    expect(tried).toBeGreaterThanOrEqual(runs);
  },
  fuzzTimeout,
);
