import { utf8 } from '../util/bytes.ts'
import type { FileIndex } from '../util/flavored.ts'
import { collisionKey } from './collisionKey.ts'
import type { FileStorage } from './fileStorage.ts'

/** Longest name file systems take, bytes of UTF-8. */
const MAX_NAME_BYTES = 255

/** What has a name in a directory. Pad files are never on disk, so that any number of them may share one. */
type Holder = 'directory' | 'file' | 'pad'
type Names = Map<string, Holder>

/**
 * New paths for the files of `files` whose path is taken, by a file before them or by a directory, on any file
 * system (see `collisionKey`). `dir/name.ext` becomes `dir/name.1.ext`, `.2` and so on (libtorrent's
 * `resolve_duplicate_filenames`). Pad files may share a path.
 * Null when more than `limit` tries would be needed: nobody makes such a torrent in good faith.
 *
 * All files must lie below the torrent's root directory, as those of a torrent just read do.
 */
export function resolveDuplicateNames(files: FileStorage, limit: number): Map<FileIndex, string> | null {
  const renamed = new Map<FileIndex, string>()
  if (files.numFiles < 2) return renamed

  const namesIn = directoryNames(files.paths)
  let tries = 0
  for (let i = 0; i < files.numFiles; i++) {
    const names = namesIn[files.pathIndex(i)]
    const holder: Holder = files.padFileAt(i) ? 'pad' : 'file'
    const name = files.fileName(i)
    const key = collisionKey(name)
    const other = names.get(key)
    if (other === undefined) {
      names.set(key, holder)
      continue
    }
    if (holder === 'pad' && other === 'pad') continue
    for (let n = 1; ; n++) {
      if (++tries > limit) return null
      const newName = numbered(name, n)
      const newKey = collisionKey(newName)
      if (names.has(newKey)) continue
      names.set(newKey, holder)
      const path = files.filePath(i)
      renamed.set(i, path.slice(0, path.length - name.length) + newName)
      break
    }
  }
  return renamed
}

/** `name.ext` as `name.1.ext`; what would be too long for a file system loses characters before the number. */
function numbered(name: string, n: number): string {
  const dot = name.lastIndexOf('.')
  const split = dot < 0 ? name.length : dot
  const number = `.${n}`
  const extension = cut(name.slice(split), MAX_NAME_BYTES - number.length)
  return cut(name.slice(0, split), MAX_NAME_BYTES - number.length - utf8(extension).length) + number + extension
}

/** The first characters of `text`, as many as fit into so many bytes of UTF-8. */
function cut(text: string, maxBytes: number): string {
  let bytes = utf8(text).length
  if (bytes <= maxBytes) return text
  const characters = Array.from(text)
  while (bytes > maxBytes) bytes -= utf8(characters.pop() ?? '').length
  return characters.join('')
}

/** For each of `paths` the names in that directory, with its subdirectories in it; equal directories share one map. */
function directoryNames(paths: readonly string[]): Names[] {
  const tree = new Map<string, Names>([['', new Map()]])
  return paths.map((path) => {
    const key = collisionKey(path)
    const known = tree.get(key)
    if (known !== undefined) return known
    let names = tree.get('')!
    for (let start = 0; start < key.length; ) {
      const slash = key.indexOf('/', start)
      const end = slash < 0 ? key.length : slash
      names.set(key.slice(start, end), 'directory')
      const dir = key.slice(0, end)
      let below = tree.get(dir)
      if (below === undefined) tree.set(dir, (below = new Map()))
      names = below
      start = end + 1
    }
    return names
  })
}
