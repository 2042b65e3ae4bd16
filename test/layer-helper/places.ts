import type { JoinedHelper } from "../../scripts/join-helper.mjs";

/**
 * What shells and awks say of a line of the joined helper, with the part's file and line instead:
 * `layer: 812: x: parameter not set` (dash), `layer: line 812: ...` (bash, busybox), `awk: 12: ...` (mawk),
 * `awk: cmd. line:12: ...` (gawk, busybox). Lines of awk count from its program's first quote.
 */
export function placeErrors(stderr: string, helper: JoinedHelper): string {
  return stderr
    .replace(/^\S[^\n:]*layer: (?:line )?(\d+):/gm, (said, line: string) =>
      placeLine(helper, Number(line), said),
    )
    .replace(/^[^\n: ]*awk: (?:cmd\. line:|line )?(\d+):?/gm, (said, line: string) =>
      placeLine(helper, startOf(helper, stderr) + Number(line), said),
    );
}

/** The lines before the awk program that failed; the helper's own message tells which of the two. */
function startOf(helper: JoinedHelper, stderr: string): number {
  const program = stderr.includes("cannot compare the layers") ? "decide" : "plan";
  return helper.text.split("\n").indexOf(`${program}_program='`);
}

function placeLine(helper: JoinedHelper, line: number, said: string): string {
  const place = helper.places[line - 1];
  return place === undefined ? said : `${place.file}:${String(place.line)}:`;
}
