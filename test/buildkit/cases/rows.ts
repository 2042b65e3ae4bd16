import type { Case } from "../case.ts";
import { argumentCases } from "./arguments.ts";
import { configCases } from "./config.ts";
import { contextCases } from "./contexts.ts";
import { copyCases } from "./copies.ts";
import { fileCases } from "./files.ts";
import { packageCases } from "./packages.ts";
import { previousCases } from "./previous.ts";
import { stageCases } from "./stages.ts";
import { stepCases } from "./steps.ts";
import { treeCases } from "./trees.ts";

/** Every row of the table. */
export const rows: readonly Case[] = [
  ...treeCases,
  ...fileCases,
  ...previousCases,
  ...configCases,
  ...argumentCases,
  ...copyCases,
  ...stepCases,
  ...stageCases,
  ...contextCases,
  ...packageCases,
];
