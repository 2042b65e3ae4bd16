import { createHash } from "node:crypto";
import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";

/**
 * Who a running process is, in a form for file names: process ID, start time, PID namespace, boot and
 * host. Nothing of it repeats together, so a name that carries it tells whether its maker still lives.
 */
export function identifyProcess(): Promise<string> {
  identity ??= describeProcess();
  return identity;
}

let identity: Promise<string> | undefined;

/**
 * Whether the process of an identity lives: "unknown" where it is of another machine or another PID
 * namespace, of which we see nothing.
 */
export async function checkProcess(identityText: string): Promise<"alive" | "dead" | "unknown"> {
  const [pid = "", start = "", namespace = "", boot = "", host = ""] = identityText.split(".");
  const [, , ownNamespace, ownBoot, ownHost] = (await identifyProcess()).split(".");
  if (boot !== ownBoot) return host === ownHost ? "dead" : "unknown";
  if (namespace !== ownNamespace) return "unknown";
  return (await readStartTime(pid)) === start ? "alive" : "dead";
}

async function describeProcess(): Promise<string> {
  const pid = String(process.pid);
  const [start, namespace, boot] = await Promise.all([
    readStartTime(pid),
    readlink("/proc/self/ns/pid").catch(() => ""),
    readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => ""),
  ]);
  const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
  return [pid, start ?? "0", digitsOf(namespace), boot.slice(0, 8), host].join(".");
}

function digitsOf(text: string): string {
  return text.replaceAll(/\D/g, "");
}

/** In clock ticks since boot: field 22 of proc_pid_stat(5); undefined where there is no such process. */
async function readStartTime(pid: string): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => undefined);
  // The second field is the program's name in parentheses and may hold anything.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  // A zombie runs no more: it only waits for its parent.
  return fields?.[0] === "Z" ? undefined : fields?.[19];
}
