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
