import { z } from "zod";

/** What a client and BuildKit tell a frontend. BuildKit, `frontend/gateway/gateway.go` */
export interface FrontendOptions {
  /** As the client gave them: `target`, `build-arg:NAME`, `context:NAME`, `platform`, ... */
  readonly given: ReadonlyMap<string, string>;
  /** Of the client that called: what it sends is asked for by it. */
  readonly session: string;
  /** `os/arch[/variant]` of the machine that builds. */
  readonly buildPlatform: string;
}

const prefix = "BUILDKIT_FRONTEND_OPT_";

const workersSchema = z.array(
  z.object({
    Platforms: z
      .array(z.object({ architecture: z.string(), os: z.string(), variant: z.string().optional() }))
      .nullish(),
  }),
);

/** Errors: what zod says of a `BUILDKIT_WORKERS` that is none. */
export function readOptions(env: Readonly<Record<string, string | undefined>>): FrontendOptions {
  const given = Object.entries(env).flatMap(([name, value]): readonly [string, string][] => {
    if (!name.startsWith(prefix) || value === undefined) return [];
    const at = value.indexOf("=");
    return at < 0 ? [] : [[value.slice(0, at), value.slice(at + 1)]];
  });
  const workers = workersSchema.parse(JSON.parse(env["BUILDKIT_WORKERS"] ?? "[]"));
  const [platform] = workers[0]?.Platforms ?? [];
  const words = platform === undefined ? [] : [platform.os, platform.architecture];
  const variant = platform?.variant ?? "";
  return {
    given: new Map(given),
    session: env["BUILDKIT_SESSION_ID"] ?? "",
    buildPlatform:
      words.length === 0
        ? `linux/${architectures[process.arch] ?? process.arch}`
        : [...words, ...(variant === "" ? [] : [variant])].join("/"),
  };
}

const architectures: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** Those whose names begin so, without that. */
export function listPrefixed(
  { given }: Pick<FrontendOptions, "given">,
  start: string,
): ReadonlyMap<string, string> {
  return new Map(
    [...given].flatMap(([name, value]) =>
      name.startsWith(start) ? [[name.slice(start.length), value] as const] : [],
    ),
  );
}
