import type { Containerfile, Instruction, SourceText } from "../containerfile/containerfile.ts";
import type { Span } from "../diagnostics.ts";

/** A replacement of a stretch of the source. */
export interface Edit {
  readonly span: Span;
  readonly text: SourceText;
}

/** Stretches of a source by their offsets. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** A stretch of the source with those edits that lie within it. */
export function applyEdits(
  source: SourceText,
  { start, end }: Stretch,
  edits: readonly Edit[],
): SourceText {
  const parts: string[] = [];
  let position = start;
  const inside = edits.filter(
    (edit) => edit.span.start.offset >= start && edit.span.end.offset <= end,
  );
  for (const edit of [...inside].sort((a, b) => a.span.start.offset - b.span.start.offset)) {
    parts.push(source.slice(position, edit.span.start.offset), edit.text);
    position = edit.span.end.offset;
  }
  return [...parts, source.slice(position, end)].join("");
}

export interface Cut {
  /** Where they are within what is blanked, they are not made. */
  readonly edits: readonly Edit[];
  readonly blanks: readonly Edit[];
}

/** The source up to an offset, its last line ended. */
export function cutText(
  { source }: Pick<Containerfile, "source">,
  end: number,
  { edits, blanks }: Cut,
): SourceText {
  const text = applyEdits(source, { start: 0, end }, [...blanks, ...omitWithin(edits, blanks)]);
  return text.endsWith("\n") || text === "" ? text : `${text}\n`;
}

/** Those edits that do not lie within one of the others. */
export function omitWithin(edits: readonly Edit[], others: readonly Edit[]): readonly Edit[] {
  return edits.filter(({ span }) => !others.some((other) => isWithin(span, other.span)));
}

function isWithin({ start, end }: Span, other: Span): boolean {
  return start.offset >= other.start.offset && end.offset <= other.end.offset;
}

/** The whole file without its OUTPUT instructions and what follows them, for a target that uses none of them. */
export function omitOutputs(containerfile: Containerfile): SourceText {
  const { source, stages } = containerfile;
  const edits = blankOutputs(containerfile, stages.length);
  return applyEdits(source, { start: 0, end: source.length }, edits);
}

/**
 * An OUTPUT, and what follows it in its stage, is blanked, line breaks kept, so that line numbers in an engine's
 * messages still hold. @param before the first stage that stays as it is
 */
export function blankOutputs(containerfile: Containerfile, before: number): readonly Edit[] {
  return containerfile.stages
    .filter((stage) => stage.index < before)
    .flatMap((stage) => {
      const from = stage.output?.span.start.offset ?? Number.POSITIVE_INFINITY;
      return stage.instructions
        .filter((one) => one.span.start.offset >= from)
        .map((one) => blank(containerfile, one));
    });
}

/** Nothing in the place of an instruction but its line breaks. */
export function blank(containerfile: Containerfile, instruction: Instruction): Edit {
  const { start, end } = instruction.span;
  const text = containerfile.source.slice(start.offset, end.offset);
  return { span: instruction.span, text: text.replace(/[^\r\n]+/g, "") };
}
