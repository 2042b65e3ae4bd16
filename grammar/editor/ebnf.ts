import { outputFlags } from "../output-tokens.ts";

/** `OUTPUT` as ISO/IEC 14977 has grammars: its flags from the table that the parser goes by, the rest as it stands here. */
export function renderOutputEbnf(): string {
  const flags = Object.entries(outputFlags).map(([name, values]) => renderFlag(name, values));
  const width = Math.max(...flags.map(([text]) => text.length));
  const rows = flags.map(([text, remark], index) => {
    const mark = index === 0 ? "flag        = " : "            | ";
    const shown = index === flags.length - 1 ? `${text} ;` : text;
    return `${mark}${shown.padEnd(width + 2)} (* ${remark} *)`;
  });
  return `${head}${rows.join("\n")}\n\n${words}`;
}

function renderFlag(name: string, values: readonly string[] | undefined): [string, string] {
  if (values === undefined)
    return [`"--${name}=", value`, "a stage, its number or an image; may be repeated"];
  const isSwitch = values.includes("true");
  const text = isSwitch ? `"--${name}", [ "=", value ]` : `"--${name}=", value`;
  return [text, `${values.slice(0, -1).join(", ")} or ${values.at(-1) ?? ""}`];
}

const head = `(* The OUTPUT directive, version 1: ISO/IEC 14977. It is read from an instruction's joined text:
   continuations are joined and comments within them taken out, as for every instruction. *)

output      = keyword, { space, flag }, [ space, "--" ], space, path ;

keyword     = ? the letters OUTPUT in any case ? ;

`;

const words = `path        = word
            | "[", [ blank ], json string, [ blank ], "]" ;

(* Values and paths are expanded with the ARGs and ENVs in scope, the JSON form's string included.
   The expanded path is absolute and not "/", and holds no colon, comma or control character. *)
value       = { part } ;
word        = part, { part } ;
part        = character
            | escape, any character
            | "'", { ? any character but ' ? }, "'"
            | '"', { ? any character but " ? | escape, any character }, '"'
            | variable ;

variable    = "$", name
            | "\${", name, [ modifier ], "}" ;
modifier    = [ ":" ], ( "-" | "+" | "?" ), { part }
            | ( "#" | "##" | "%" | "%%" ), pattern
            | ( "/" | "//" ), pattern, "/", { part } ;
pattern     = { "*" | "?" | part } ;
name        = ( letter | "_" ), { letter | digit | "_" } ;

escape      = "\\" | "\`" ;                          (* what the escape directive says *)
space       = blank, { blank } ;
blank       = " " | ? tab ? ;
character   = ? any but blank, escape, "$" and quotes ? ;
any character = ? any but the end of the line ? ;
letter      = ? A to Z, a to z ? ;
digit       = ? 0 to 9 ? ;
json string = ? RFC 8259, section 7 ? ;
`;
