import { chmod, cp, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { buildOnFreshMachine } from "../support/machines.ts";
import { debianImage, importDebian } from "../support/debian.ts";
import { baseImage, type Sandbox } from "../support/sandbox.ts";
import type { World } from "./case.ts";

/** Whether only those rows are built that each change is tried with. */
export const isFew = process.env["XBUILD_TEST_FEW"] !== undefined;

/** No engine adds this one. */
export const basePath = "/usr/sbin:/usr/bin:/sbin:/bin";

/** GNU's programs that busybox has not, or has in another way. */
const tools = ["tar", "touch", "cp", "setfattr", "setcap"] as const;

/** Makes the bases of the rows and pushes them: what all columns build on is the same digest. */
export async function makeWorld(sandbox: Sandbox, registry: string): Promise<World> {
  const name = (one: string): string => `${registry}/bases/${one}:1`;
  await pushBase(sandbox, name("base"));
  await pushTools(sandbox, { name: name("tools"), base: name("base") });
  await pushBuilt(sandbox, name("triggers"), {
    text: `FROM ${name("base")}
ENV TRIGGERED=yes
ONBUILD RUN echo fired >> /fired
ONBUILD COPY --from=${name("base")} /etc/passwd /fired-too
`,
    // ONBUILD exists in that format alone.
    flags: ["--format=docker"],
  });
  await pushLower(sandbox, name("lower"));
  if (!isFew) await pushDebian(sandbox, name("debian"));
  return {
    registry,
    base: name("base"),
    tools: name("tools"),
    triggers: name("triggers"),
    lower: name("lower"),
    debian: name("debian"),
    other: await makeOther(sandbox),
  };
}

/**
 * The sandbox's base without what buildah's own RUN has left in it: empty files that it mounts others over, and /run. A
 * base that has such files is a row of its own.
 */
async function pushBase(sandbox: Sandbox, name: string): Promise<void> {
  const { context } = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}
OUTPUT /layers
RUN /layers/bin/layer add busybox /bin /etc/passwd /etc/group /tmp
ENV PATH=${basePath}
`,
  });
  await buildOnFreshMachine(sandbox, context, ["--engine=buildah", "-t", name, "--push"]);
}

async function push(sandbox: Sandbox, from: string, to: string): Promise<void> {
  const words = ["--quiet", "--dest-tls-verify=false"];
  await sandbox.exec("skopeo", "copy", ...words, `containers-storage:${from}`, `docker://${to}`);
}

interface Named {
  readonly name: string;
  readonly base: string;
}

interface Build {
  readonly text: string;
  readonly flags?: readonly string[];
  readonly context?: string;
}

async function pushBuilt(sandbox: Sandbox, name: string, build: Build): Promise<void> {
  const context = build.context ?? (await mkdtemp(join(sandbox.directory, "base-")));
  await writeFile(join(context, "Containerfile"), build.text);
  const local = "localhost/made:latest";
  const flags = ["--quiet", "--layers", "--tls-verify=false", ...(build.flags ?? [])];
  await sandbox.exec("buildah", "build", ...flags, "-t", local, context);
  await push(sandbox, local, name);
  // The rows pull what they need: no column has an image of another one's making.
  await sandbox.exec("buildah", "rmi", local);
}

async function pushTools(sandbox: Sandbox, { name, base }: Named): Promise<void> {
  const context = await mkdtemp(join(sandbox.directory, "tools-"));
  const root = join(context, "root");
  await mkdir(join(root, "usr", "local", "bin"), { recursive: true });
  for (const tool of tools) {
    const { stdout } = await execa("sh", ["-c", `command -v ${tool}`]);
    await cp(stdout, join(root, "usr/local/bin", tool), { dereference: true });
    for (const library of await listLibraries(stdout)) {
      await mkdir(dirname(join(root, library)), { recursive: true });
      await cp(library, join(root, library), { dereference: true });
    }
  }
  const text = `FROM ${base}\nCOPY root /\nENV PATH=/usr/local/bin:/bin\nCMD ["tools"]\n`;
  await pushBuilt(sandbox, name, { context, text });
}

async function listLibraries(program: string): Promise<readonly string[]> {
  const { stdout } = await execa("ldd", [program]);
  return [...stdout.matchAll(/(?:=> |^\s+)(\/\S+)/gm)].map(([, path = ""]) => path);
}

/** An image of layers with names, which only xbuild makes. */
async function pushLower(sandbox: Sandbox, name: string): Promise<void> {
  const { context } = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}
OUTPUT /layers
RUN for name in lower-one lower-two; do echo $name > /$name && /layers/bin/layer add $name /$name; done
RUN /layers/bin/layer add lower-busybox /bin /etc/passwd /etc/group /tmp
ENV LOWER=1
CMD ["lower"]
`,
  });
  await buildOnFreshMachine(sandbox, context, ["--engine=buildah", "-t", name, "--push"]);
}

/** Real packages: they take a minute to be unpacked, and the network where they are not in `.cache/` yet. */
async function pushDebian(sandbox: Sandbox, name: string): Promise<void> {
  await importDebian(sandbox);
  await push(sandbox, debianImage, name);
}

async function makeOther(sandbox: Sandbox): Promise<string> {
  const other = join(sandbox.directory, "other");
  await mkdir(join(other, "named", "sub"), { recursive: true });
  await writeFile(join(other, "secret"), "a secret\n");
  await writeFile(join(other, "named", "a"), "named a\n");
  await writeFile(join(other, "named", "sub", "b"), "named b\n");
  await chmod(join(other, "named", "sub", "b"), 0o640);
  return other;
}
