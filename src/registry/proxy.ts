import { BlockList, isIP } from "node:net";
import type { Environment } from "./access.ts";

/** What stands between us and a registry. */
export interface Proxy {
  /** `http://proxy:3128`: without user and password. */
  readonly origin: string;
  /** The proxy's own credentials, which no other server is shown. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The proxy for an address, where there is one: as Go's golang.org/x/net/http/httpproxy, and so skopeo, reads
 * $HTTPS_PROXY, $HTTP_PROXY and $NO_PROXY, in upper or lower case. The machine itself is never behind one.
 * @throws for one that does not speak HTTP (SOCKS)
 */
export function findProxy(url: URL, env: Environment): Proxy | undefined {
  const proxy = readProxy(env, url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  if (proxy === undefined || isExcepted(url, env)) return undefined;
  if (!/^https?:$/.test(proxy.protocol)) throw new Error("behind a proxy that is not HTTP");
  const { origin, username, password } = proxy;
  if (username === "" && password === "") return { origin, headers: {} };
  const text = Buffer.from(`${decode(username)}:${decode(password)}`).toString("base64");
  return { origin, headers: { "proxy-authorization": `Basic ${text}` } };
}

/** The proxies that are set, for people: without user and password. */
export function listProxies(env: Environment): readonly string[] {
  const proxies = ["HTTPS_PROXY", "HTTP_PROXY"].map((name) => readProxy(env, name));
  const found = proxies.filter((proxy) => proxy !== undefined);
  return [...new Set(found.map(({ protocol, host }) => `${protocol}//${host}`))];
}

/** Undefined where none is set, or where nobody can make sense of it. */
function readProxy(env: Environment, name: string): URL | undefined {
  const text = readVariable(env, name);
  if (text === "") return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && url.host !== "") return url;
  return URL.canParse(`http://${text}`) ? new URL(`http://${text}`) : undefined;
}

function readVariable(env: Environment, name: string): string {
  return env[name] || env[name.toLowerCase()] || "";
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether an address is this machine's own, where any user may listen. */
export function isLoopback(url: URL): boolean {
  const host = hostOf(url);
  return host === "localhost" || isInNetwork("127.0.0.0/8", host) || isInNetwork("::1/128", host);
}

function hostOf({ hostname }: URL): string {
  return hostname.toLowerCase().replace(/^\[(.*)\]$/, "$1");
}

function isExcepted(url: URL, env: Environment): boolean {
  if (isLoopback(url)) return true;
  const host = hostOf(url);
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const exceptions = readVariable(env, "NO_PROXY").split(",");
  return exceptions.some((entry) => isException(entry.trim().toLowerCase(), host, port));
}

/** `*`, an address, a network (`10.0.0.0/8`), `host` with all below it, `.host` for these alone; a port may follow. */
function isException(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  if (entry.includes("/")) return isInNetwork(entry, host);
  const { name, port: wanted } = splitPort(entry);
  if (name === "" || (wanted !== undefined && wanted !== port)) return false;
  if (isIP(name) !== 0) return isInNetwork(`${name}/${isIP(name) === 6 ? 128 : 32}`, host);
  const suffix = name.replace(/^\*(?=\.)/, "");
  if (suffix.startsWith(".")) return host.endsWith(suffix);
  return host === suffix || host.endsWith(`.${suffix}`);
}

function splitPort(entry: string): { readonly name: string; readonly port: string | undefined } {
  if (isIP(entry) === 6) return { name: entry, port: undefined };
  const { name = "", port } = /^(?<name>.*?)(?::(?<port>\d+))?$/.exec(entry)?.groups ?? {};
  return { name: name.replace(/^\[(.*)\]$/, "$1"), port };
}

function isInNetwork(entry: string, host: string): boolean {
  const [address = "", bits = ""] = entry.split("/");
  const version = isIP(address);
  if (version === 0 || version !== isIP(host) || !/^\d{1,3}$/.test(bits)) return false;
  if (Number(bits) > (version === 6 ? 128 : 32)) return false;
  const network = new BlockList();
  const family = version === 6 ? "ipv6" : "ipv4";
  network.addSubnet(address, Number(bits), family);
  return network.check(host, family);
}
