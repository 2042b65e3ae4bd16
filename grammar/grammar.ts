export { type ArgumentProblem, readArguments, readKeyValues, splitWords } from "./arguments.ts";
export { splitCommand } from "./command.ts";
export { readContainerfile } from "./containerfile.ts";
export { readJsonForm } from "./json-form.ts";
export type { InstructionSyntax, SyntaxProblem } from "./model.ts";
export { type OutputPart, outputFlags, readOutputSyntax } from "./output.ts";
export { decodeBytes, encodeBytes, skipSpaces, skipSpacesBack } from "./text.ts";
export { WordError } from "./word-reader.ts";
export { readWords } from "./words.ts";
