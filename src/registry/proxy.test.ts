import { expect, it } from "vitest";
import { findProxy, listProxies } from "./proxy.ts";

const all = { HTTP_PROXY: "http://proxy:1", HTTPS_PROXY: "http://proxy:2" };

it.each([
  ["https://a.example", {}, false],
  ["https://a.example", all, true],
  ["http://a.example", all, true],
  ["https://a.example", { HTTP_PROXY: "http://proxy:1" }, false],
  ["http://a.example", { http_proxy: "http://proxy:1" }, true],
  ["http://a.example", { HTTPS_PROXY: "http://proxy:2" }, false],
  ["https://localhost:5000", all, false],
  ["https://127.1.2.3:5000", all, false],
  ["https://[::1]:5000", all, false],
  ["https://a.example", { ...all, NO_PROXY: "*" }, false],
  ["https://a.example", { ...all, no_proxy: "b.example, A.example" }, false],
  ["https://a.example", { ...all, NO_PROXY: "b.example" }, true],
  ["https://x.a.example", { ...all, NO_PROXY: "a.example" }, false],
  ["https://xa.example", { ...all, NO_PROXY: "a.example" }, true],
  ["https://a.example", { ...all, NO_PROXY: ".a.example" }, true],
  ["https://x.a.example", { ...all, NO_PROXY: ".a.example" }, false],
  ["https://x.a.example", { ...all, NO_PROXY: "*.a.example" }, false],
  ["https://x.a.example", { ...all, NO_PROXY: "*a.example" }, true],
  ["https://a.example:5000", { ...all, NO_PROXY: "a.example:5000" }, false],
  ["https://a.example:5001", { ...all, NO_PROXY: "a.example:5000" }, true],
  ["https://a.example", { ...all, NO_PROXY: "a.example:443" }, false],
  ["https://10.1.2.3", { ...all, NO_PROXY: "10.0.0.0/8" }, false],
  ["https://11.1.2.3", { ...all, NO_PROXY: "10.0.0.0/8" }, true],
  ["https://10.1.2.3", { ...all, NO_PROXY: "10.0.0.0/99" }, true],
  ["https://10.1.2.3:5000", { ...all, NO_PROXY: "10.1.2.3" }, false],
  ["https://[fd00::1]", { ...all, NO_PROXY: "fd00::/8" }, false],
  ["https://[fd00::1]", { ...all, NO_PROXY: "fd00::1" }, false],
  ["https://[fd00::1]", { ...all, NO_PROXY: "fd00:0::0001" }, false],
  ["https://[fd00::1]:5000", { ...all, NO_PROXY: "[fd00::1]:5000" }, false],
])("%s with %j: %s", (url, env: Readonly<Record<string, string>>, expected) => {
  expect(findProxy(new URL(url), env) !== undefined).toBe(expected);
});

it.each([
  ["http://proxy:3128", { origin: "http://proxy:3128", headers: {} }],
  ["proxy:3128", { origin: "http://proxy:3128", headers: {} }],
  ["10.0.0.1:3128/", { origin: "http://10.0.0.1:3128", headers: {} }],
  ["https://proxy", { origin: "https://proxy", headers: {} }],
  [
    "http://a:b%3Ac@proxy:1",
    { origin: "http://proxy:1", headers: { "proxy-authorization": basic("a:b:c") } },
  ],
  [
    "http://a@proxy:1",
    { origin: "http://proxy:1", headers: { "proxy-authorization": basic("a:") } },
  ],
  [
    "http://a:b%zz@proxy:1",
    { origin: "http://proxy:1", headers: { "proxy-authorization": basic("a:b%zz") } },
  ],
  ["a b", undefined],
])("reads %s", (text, expected) => {
  expect(findProxy(new URL("https://a.example"), { HTTPS_PROXY: text })).toEqual(expected);
});

function basic(text: string): string {
  return `Basic ${Buffer.from(text).toString("base64")}`;
}

it("names proxies without their passwords", () => {
  expect(listProxies({})).toEqual([]);
  const env = { HTTPS_PROXY: "http://a:secret@proxy:1", http_proxy: "socks5://b:secret@other:2" };
  expect(listProxies(env)).toEqual(["http://proxy:1", "socks5://other:2"]);
  expect(listProxies({ ...env, http_proxy: "a:secret@proxy:1" })).toEqual(["http://proxy:1"]);
});
