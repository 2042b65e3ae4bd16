import { nameUnit, type Planner } from "../model.ts";

/** What a build without layers gives: `FROM scratch` and one `COPY`, or an image squashed. */
export const oneLayer: Planner = {
  name: "one layer",
  about: "the whole image is one layer",
  plan: ({ releases }) => [(releases.at(-1)?.units ?? []).map(nameUnit)],
};
