import { posix } from 'node:path'
import type { SaveDirectory } from './saveDirectory.ts'
import type { StoreFs } from './storeFs.ts'

/** Removes the directories that `paths` lie in, below the save path, as far as they are empty. Never fails. */
export function pruneDirectories(fs: StoreFs, directory: SaveDirectory, paths: readonly string[]): void {
  const parents = new Set<string>()
  for (const path of paths) {
    for (let at = posix.dirname(path); at !== '.' && !parents.has(at); at = posix.dirname(at)) parents.add(at)
  }
  // a directory's name is longer than that of the one it lies in
  for (const parent of [...parents].sort((a, b) => b.length - a.length)) {
    try {
      directory.enterParent(parent, false)
      fs.rmdirSync(directory.absolute(parent))
    } catch {
      // not empty, not there, or not ours
    }
  }
  directory.forget()
}
