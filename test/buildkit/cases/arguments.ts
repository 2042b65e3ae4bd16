import { tell, type Case } from "../case.ts";
import { basePath } from "../world.ts";

// Arguments, variables, triggers, and the words of the file itself.

export const argumentCases: readonly Case[] = [
  {
    name: "triggers of the base fire, and those of the file never",
    few: ["epoch"],
    files: ({ triggers }) => `FROM ${triggers}
ONBUILD RUN echo never >> /fired
OUTPUT --inherit-config /layers
${tell("$(cat /fired)", "$(cat /fired-too)", "$TRIGGERED")}`,
    layers: ["told"],
    container: {
      Env: [`PATH=${basePath}`, "TRIGGERED=yes"],
      OnBuild: ["RUN echo never >> /fired"],
    },
  },
  {
    name: "arguments of every scope",
    few: ["epoch"],
    files: ({ base }) => `ARG GLOBAL=global
ARG UNDECLARED=not-seen
FROM ${base}
ARG GLOBAL
ARG PLAIN=plain
ARG QUOTED="two words \\$HOME \\"q\\" 'single' back\\\\slash"
ARG DERIVED=\${PLAIN}-\${GLOBAL}
ARG NONE
ARG GIVEN=default
ARG EMPTY=default
ARG TARGETARCH
ARG TARGETPLATFORM
ARG BUILDPLATFORM
ARG SHADOWED=argument
ENV SHADOWED=variable
ENV VARIABLE=\${DERIVED}
OUTPUT /layers
ARG LATER=later-\${PLAIN}
ARG PLAIN=anew
${tell("$GLOBAL", "$UNDECLARED.", "$PLAIN", "$QUOTED", "$DERIVED", "${NONE-unset}", "$GIVEN", "[$EMPTY]", "$TARGETARCH", "$TARGETPLATFORM", "$BUILDPLATFORM", "$SHADOWED", "$VARIABLE", "$LATER", "${SOURCE_DATE_EPOCH-unset}")}LABEL given=\${GIVEN} later=\${LATER}
`,
    args: () => ["--build-arg", 'GIVEN=given = "q" $x', "--build-arg", "EMPTY="],
    layers: ["told"],
    container: { Labels: { given: 'given = "q" $x', later: "later-plain" } },
  },
  {
    name: "OUTPUT's own words are expanded",
    files: ({ base }) => `FROM ${base}
ARG NAME=layers KIND
ENV DIRECTORY=/a
OUTPUT --compression=\${KIND:-none} "\${DIRECTORY}/\${NAME%s}"
RUN /a/layer/bin/layer add passwd /etc/passwd
`,
    layers: ["passwd"],
  },
  {
    name: "escape directive, CRLF, comments and words that are no directive",
    files: ({ base }) =>
      [
        "# escape=`",
        `FROM ${base}`,
        "# OUTPUT /nowhere",
        'ENV TEXT="OUTPUT /nowhere"',
        "RUN true && `",
        "  # a comment inside",
        "  echo OUTPUT /nowhere > /text",
        'RUN ["/bin/echo", "OUTPUT /nowhere"]',
        "output `",
        "  --input=none `",
        "  /layers",
        "RUN /layers/bin/layer add text /text",
        "",
      ].join("\r\n"),
    layers: ["text"],
  },
];
