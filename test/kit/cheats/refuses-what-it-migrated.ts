/** Takes settings over into its new version that this one refuses. */
import { z } from "zod";
import honest from "./honest.ts";

export default {
  ...honest,
  name: "refuses-what-it-migrated",
  settings: z.strictObject({ host: z.string().min(1).max(200), department: z.string().min(1).max(100).optional() }),
};
