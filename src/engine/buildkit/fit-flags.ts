import { exitStatuses, XbuildError } from "../../errors.ts";

/** Flags of registries: the client asks those itself, and the builder has settings of its own. */
const clients = new Set([
  "authfile",
  "creds",
  "cert-dir",
  "tls-verify",
  "retry",
  "retry-delay",
  "jobs",
  "stdin",
]);

/** What becomes of a flag's values: of all of one name at once, for some are one list there. */
type Fit = (values: readonly string[]) => readonly string[];

const each =
  (render: (value: string) => string): Fit =>
  (values) =>
    values.map(render);

const list =
  (name: string, render: (value: string) => string = (value) => value): Fit =>
  (values) => [`--opt=${name}=${values.map(render).join(",")}`];

const buildctl: Readonly<Record<string, Fit>> = {
  "add-host": list("add-hosts", (value) => value.replace(/^([^:=]*):/, "$1=")),
  "cgroup-parent": (values) => [`--opt=cgroup-parent=${values.at(-1) ?? ""}`],
  "shm-size": (values) => [`--opt=shm-size=${countBytes(values.at(-1) ?? "")}`],
  ulimit: list("ulimit"),
  network: (values) => renderNetwork(values.at(-1) ?? ""),
  secret: each((value) => `--secret=${value}`),
  ssh: each((value) => `--ssh=${value}`),
  allow: each((value) => `--allow=${value}`),
  "cache-from": each((value) => `--import-cache=${describeCache(value)}`),
  "cache-to": each((value) => `--export-cache=${describeCache(value)}`),
};

const buildx: Readonly<Record<string, Fit>> = {
  ...Object.fromEntries(
    ["add-host", "cgroup-parent", "shm-size", "ulimit", "network", "secret", "ssh", "allow"].map(
      (name) => [name, each((value) => `--${name}=${value}`)],
    ),
  ),
  "cache-from": each((value) => `--cache-from=${describeCache(value)}`),
  "cache-to": each((value) => `--cache-to=${describeCache(value)}`),
};

/** Names of the flags that are handed on. */
export const knownFlags: readonly string[] = [...Object.keys(buildctl), ...clients];

/** Flags of xbuild's command line as buildctl has them. Errors: `usage` for one that BuildKit does not have. */
export function buildctlFlags(flags: readonly string[]): readonly string[] {
  return fit(flags, buildctl);
}

/** The same for buildx. */
export function buildxFlags(flags: readonly string[]): readonly string[] {
  return fit(flags, buildx);
}

function fit(flags: readonly string[], table: Readonly<Record<string, Fit>>): readonly string[] {
  const values = new Map<string, string[]>();
  for (const flag of flags) {
    const [, name = "", value = ""] = /^--([a-z0-9-]+)(?:=(.*))?$/s.exec(flag) ?? [];
    if (clients.has(name)) continue;
    if (table[name] === undefined) throw refuseFlag(flag);
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return [...values].flatMap(([name, all]) => table[name]?.(all) ?? []);
}

function refuseFlag(flag: string): XbuildError {
  const name = /^--?[a-z0-9-]+/i.exec(flag)?.[0] ?? flag;
  return new XbuildError("usage", `${name}: BuildKit has nothing like it`, {
    hint: "leave it out, or build with --engine buildah or podman",
    exitStatus: exitStatuses.usage,
  });
}

/** An image's name alone is one in a registry, as with buildah's flag. */
function describeCache(value: string): string {
  return /(?:^|,)type=/.test(value) ? value : `type=registry,ref=${value}`;
}

function renderNetwork(value: string): readonly string[] {
  const allowed = value === "host" ? ["--allow=network.host"] : [];
  return [...allowed, `--opt=force-network-mode=${value === "default" ? "sandbox" : value}`];
}

const units = "bkmgtp";

/** `64m` in bytes, as docker reads sizes. */
function countBytes(text: string): string {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)\s*([bkmgtp]?)(?:i?b)?$/i.exec(text) ?? [];
  if (number === undefined) return text;
  const power = Math.max(0, units.indexOf(unit.toLowerCase() || "b"));
  return String(Math.floor(Number(number) * 1024 ** power));
}
