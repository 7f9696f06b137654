import type { FileStorage } from './fileStorage.ts'

/** Links followed one after another before a target counts as a loop. */
const MAX_HOPS = 8

/**
 * Makes every symbolic link of `files` lead to a file or directory of the same torrent; one that does not is made to
 * point to itself, which no system follows (BEP 47; libtorrent does the same). Targets below other links are followed
 * through them. A target may also be given relative to the link's own directory, as old clients wrote it.
 */
export function sanitizeSymlinks(files: FileStorage): void {
  const links = new Map<number, string>()
  for (let i = 0; i < files.numFiles; i++) if (files.isSymlink(i)) links.set(i, belowRoot(files, i))
  if (links.size === 0) return

  const known = new Set<string>()
  for (let i = 0; i < files.numFiles; i++) known.add(belowRoot(files, i))
  for (const dir of files.paths) {
    for (let end = dir.length; end > 0; end = dir.lastIndexOf('/', end - 1)) known.add(dir.slice(0, end))
  }
  const targetOf = new Map<string, string>()
  for (const [file, path] of links) targetOf.set(path, files.internalSymlink(file))

  for (const [file, path] of links) {
    const target = files.internalSymlink(file)
    if (leadsInside(target, known, targetOf)) continue
    const slash = path.lastIndexOf('/')
    const relative = slash < 0 ? target : `${path.slice(0, slash)}/${target}`
    const fixed = leadsInside(relative, known, targetOf) ? relative : path
    files.setSymlink(file, fixed)
    targetOf.set(path, fixed)
  }
}

function leadsInside(target: string, known: ReadonlySet<string>, targetOf: ReadonlyMap<string, string>): boolean {
  let path = target
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    if (known.has(path)) return true
    const link = linkPrefix(path, targetOf)
    if (link === null) return false
    path = `${targetOf.get(link)}${path.slice(link.length)}`
    // chains can grow a path without end
    if (path.length > 4096) return false
  }
  return false
}

/** The longest leading part of `path` that is a link. */
function linkPrefix(path: string, targetOf: ReadonlyMap<string, string>): string | null {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const prefix = path.slice(0, end)
    if (targetOf.has(prefix)) return prefix
  }
  return null
}

function belowRoot(files: FileStorage, index: number): string {
  const path = files.filePath(index)
  const root = `${files.name}/`
  return path.startsWith(root) ? path.slice(root.length) : path
}
