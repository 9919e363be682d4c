/**
 * Shortens starts on Node: what it would find out again for each import is answered here.
 *
 * For every import of a package, and every file of one, Node copies the package's `package.json` out of its cache. That of
 * `drizzle-orm` has 179 kB, as it names each of its files several times, and the hub imports it some 150 times: two
 * thirds of a start. Deno has no such cost, and does not load this file.
 */
import { registerHooks } from "node:module";

type Resolved = ReturnType<Parameters<NonNullable<Parameters<typeof registerHooks>[0]["resolve"]>>[2]>;

const LARGE = "drizzle-orm";
const INSIDE = `/node_modules/${LARGE}/`;

/** By what the package's users import. */
const known = new Map<string, Resolved>();

registerHooks({
  resolve(specifier, context, next) {
    if (context.parentURL === undefined || !context.conditions.includes("import")) return next(specifier, context);
    if (/^\.\.?\//.test(specifier)) {
      const url = new URL(specifier, context.parentURL).href;
      if (url.endsWith(".ts")) return { url, format: "module-typescript", shortCircuit: true };
      if (url.endsWith(".js") && url.includes(INSIDE)) return { url, format: "module", shortCircuit: true };
      return next(specifier, context);
    }
    if (specifier !== LARGE && !specifier.startsWith(`${LARGE}/`)) return next(specifier, context);
    const found = known.get(specifier) ?? { ...next(specifier, context), shortCircuit: true };
    known.set(specifier, found);
    return found;
  },
});
