import { BlockList, isIP } from "node:net";
import type { Environment } from "./access.ts";

/**
 * Whether skopeo would ask for this address through a proxy: as Go's golang.org/x/net/http/httpproxy reads
 * $HTTPS_PROXY, $HTTP_PROXY and $NO_PROXY, in upper or lower case. The machine itself is never behind one.
 */
export function isProxied(url: URL, env: Environment): boolean {
  const read = (name: string): string => env[name] || env[name.toLowerCase()] || "";
  const proxy = read(url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  if (proxy === "") return false;
  const host = url.hostname.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  if (host === "localhost" || isLoopback(host)) return false;
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const exceptions = read("NO_PROXY").split(",");
  return !exceptions.some((entry) => isException(entry.trim().toLowerCase(), host, port));
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

function isLoopback(host: string): boolean {
  return isIP(host) !== 0 && loopback.check(host, family(host));
}

function family(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

/** `*`, an address, a network (`10.0.0.0/8`), `host` with all below it, `.host` for these alone; a port may follow. */
function isException(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  if (entry.includes("/")) return isIP(host) !== 0 && isInNetwork(entry, host);
  const { name, port: wanted } = splitPort(entry);
  if (name === "" || (wanted !== undefined && wanted !== port)) return false;
  const suffix = name.replace(/^\*/, "");
  if (suffix.startsWith(".")) return host.endsWith(suffix);
  return host === suffix || (isIP(suffix) === 0 && host.endsWith(`.${suffix}`));
}

function splitPort(entry: string): { readonly name: string; readonly port: string | undefined } {
  if (isIP(entry) === 6) return { name: entry, port: undefined };
  const { name = "", port } = /^(?<name>.*?)(?::(?<port>\d+))?$/.exec(entry)?.groups ?? {};
  return { name: name.replace(/^\[(.*)\]$/, "$1"), port };
}

function isInNetwork(entry: string, host: string): boolean {
  const [address = "", bits = ""] = entry.split("/");
  if (isIP(address) === 0 || family(address) !== family(host) || !/^\d{1,3}$/.test(bits)) {
    return false;
  }
  if (Number(bits) > (family(address) === "ipv6" ? 128 : 32)) return false;
  const network = new BlockList();
  network.addSubnet(address, Number(bits), family(address));
  return network.check(host, family(host));
}
