import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

/** One name of the library's public entry point. */
export interface PublicName {
  readonly name: string
  /** What a user may write after its dot: members, static members, keys, or the texts of a union of texts. */
  readonly members: ReadonlySet<string>
  /** Doc comment, in one line; empty if there is none. */
  readonly doc: string
  /** Doc comments of its own members. */
  readonly memberDocs: ReadonlyMap<string, string>
}

/**
 * What the library really offers: every export of its entry points, for each in turn, read from the sources by the
 * TypeScript compiler. The name map is built on it, so that it cannot claim what is not there.
 */
export function readPublicApis(
  engineFolder: string,
  entries: readonly string[],
): readonly ReadonlyMap<string, PublicName>[] {
  const configPath = join(engineFolder, 'tsconfig.json')
  const config = ts.getParsedCommandLineOfConfigFile(
    configPath,
    { noEmit: true },
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: (problem) => {
        throw new Error(ts.flattenDiagnosticMessageText(problem.messageText, '\n'))
      },
    },
  )
  if (config === undefined) throw new Error(`cannot read ${configPath}`)
  const program = ts.createProgram([...entries], config.options)
  const checker = program.getTypeChecker()
  const isOurs = (file: ts.SourceFile) =>
    !program.isSourceFileDefaultLibrary(file) && !program.isSourceFileFromExternalLibrary(file)
  return entries.map((entry) => {
    const source = program.getSourceFile(entry)
    const module = source && checker.getSymbolAtLocation(source)
    if (module === undefined) return new Map() // an entry point without exports is not a module
    const names = checker.getExportsOfModule(module).map((symbol) => describe(checker, symbol, isOurs))
    return new Map(names.map((name) => [name.name, name]))
  })
}

function describe(checker: ts.TypeChecker, exported: ts.Symbol, isOurs: (file: ts.SourceFile) => boolean): PublicName {
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
  const members = new Set<string>()
  const memberDocs = new Map<string, string>()
  const add = (type: ts.Type, withForeign = true) => {
    for (const property of checker.getPropertiesOfType(type)) {
      if (isHidden(property) || !(withForeign || isOwn(property, isOurs))) continue
      members.add(property.name)
      const doc = docOf(checker, property)
      if (doc !== '') memberDocs.set(property.name, doc)
    }
  }
  if (symbol.flags & ts.SymbolFlags.Type) {
    const type = checker.getDeclaredTypeOfSymbol(symbol)
    // A union of texts offers its texts, a union of objects what is declared here: not what every array or Map can do.
    for (const part of type.isUnion() ? type.types : [type]) {
      if (part.isStringLiteral()) members.add(part.value)
      else if (part.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) add(part, !type.isUnion())
    }
  }
  if (symbol.flags & ts.SymbolFlags.Value) {
    const type = checker.getTypeOfSymbol(symbol)
    if (type.flags & ts.TypeFlags.Object && type.getCallSignatures().length === 0) add(type)
  }
  return { name: exported.name, members, doc: docOf(checker, symbol), memberDocs }
}

function isOwn(property: ts.Symbol, isOurs: (file: ts.SourceFile) => boolean): boolean {
  return (property.declarations ?? []).some((declaration) => isOurs(declaration.getSourceFile()))
}

function isHidden(property: ts.Symbol): boolean {
  const flags = property.valueDeclaration ? ts.getCombinedModifierFlags(property.valueDeclaration) : 0
  return (flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0 || property.name === 'prototype'
}

function docOf(checker: ts.TypeChecker, symbol: ts.Symbol): string {
  return ts.displayPartsToString(symbol.getDocumentationComment(checker)).replace(/\s+/g, ' ').trim()
}

/** Every text in quotes in the sources of a folder: tells whether a key of a file format is handled there. */
export function textsIn(folder: string): ReadonlySet<string> {
  const texts = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) texts.add(node.text)
    else if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.name)) texts.add(node.name.text)
    else if (ts.isShorthandPropertyAssignment(node)) texts.add(node.name.text)
    ts.forEachChild(node, visit)
  }
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.ts')) continue
    const path = join(folder, name)
    const text = ts.sys.readFile(path) ?? ''
    visit(ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true))
  }
  return texts
}
