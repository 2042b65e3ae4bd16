import { XbuildError } from "../../errors.ts";
import { mayBeImageId, parseImageName, splitName } from "../../oci/oci.ts";
import type { Reference, ResolvedStage } from "../model.ts";
import type { Finding, Rule } from "./model.ts";

/** Names of images that no engine can read. What the target does not use no engine looks at. */
export const imageNameRules: readonly Rule[] = [
  {
    code: "image-name-invalid",
    summary: "An image has a name that no image can have",
    check: ({ graph }) =>
      graph.needed.flatMap((index) => {
        const stage = graph.stages[index];
        return stage === undefined ? [] : checkNames(stage);
      }),
  },
];

function checkNames({ stage, base, uses, output }: ResolvedStage): Finding[] {
  const named: (readonly [Reference, Finding["at"]])[] = [
    [base, { instruction: stage.from, part: { kind: "image" } }],
    ...uses.map(({ reference, flag }) => [reference, flag.span] as const),
    ...(output?.from ?? []).map(
      (reference, at) => [reference, output?.fromSpans[at] ?? stage.from] as const,
    ),
  ];
  return named.flatMap(([reference, at]) => {
    const problem = reference.kind === "image" ? findProblem(reference.name) : undefined;
    return problem === undefined ? [] : [{ at, ...problem }];
  });
}

/** What engines read besides names: transports (containers-transports(5)) and image IDs. */
const transport =
  /^[a-z-]+:\/|^(?:containers-storage|dir|docker|oci|ostree|sif|tarball)(?:-[a-z]+)?:/;

/** An empty name is another rule's. */
function findProblem(name: string): Pick<Finding, "message" | "hint"> | undefined {
  if (name === "" || transport.test(name) || mayBeImageId(name)) return undefined;
  try {
    parseImageName(omitTag(name), { allowDigest: true });
    return undefined;
  } catch (error) {
    if (!(error instanceof XbuildError)) throw error;
    return { message: error.message, hint: error.hint ?? "correct the name" };
  }
}

/** A reference may have both; the digest counts. */
function omitTag(name: string): string {
  const { host, path, tag, digest } = splitName(name);
  if (tag === undefined || digest === undefined) return name;
  return `${host === undefined ? "" : `${host}/`}${path}@${digest}`;
}
