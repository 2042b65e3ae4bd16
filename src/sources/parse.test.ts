import { expect, test } from "vitest";
import { describeSource, nameSource, nameSourcePlace, parseSource } from "./parse.ts";

function catchError(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

const git = {
  kind: "git",
  userInfo: undefined,
  ref: undefined,
  subdirectory: "",
  commit: undefined,
};
const sha = "0123456789abcdef0123456789abcdef01234567";

test.each([
  ["git://h/x", { url: "git://h/x" }],
  ["https://h/x.git", { url: "https://h/x.git" }],
  ["https://h/x.git#", { url: "https://h/x.git" }],
  ["https://h/x.git#main", { url: "https://h/x.git", ref: "main" }],
  ["https://h/x.git#:a/b", { url: "https://h/x.git", subdirectory: "a/b" }],
  ["https://h/x.git#v1:/a/./b/", { url: "https://h/x.git", ref: "v1", subdirectory: "a/b" }],
  [`https://h/x.git#${sha}`, { url: "https://h/x.git", ref: sha }],
  ["https://h/x.git#refs/pull/7/head", { url: "https://h/x.git", ref: "refs/pull/7/head" }],
  ["https://h/x.git?ref=a&subdir=b", { url: "https://h/x.git", ref: "a", subdirectory: "b" }],
  ["https://h/x.git?branch=a", { url: "https://h/x.git", ref: "refs/heads/a" }],
  [
    `https://h/x.git?tag=a&checksum=${sha}`,
    { url: "https://h/x.git", ref: "refs/tags/a", commit: sha },
  ],
  ["github.com/o/n#v1", { url: "https://github.com/o/n", ref: "v1" }],
  ["git@h:o/n.git#v1", { url: "git@h:o/n.git", ref: "v1" }],
  ["ssh://git:pw@h:22/n", { url: "ssh://git@h:22/n" }],
  ["file:///r", { url: "file:///r" }],
  [
    "https://u:p%40@h/x.git",
    { url: "https://h/x.git", userInfo: { username: "u", password: "p@" } },
  ],
])("%s is a repository", (text, expected) => {
  expect(parseSource(text)).toEqual({ ...git, ...expected });
});

test.each([
  ["-", "-", "standard input"],
  ["https://u:p@h/x.tgz?token=t#f", "https://h/x.tgz", "https://h/x.tgz"],
  ["https://u:p@h/x.git?ref=a&subdir=b", "https://h/x.git#a:b", "https://h/x.git#a:b"],
  ["https://h/x.git#:b", "https://h/x.git#:b", "https://h/x.git#:b"],
])("%s is called %s", (text, name, shown) => {
  const source = parseSource(text);
  expect([nameSource(source), describeSource(source)]).toEqual([name, shown]);
});

test.each([
  "https://h/x.git#--upload-pack=touch",
  "https://h/x.git#-x",
  "https://h/x.git#+a",
  "https://h/x.git#a b",
  "https://h/x.git#a..b",
  "https://h/x.git#a^{commit}",
  "https://h/x.git#a@{1}",
  "https://h/x.git#a:../b",
  "https://h/x.git?subdir=a/../../b",
  "https://h/x.git?other=a",
  "https://h/x.git?checksum=--x",
  "git@-oProxyCommand=touch:x",
  "git@h:-x",
  "ssh://-oProxyCommand=touch/x",
  "git://",
  "ext::sh -c touch%20x",
  "fd::17",
  "https://u:secret@",
  "https://u:secret@:x/",
])("%s is refused", (text) => {
  const error = catchError(() => parseSource(text));
  expect(error).toMatchObject({ code: "context-url-invalid", exitStatus: 125 });
  expect(String(error)).not.toContain("secret");
});

function place(text: string): string {
  const source = parseSource(text);
  return source.kind === "input" ? "" : nameSourcePlace(source);
}

test("the last build of a repository is that of whichever commit", () => {
  expect(place(`https://u:p@h/r.git#${"a".repeat(40)}:sub`)).toBe("https://h/r.git#:sub");
  expect(place("https://h/r.git#main:sub")).toBe(place("https://h/r.git?ref=v1&subdir=sub"));
  expect(place("https://h/c.tgz?token=x")).toBe("https://h/c.tgz");
});
