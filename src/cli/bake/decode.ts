import type { z } from "zod";
import { XbuildError } from "../../errors.ts";
import { isJsonObject, type Json } from "../../oci/oci.ts";
import { limitText, quoteText } from "../../text.ts";
import { type BakePlace, enter, refuseAt } from "./document.ts";
import { renderNumber } from "./template.ts";

/**
 * A block's body as its schema has it. Numbers are handed to the schema as texts, as HCL converts them. Errors:
 * `bake-file-invalid` with a finding for each of the first faults.
 */
export function decodeBody<T>(schema: z.ZodType<T>, body: Json, place: BakePlace): T {
  const result = schema.safeParse(renderNumbers(body, place));
  if (result.success) return result.data;
  const findings = listFaults(result.error.issues)
    .map((fault) => refuseFault(fault, place))
    .sort((a, b) => offsetOf(a) - offsetOf(b));
  const [first] = findings;
  if (first === undefined) throw refuseAt(place, "the block is not valid");
  throw new XbuildError(first.code, first.message, {
    ...(first.hint === undefined ? {} : { hint: first.hint }),
    diagnostics: findings.flatMap((finding) => finding.diagnostics),
  });
}

/** More values in one block are refused: variables could multiply them without end. */
const maxValues = 200_000;

function renderNumbers(
  value: Json,
  place: BakePlace,
  state: { depth: number; count: number } = { depth: 0, count: 0 },
): Json {
  state.count += 1;
  if (state.count > maxValues) throw refuseAt(place, `the block has more than ${maxValues} values`);
  if (typeof value === "number") return renderNumber(value, place);
  // No schema looks deeper; what variables hold may be nested without end.
  if (state.depth > 2 || typeof value !== "object" || value === null) return value;
  state.depth += 1;
  const render = (item: Json, key: PropertyKey): Json =>
    renderNumbers(item, enter(place, key), state);
  const rendered = isJsonObject(value)
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, render(item, key)]))
    : value.map(render);
  state.depth -= 1;
  return rendered;
}

function offsetOf({ diagnostics }: XbuildError): number {
  return diagnostics[0]?.span?.start.offset ?? 0;
}

interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

const maxFindings = 20;

function listFaults(issues: readonly z.core.$ZodIssue[]): readonly Fault[] {
  const faults = issues.flatMap((issue): readonly Fault[] => {
    if (issue.code !== "unrecognized_keys")
      return [{ path: issue.path, message: limitText(issue.message, 200) }];
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: "there is no such key",
    }));
  });
  return faults.slice(0, maxFindings);
}

function refuseFault({ path, message }: Fault, place: BakePlace): XbuildError {
  const key = path.findLast((part) => typeof part === "string");
  const text = key === undefined ? message : `${quoteText(key)}: ${message}`;
  return refuseAt(enter(place, ...path), text);
}
