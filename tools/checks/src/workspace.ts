import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

export const root = join(import.meta.dirname, "../../..");

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly license?: string;
  readonly type?: string;
  readonly keywords?: readonly string[];
  readonly engines?: { readonly node?: string };
  readonly files?: readonly string[];
  readonly sideEffects?: boolean;
  readonly exports: Readonly<Record<string, string>>;
  readonly publishConfig?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

export interface Source {
  /** Relative to the package's folder, with `/`. */
  readonly path: string;
  readonly text: string;
  /** Tests, and what only tests use: neither is published. */
  readonly isTest: boolean;
}

export interface Package {
  /** Folder name: the package's name without its scope. */
  readonly id: string;
  readonly folder: string;
  readonly manifest: Manifest;
  readonly sources: readonly Source[];
}

const isTest = (path: string) => /\.(test|test-d|bench)\.ts$/.test(path) || path.includes("/testing/");

export const packages: readonly Package[] = readdirSync(join(root, "packages"))
  .filter((id) => existsSync(join(root, "packages", id, "package.json")))
  .map((id) => {
    const folder = join(root, "packages", id);
    const paths = globSync("src/**/*.ts", { cwd: folder }).map((path) => path.replaceAll("\\", "/"));
    return {
      id,
      folder,
      manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest,
      sources: paths
        .sort()
        .map((path) => ({ path, text: readFileSync(join(folder, path), "utf8"), isTest: isTest(path) })),
    };
  });

export interface Import {
  readonly specifier: string;
  /** Resolved while the module loads, unlike `import()`. */
  readonly isStatic: boolean;
}

/** Everything a module names in an import, an export-from, or an `import()`. */
export function importsOf({ path, text }: Source): Import[] {
  const isStatic = new Set<string>();
  for (const statement of ts.createSourceFile(path, text, ts.ScriptTarget.Latest).statements) {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) continue;
    if (statement.moduleSpecifier && ts.isStringLiteral(statement.moduleSpecifier)) {
      isStatic.add(statement.moduleSpecifier.text);
    }
  }
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => ({ specifier: fileName, isStatic: isStatic.has(fileName) }));
}
