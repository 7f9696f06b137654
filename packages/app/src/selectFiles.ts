import type { FileStorage } from 'libtorrent-ts'
import { CliError } from './cliError.ts'
import { pathMatcher } from './options/glob.ts'
import { formatBytes } from './output/format.ts'

/** The default of libtorrent. */
export const WANTED_PRIORITY = 4
/** Files named in the error when nothing matches. */
const MAX_LISTED = 20

/**
 * The priority of each file when only those that match one of `patterns` are wanted; null without patterns, for all.
 * Patterns are tried on paths with and without the torrent's own directory.
 * @throws CliError that lists the files when a pattern matches none
 */
export function selectFiles(files: FileStorage, patterns: readonly string[]): number[] | null {
  if (patterns.length === 0) return null
  const priorities = new Array<number>(files.numFiles).fill(0)
  for (const pattern of patterns) {
    const matches = pathMatcher(pattern)
    let found = false
    for (let i = 0; i < files.numFiles; i++) {
      if (files.padFileAt(i) || !isSelected(matches, files.filePath(i), files.name)) continue
      priorities[i] = WANTED_PRIORITY
      found = true
    }
    if (!found) throw new CliError(nothingMatches(files, pattern))
  }
  return priorities
}

function isSelected(matches: (path: string) => boolean, path: string, name: string): boolean {
  if (matches(path)) return true
  return path.startsWith(`${name}/`) && matches(path.slice(name.length + 1))
}

function nothingMatches(files: FileStorage, pattern: string): string {
  const names: string[] = []
  let more = 0
  for (let i = 0; i < files.numFiles; i++) {
    if (files.padFileAt(i)) continue
    if (names.length < MAX_LISTED) names.push(`${files.filePath(i)} (${formatBytes(files.fileSize(i))})`)
    else more++
  }
  const rest = more > 0 ? ` and ${more} more, which lt info lists` : ''
  return `--select ${pattern} matches no file of ${files.name}. It has: ${names.join(', ')}${rest}`
}
