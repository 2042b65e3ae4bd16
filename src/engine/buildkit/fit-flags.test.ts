import { describe, expect, it } from "vitest";
import { buildctlFlags, buildxFlags, knownFlags } from "./fit-flags.ts";

const digest = `sha256:${"a".repeat(64)}`;

const rows: readonly (readonly [
  string,
  readonly string[],
  readonly string[],
  readonly string[],
])[] = [
  [
    "hosts, one list there",
    ["--add-host=one:10.0.0.1", "--add-host=two:::1", "--add-host=three=fe80::1"],
    ["--opt=add-hosts=one=10.0.0.1,two=::1,three=fe80::1"],
    ["--add-host=one:10.0.0.1", "--add-host=two:::1", "--add-host=three=fe80::1"],
  ],
  [
    "limits, one list there",
    ["--ulimit=nofile=10:20", "--ulimit=core=0"],
    ["--opt=ulimit=nofile=10:20,core=0"],
    ["--ulimit=nofile=10:20", "--ulimit=core=0"],
  ],
  [
    "of what there is one, the last",
    ["--cgroup-parent=a", "--cgroup-parent=b"],
    ["--opt=cgroup-parent=b"],
    ["--cgroup-parent=a", "--cgroup-parent=b"],
  ],
  [
    "secrets and keys, as they are",
    ["--secret=id=a,src=/x", "--secret=id=b,env=B", "--ssh=default", "--ssh=k=/x y"],
    ["--secret=id=a,src=/x", "--secret=id=b,env=B", "--ssh=default", "--ssh=k=/x y"],
    ["--secret=id=a,src=/x", "--secret=id=b,env=B", "--ssh=default", "--ssh=k=/x y"],
  ],
  [
    "entitlements",
    ["--allow=security.insecure"],
    ["--allow=security.insecure"],
    ["--allow=security.insecure"],
  ],
  [
    "the host's network, and what it wants",
    ["--network=host"],
    ["--allow=network.host", "--opt=force-network-mode=host"],
    ["--network=host"],
  ],
  ["no network", ["--network=none"], ["--opt=force-network-mode=none"], ["--network=none"]],
  [
    "the usual network",
    ["--network=default"],
    ["--opt=force-network-mode=sandbox"],
    ["--network=default"],
  ],
  [
    "caches: a name alone is a registry's",
    [
      "--cache-from=r.example/cache",
      "--cache-from=type=local,src=/c",
      `--cache-from=ref=r.example/c@${digest},type=registry`,
      "--cache-to=r.example/cache:1",
      "--cache-to=mode=max,type=inline",
    ],
    [
      "--import-cache=type=registry,ref=r.example/cache",
      "--import-cache=type=local,src=/c",
      `--import-cache=ref=r.example/c@${digest},type=registry`,
      "--export-cache=type=registry,ref=r.example/cache:1",
      "--export-cache=mode=max,type=inline",
    ],
    [
      "--cache-from=type=registry,ref=r.example/cache",
      "--cache-from=type=local,src=/c",
      `--cache-from=ref=r.example/c@${digest},type=registry`,
      "--cache-to=type=registry,ref=r.example/cache:1",
      "--cache-to=mode=max,type=inline",
    ],
  ],
  [
    "nothing of registries",
    ["--tls-verify=false", "--authfile=/a", "--jobs=2", "--retry=3"],
    [],
    [],
  ],
  ["nothing", [], [], []],
];

describe.each(rows)("%s", (_, flags, buildctl, buildx) => {
  it("as buildctl has it", () => expect(buildctlFlags(flags)).toEqual(buildctl));
  it("as buildx has it", () => expect(buildxFlags(flags)).toEqual(buildx));
});

it.each([
  ["64m", "67108864"],
  ["64M", "67108864"],
  ["64mb", "67108864"],
  ["64MiB", "67108864"],
  ["1.5g", "1610612736"],
  ["512k", "524288"],
  ["100", "100"],
  ["100b", "100"],
  ["1t", "1099511627776"],
  ["nonsense", "nonsense"],
])("--shm-size=%s is %s bytes", (value, bytes) => {
  expect(buildctlFlags(["--shm-size=1g", `--shm-size=${value}`])).toEqual([
    `--opt=shm-size=${bytes}`,
  ]);
});

it.each([
  "--volume=/a:/b",
  "--device=/dev/fuse",
  "--isolation=chroot",
  "--cap-add=ALL",
  "-v=/a:/b",
])("%s is refused", (flag) => {
  const refusal = expect.objectContaining({ code: "usage", exitStatus: 125 });
  expect(() => buildctlFlags([flag])).toThrow(refusal);
  expect(() => buildxFlags([flag])).toThrow(refusal);
});

it("knows what it hands on or leaves out", () => {
  for (const name of knownFlags) expect(() => buildctlFlags([`--${name}=1`])).not.toThrow();
});
