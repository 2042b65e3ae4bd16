import { usageError } from "../line/arguments.ts";

/** With another mapping of user IDs, trees that the steps wrote have other owners for us. */
export const ownerHints: Readonly<Record<string, string>> = Object.fromEntries(
  ["userns", "userns-gid-map", "userns-gid-map-group", "userns-uid-map", "userns-uid-map-user"].map(
    (flag) => [flag, "leave it out: the owners in the layers would be those of this machine"],
  ),
);

/** What after `--` would break our calls of the engine, or would be undone by them. */
const hints: Readonly<Record<string, string>> = {
  tag: "give -t before --",
  iidfile: "give --iidfile before --",
  output: "give -o before --",
  file: "give -f before --",
  target: "give --target before --",
  format: "give --format before --",
  platform: "give --platform before --",
  squash: "leave it out: the build decides which layers there are",
  "squash-all": "leave it out: the build decides which layers there are",
  layers: "leave it out: xbuild decides what is cached",
  rm: "leave it out: xbuild keeps no containers",
  manifest: "give --manifest before --",
  "all-platforms": "give --all-platforms before --",
  "skip-unused-stages": "leave it out: xbuild decides which stages run",
  timestamp: "give --timestamp before --",
  "identity-label": "leave it out: images of xbuild never have it",
  logfile: "redirect the output instead",
  env: "write an ENV instruction after OUTPUT",
  unsetenv: "leave it out: what is set before OUTPUT is in no image",
  "build-arg": "give --build-arg before --",
  "build-arg-file": "give --build-arg-file before --",
  "build-context": "give --build-context before --",
  ignorefile: "give --ignorefile before --",
  from: "name the image in FROM",
  arch: "give --platform before --",
  os: "give --platform before --",
  variant: "give --platform before --",
  ...ownerHints,
};

const shortNames: Readonly<Record<string, string>> = { t: "tag", o: "output", f: "file" };

/** @throws XbuildError `usage` for words that cannot be handed to the calls of a build with OUTPUT. */
export function assertEngineWords(words: readonly string[]): void {
  for (const word of words) {
    // Short flags without a value may stand before another one: -qt.
    const groups = /^(?:--(?<long>[a-z0-9-]+)|-[qDh]*(?<short>[a-zA-Z]))/.exec(word)?.groups;
    const name = groups?.["long"] ?? shortNames[groups?.["short"] ?? ""];
    const hint = name === undefined ? undefined : hints[name];
    if (hint !== undefined)
      throw usageError(
        `${word} cannot be given after --: it would interfere with how xbuild calls the engine`,
        hint,
      );
  }
}
