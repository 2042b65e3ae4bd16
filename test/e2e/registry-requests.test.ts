import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, test } from "vitest";
import { buildOnFreshMachine } from "../support/machines.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus, runXbuild } from "../support/xbuild.ts";

const sandbox = useSandbox();
const service = useRegistry({ auth: "basic" });
const count = Number(process.env["N"] ?? 12);
let context: string;

beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy);
  context = join(sandbox.directory, "parts");
  await mkdir(context);
  await writeFile(
    join(context, "Containerfile.x"),
    `FROM ${baseImage}\nOUTPUT /layers\nRUN --mount=type=bind,target=/context /layers/bin/layer each --name '{/}' /context/p*/.\nCMD ["/bin/true"]\n`,
  );
  for (let at = 1; at <= count; at += 1) {
    await mkdir(join(context, `p${at}`));
    await writeFile(join(context, `p${at}`, `file${at}`), `${at}\n`);
  }
});

function show(title: string, ms: number): void {
  const kinds = new Map<string, number>();
  for (const { method, path, status, authorized } of service.proxy.requests) {
    const kind = `${method} ${path.replace(/sha256(:|%3A)[0-9a-f]{64}/g, "DIGEST").replace(/uploads\/[0-9a-f-]{36}.*/, "uploads/ID")} ${status} ${authorized}`;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  process.stderr.write(`== ${title} ${Math.round(ms)} ms, ${service.proxy.requests.length} requests\n`);
  for (const [kind, n] of kinds) process.stderr.write(`   ${n} ${kind}\n`);
  service.proxy.reset();
}

async function timed(title: string, action: () => Promise<unknown>): Promise<void> {
  service.proxy.reset();
  const start = performance.now();
  await action();
  show(title, performance.now() - start);
}

test("requests", async () => {
  const name = `${service.proxy.host}/team/app:1`;
  const store = join(sandbox.directory, "store-a");
  const args = ["-t", name, "--push", "--no-load"];
  const build = (more: readonly string[] = args, at: string | undefined = store) =>
    buildOnFreshMachine(sandbox, context, more, at ? { store: at } : {});
  await timed("first", () => build());
  await timed("nothing", () => build());
  await timed("nothing, another tag", () => build(["-t", `${service.proxy.host}/team/app:2`, "--push", "--no-load"]));
  await timed("nothing, another repo", () => build(["-t", `${service.proxy.host}/team/app2:2`, "--push", "--no-load"]));
  await writeFile(join(context, "p5", "file5"), "changed\n");
  await timed("one changed", () => build());
  await timed("adopt on fresh", () => build(args, join(sandbox.directory, "store-b")));
  await writeFile(join(context, "p5", "file5"), "changed again\n");
  await timed("changed on fresh", () => build(args, join(sandbox.directory, "store-c")));
  await writeFile(join(context, "p5", "file5"), "changed 3\n");
  await timed("cache-from on fresh, other repo", () => build(["--cache-from", name, "-t", `${service.proxy.host}/team/other:1`, "--push", "--no-load"], join(sandbox.directory, "store-d")));
  // rebase
  const base1 = `${service.proxy.host}/base:1`;
  const base2 = `${service.proxy.host}/base:2`;
  for (const [n, b] of [["1", base1], ["2", base2]] as const) {
    const c = join(sandbox.directory, `base${n}`);
    await mkdir(c);
    await writeFile(join(c, "Containerfile.x"), `FROM ${baseImage}\nOUTPUT /layers\nRUN mkdir -p /m/b && echo ${n} > /m/b/${n} && /layers/bin/layer add base -C /m b\n`);
    const env = { XBUILD_STORE: join(sandbox.directory, `store-base`) };
    assertStatus(await runXbuild(sandbox, ["-t", b, "--push", "--no-load", c], { env }), 0);
  }
  await writeFile(join(context, "Containerfile.y"), `FROM ${baseImage} AS x\nOUTPUT --from=${base1} /layers\nRUN --mount=type=bind,target=/context /layers/bin/layer each --name '{/}' /context/p*/.\nCMD ["/bin/true"]\n`);
  const app = `${service.proxy.host}/team/rebased:1`;
  await timed("app on base", () => build(["-f", join(context, "Containerfile.y"), "-t", app, "--push", "--no-load"]));
  const env = { XBUILD_STORE: join(sandbox.directory, `store-r`) };
  await timed("rebase", async () => { const r = await runXbuild(sandbox, ["rebase", `docker://${app}`, "--onto", `docker://${base2}`, "-t", `${service.proxy.host}/team/rebased:2`], { env }); assertStatus(r, 0); process.stderr.write(r.stderr); });
  await timed("rebase in place", async () => assertStatus(await runXbuild(sandbox, ["rebase", `docker://${app}`, "--onto", `docker://${base2}`], { env }), 0));
  await timed("rebase done", async () => assertStatus(await runXbuild(sandbox, ["rebase", `docker://${app}`, "--onto", `docker://${base2}`], { env }), 0));
}, 300_000);
