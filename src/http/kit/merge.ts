/** Changes of settings that are kept by name: absent names stay as they are, null removes one. */
import { z } from "zod";

/** The envelope of such a change, of the envelope of the settings. */
export function mergeable<Shape extends z.ZodRawShape>(envelope: z.ZodObject<Shape>): z.ZodObject {
  return z.strictObject(
    Object.fromEntries(Object.entries(envelope.shape).map(([name, value]) => [name, (value as z.ZodType).nullable()])),
  );
}

/** `changes` laid over `current`, without the names that are null in it. */
export function merge<Settings extends object>(
  current: Settings,
  changes: { readonly [name: string]: unknown },
): Settings {
  return Object.fromEntries(
    Object.entries({ ...current, ...changes }).filter(([, value]) => value !== null && value !== undefined),
  ) as Settings;
}
