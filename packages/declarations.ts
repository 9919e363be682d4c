/** The types of a package: the declarations that can be reached from its entries, as tsc makes them. */
import { dirname, join, relative } from "node:path";
import ts from "typescript";

export interface Declarations {
  /**
   * The declarations of a package by their paths in its `dist/`. Fails where its own modules have mistakes, or where its types
   * need a package that is not among `needs`.
   */
  of(folder: string, entries: readonly string[], needs: readonly string[]): Map<string, string>;
}

/** What names another module in a declaration: `from "x"`, `import "x"`, `import("x")`. */
const SPECIFIER = /(\bfrom |\bimport\(|^import )"([^"]+)"/gm;

/** `root`: the source tree's, with its tsconfig.json. `modules`: paths of all entries, which share what they import. */
export function createDeclarations(root: string, modules: readonly string[]): Declarations {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: modules }, ts.sys, root);
  const program = ts.createProgram(modules, {
    ...options,
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: root,
  });

  /** Paths from the root; those of the package's folder come first, others into `types/`. */
  const placeOf = (file: string, folder: string) => {
    const path = relative(folder, file).replace(/\.ts$/, ".d.ts");
    return path.startsWith("..") ? join("types", relative(join(root, "src"), file).replace(/\.ts$/, ".d.ts")) : path;
  };

  const of: Declarations["of"] = (folder, entries, needs) => {
    const found = new Map<string, string>();
    const visit = (file: string) => {
      const place = placeOf(file, folder);
      if (found.has(place)) return;
      const source = program.getSourceFile(file);
      if (source === undefined) throw new Error(`${file} is not there`);
      if (!place.startsWith("types")) refuseMistakes(program, source);
      found.set(place, "");
      const text = declarationOf(program, source).replace(SPECIFIER, (all, before, specifier) => {
        if (!specifier.startsWith(".")) {
          refuseUnknown(specifier, needs, place);
          return all;
        }
        const target = join(dirname(file), specifier);
        visit(target);
        return `${before}"${specifierOf(dirname(place), placeOf(target, folder))}"`;
      });
      found.set(place, text);
    };
    for (const entry of entries) visit(join(folder, entry));
    return found;
  };
  return { of };
}

function declarationOf(program: ts.Program, source: ts.SourceFile): string {
  let text = "";
  const { diagnostics } = program.emit(source, (_, is) => void (text = is), undefined, true);
  fail(diagnostics);
  return text;
}

function refuseMistakes(program: ts.Program, source: ts.SourceFile): void {
  fail([...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]);
}

function fail(diagnostics: readonly ts.Diagnostic[]): void {
  if (diagnostics.length === 0) return;
  const host = { getCanonicalFileName: (name: string) => name, getCurrentDirectory: () => "", getNewLine: () => "\n" };
  throw new Error(ts.formatDiagnostics(diagnostics, host));
}

function refuseUnknown(specifier: string, needs: readonly string[], place: string): void {
  if (specifier.startsWith("node:")) return;
  if (needs.some((name) => specifier === name || specifier.startsWith(`${name}/`))) return;
  throw new Error(`${place} has types of "${specifier}", which is not among the package's dependencies`);
}

function specifierOf(from: string, to: string): string {
  const path = relative(from, to).replace(/\.d\.ts$/, ".js");
  return path.startsWith(".") ? path : `./${path}`;
}
