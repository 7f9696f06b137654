import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { contentPath, sha256OfFile, type TorrentFixture } from './torrentFixture.ts'

export interface ComparisonRules {
  /** Clients that leave out files without a byte. */
  readonly emptyFilesMayBeMissing: boolean
  /** Ours, after a finished download: nothing but the content may lie in the save path. */
  readonly nothingElse: boolean
}

/** Differences between the fixture's files and those below `savePath`, by SHA-256; empty when all is well. */
export function compareContent(fixture: TorrentFixture, savePath: string, rules: ComparisonRules): string[] {
  const differences: string[] = []
  const expected = new Set<string>()
  for (const file of fixture.files) {
    const path = contentPath(fixture, file)
    expected.add(path)
    const actual = sha256OfFile(join(savePath, path))
    if (actual === null) {
      if (file.size > 0 || !rules.emptyFilesMayBeMissing) differences.push(`missing: ${path}`)
    } else if (actual !== sha256OfFile(join(fixture.directory, path))) {
      differences.push(`different: ${path}`)
    }
  }
  if (rules.nothingElse) {
    for (const path of listFiles(savePath)) if (!expected.has(path)) differences.push(`unexpected: ${path}`)
  }
  return differences
}

function listFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
}
