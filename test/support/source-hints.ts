import { parseAst } from "vitest/node";

/** A hint as it stands in a source: the fixed text at its beginning and at its end, `undefined` where a value is. */
export interface SourceHint {
  readonly start: string | undefined;
  readonly end: string | undefined;
}

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}

/**
 * Every hint in TypeScript sources: what is called `hint` or ends in `Hint` or `hints` (a member, a variable, a
 * table), and what is handed to a parameter of that name. A name that stands for a text is followed.
 */
export function findHints(sources: readonly string[]): readonly SourceHint[] {
  const trees = sources.map((source) => listNodes(parseAst(source, { lang: "ts" })));
  const places = new Map(trees.flatMap((nodes) => findParameters(nodes)));
  return trees.flatMap((nodes) => {
    const constants = new Map(nodes.flatMap((node) => readVariable(node)));
    const own = new Map([...places, ...findParameters(nodes)]);
    return nodes
      .flatMap((node) => findExpressions(node, own))
      .flatMap((expression) => readTexts(expression, constants));
  });
}

function listNodes(root: unknown): readonly Node[] {
  if (Array.isArray(root)) return root.flatMap(listNodes);
  if (!isNode(root)) return [];
  return [root, ...Object.values(root).flatMap(listNodes)];
}

const hintName = /^hints?$|Hints?$/;

function nameOf(node: unknown): string {
  if (!isNode(node)) return "";
  if (node.type === "Identifier") return String(node["name"]);
  return node.type === "Literal" ? String(node["value"]) : nameOf(node["left"]);
}

/** Functions that take a hint: name, and which parameter it is. */
function findParameters(nodes: readonly Node[]): readonly (readonly [string, number])[] {
  return nodes.flatMap((node) => {
    const init = node.type === "VariableDeclarator" ? node["init"] : node;
    const parameters: unknown = isNode(init) ? init["params"] : undefined;
    if (!Array.isArray(parameters)) return [];
    const at = parameters.findIndex((one) => hintName.test(nameOf(one)));
    const name = nameOf(node["id"]);
    return at === -1 || name === "" ? [] : [[name, at] as const];
  });
}

function readVariable(node: Node): readonly (readonly [string, unknown])[] {
  return node.type === "VariableDeclarator" ? [[nameOf(node["id"]), node["init"]]] : [];
}

function findExpressions(node: Node, places: ReadonlyMap<string, number>): readonly unknown[] {
  if (node.type === "Property" && hintName.test(nameOf(node["key"]))) return [node["value"]];
  if (node.type === "VariableDeclarator" && hintName.test(nameOf(node["id"])))
    return [node["init"]];
  const place = node.type === "CallExpression" ? places.get(nameOf(node["callee"])) : undefined;
  const given: unknown = node["arguments"];
  return place === undefined || !Array.isArray(given) ? [] : [given[place]];
}

function readTexts(node: unknown, constants: ReadonlyMap<string, unknown>): readonly SourceHint[] {
  if (!isNode(node)) return [];
  const read = (...parts: readonly unknown[]): readonly SourceHint[] =>
    parts.flatMap((part) => readTexts(part, constants));
  switch (node.type) {
    case "Literal":
      return typeof node["value"] === "string"
        ? [{ start: node["value"], end: node["value"] }]
        : [];
    case "TemplateLiteral":
      return [readTemplate(node)];
    case "ConditionalExpression":
      return read(node["consequent"], node["alternate"]);
    case "LogicalExpression":
      return read(node["left"], node["right"]);
    case "ObjectExpression":
      return listNodes(node["properties"]).flatMap((one) =>
        one.type === "Property" ? read(one["value"]) : [],
      );
    case "TSAsExpression":
      return read(node["expression"]);
    case "Identifier":
      return hintName.test(nameOf(node)) ? [] : read(constants.get(nameOf(node)));
    default:
      return [];
  }
}

function readTemplate(node: Node): SourceHint {
  const texts = listNodes(node["quasis"]).map(({ value }) =>
    typeof value === "object" && value !== null && "cooked" in value ? String(value.cooked) : "",
  );
  return { start: texts.at(0) || undefined, end: texts.at(-1) || undefined };
}
