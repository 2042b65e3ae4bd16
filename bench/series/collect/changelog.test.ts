import { expect, test } from "vitest";
import { joinChangelogs, parseChangelog, toDay, type Entry } from "./changelog.ts";

const text = `curl (7.88.1-10+deb12u2) bookworm-security; urgency=high

  * Fix CVE-2023-38545 and CVE-2023-38546, of which CVE-2023-38545
    is the worse. Closes: #1053643

 -- A. Person <a@example.org>  Thu, 05 Oct 2023 20:46:08 +0200

curl (7.88.1-10+deb12u1) bookworm; urgency=medium, binary-only=yes

  * Not a trailer: -- b

 -- B. Person <b@example.org>  Fri, 21 Jul 2023 23:03:24 +0000

curl (1:0-1) stable unstable; urgency=low

  * Initial.

 -- C. Person <c@example.org>  some day

curl (0-1) unstable; urgency=low

 -- D. Person <d@example.org> Mon, 01 Jan 2001 00:00:00 +0000
`;

test("reads versions, distributions, times, and the CVE that each entry names", () => {
  expect(parseChangelog(text)).toEqual([
    {
      version: "7.88.1-10+deb12u2",
      distribution: "bookworm-security",
      time: Date.UTC(2023, 9, 5, 18, 46, 8) / 1000,
      advisories: 2,
    },
    {
      version: "7.88.1-10+deb12u1",
      distribution: "bookworm",
      time: Date.UTC(2023, 6, 21, 23, 3, 24) / 1000,
      advisories: 0,
    },
    { version: "0-1", distribution: "unstable", time: 978_307_200, advisories: 0 },
  ]);
});

test("what is no changelog of Debian has no entries", () => {
  expect(parseChangelog("Version 1.2 (2020-01-01)\n\n - CVE-2020-1234 fixed\n")).toEqual([]);
});

function entry(version: string): Entry {
  return { version, time: 1, distribution: "d", advisories: 0 };
}

test("rebuilds stand before the package's own entries, once", () => {
  const joined = joinChangelogs([entry("1-1+b1"), entry("1-1")], [entry("1-1"), entry("1-0")]);
  expect(joined.map(({ version }) => version)).toEqual(["1-1+b1", "1-1", "1-0"]);
});

test("days are those of UTC", () => {
  expect(toDay(Date.UTC(2026, 2, 14, 23, 59, 59) / 1000)).toBe("2026-03-14");
});
