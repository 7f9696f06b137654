import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

export const BENCH_OUTPUT = fileURLToPath(new URL('../../.bench/', import.meta.url))

const BUILD_DIRECTORY = join(BENCH_OUTPUT, 'build')

/**
 * Turns TypeScript files into JavaScript side by side in .bench/build and returns the path of the first, so that measured
 * processes run under plain Node, without a loader's time and memory.
 */
export function buildProgram(...sources: readonly [URL, ...URL[]]): string {
  mkdirSync(BUILD_DIRECTORY, { recursive: true })
  writeFileSync(join(BUILD_DIRECTORY, 'package.json'), '{ "type": "module" }\n')
  const outputs = sources.map((source) => {
    const { outputText } = ts.transpileModule(readFileSync(source, 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    })
    const path = join(BUILD_DIRECTORY, basename(fileURLToPath(source)).replace(/\.ts$/, '.js'))
    writeFileSync(path, outputText)
    return path
  })
  return outputs[0] ?? ''
}
