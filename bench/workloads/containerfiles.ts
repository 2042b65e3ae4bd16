/** Ours: a layer for the directory of each package, in the order of their names. @param flags of OUTPUT. */
export function renderOurs(base: string, flags: readonly string[] = []): string {
  return `FROM ${base}
${["OUTPUT", ...flags, "/layers"].join(" ")}
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
