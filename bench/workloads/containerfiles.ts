/** Ours: a layer for the directory of each package, in the order of their names. @param flags of OUTPUT. */
export function renderOurs(base: string, flags: readonly string[] = []): string {
  return `FROM ${base}
${["OUTPUT", ...flags, "/layers"].join(" ")}
RUN --mount=type=bind,target=/context /layers/bin/layer each --name '{/}' /context/pkgs/*/.
`;
}

/** The same by a call for each layer, of which each reads its files. */
export function renderAdding(base: string): string {
  return `FROM ${base}
OUTPUT /layers
RUN --mount=type=bind,target=/context \\
    for package in /context/pkgs/*; do \\
        /layers/bin/layer add "\${package##*/}" -C "$package" . || exit 1; \\
    done
`;
}

/** The same files and as many layers, in the peers' way. */
export function renderPeer(base: string, packages: readonly string[]): string {
  return [`FROM ${base}\n`, ...packages.map((name) => `COPY pkgs/${name} /\n`)].join("");
}

/** BuildKit's way: layers that do not stand on each other. */
export function renderLinked(base: string, packages: readonly string[]): string {
  return renderPeer(base, packages).replaceAll("COPY ", "COPY --link ");
}
