// A lint rule: a pattern takes time that grows with the text, and no faster. What registries, engines and builds
// say is matched against patterns; one that backtracks lets them stop us for hours (CWE-1333).
import { checkSync } from "recheck";
import scslre from "scslre";

/** Bounded by steps: a bound of time would give another verdict on a machine that is busy. */
const untimed = {
  timeout: null,
  attackTimeout: null,
  incubationTimeout: null,
  seedingTimeout: null,
};

/**
 * Why matching against a pattern can take more than linear time; undefined where it cannot. Two analyses, for each
 * sees what the other does not: recheck that `digest .*match` begins again at each "digest ", scslre that a pattern
 * that always matches somewhere may still look to the end of the text at each place.
 */
export function explainPattern(source, flags) {
  const { reports } = scslre.analyse({ source, flags }, { assumeRejectingSuffix: false });
  // A sticky pattern begins at one place alone.
  const report = reports.find(({ type }) => type !== "Move" || !flags.includes("y"));
  if (report !== undefined)
    return `it backtracks over a text of many ${JSON.stringify(report.character.pick)}`;
  const { status, complexity } = checkSync(source, flags, untimed);
  if (status === "safe") return undefined;
  return complexity === undefined ? "it cannot be analysed" : `it is ${complexity.summary}`;
}

export const linearPatterns = {
  create: (context) => {
    const check = (node, source, flags) => {
      const reason = explainPattern(source, flags);
      if (reason === undefined) return;
      const message = `This pattern takes more than linear time: ${reason}. Write it without, or search by hand.`;
      context.report({ node, message });
    };
    const checkCall = (node) => {
      if (node.callee.type !== "Identifier" || node.callee.name !== "RegExp") return;
      const [source, flags] = node.arguments.map(readText);
      if (source !== undefined) return check(node, source, flags ?? "");
      const message = "A pattern that is put together cannot be checked: write it as a literal.";
      context.report({ node, message });
    };
    return {
      Literal: (node) => node.regex && check(node, node.regex.pattern, node.regex.flags),
      NewExpression: checkCall,
      CallExpression: checkCall,
    };
  },
};

/** The value of a text that is written out; undefined for any other expression. */
function readText(node) {
  if (node.type === "Literal" && typeof node.value === "string") return node.value;
  if (node.type !== "TemplateLiteral" || node.expressions.length > 0) return undefined;
  return node.quasis[0]?.value.cooked;
}
