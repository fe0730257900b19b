/**
 * The child programs of the tests (test/support/programs/) are TypeScript, which Node 20 does not run. This compiles
 * them, with all that they import, into a cache below node_modules, so that packages are found from there. The name of
 * the cache folder is a hash of the sources: a stale program can never run.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const project = path.resolve(fileURLToPath(import.meta.url), '../../..');
const cacheDir = path.join(project, 'node_modules/.cache/amberfs-test-programs');
const sourceDirs = ['src', 'test/posix', 'test/support', 'test/unit/vfs'];

function sources(): string[] {
  return sourceDirs.flatMap((dir) =>
    fs
      .readdirSync(path.join(project, dir), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .sort()
      .map((name) => path.join(dir, name)),
  );
}

function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256').update(ts.version);
  for (const file of files)
    hash
      .update(file)
      .update('\0')
      .update(fs.readFileSync(path.join(project, file)));
  return hash.digest('hex').slice(0, 16);
}

function compileInto(dir: string, files: readonly string[]): void {
  for (const file of files) {
    const { outputText } = ts.transpileModule(fs.readFileSync(path.join(project, file), 'utf8'), {
      fileName: file,
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
        inlineSourceMap: true,
      },
    });
    const target = path.join(dir, file.replace(/\.ts$/, '.js'));
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, outputText);
  }
  fs.writeFileSync(path.join(dir, 'package.json'), '{"type":"module"}\n');
}

/** Compiles what has changed and returns the path of a program, by its name without an ending. */
export function compiledProgram(name: string): string {
  const files = sources();
  const dir = path.join(cacheDir, hashOf(files));
  if (!fs.existsSync(dir)) {
    // Several test processes may get here at once: each fills a folder of its own, and the first rename wins.
    fs.mkdirSync(cacheDir, { recursive: true });
    const own = fs.mkdtempSync(path.join(cacheDir, 'new-'));
    compileInto(own, files);
    try {
      fs.renameSync(own, dir);
    } catch (error) {
      fs.rmSync(own, { recursive: true });
      if (!fs.existsSync(dir)) throw error;
    }
  }
  return path.join(dir, 'test/support/programs', `${name}.js`);
}
