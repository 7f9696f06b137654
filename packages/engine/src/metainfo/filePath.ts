import { utf8 } from '../util/bytes.ts'
import { collisionKey } from './collisionKey.ts'
import { hostNameRules, isInsidePath, type NameRules, windowsName } from './sanitizePath.ts'

/** Longest part of a path file systems take, bytes of UTF-8. */
const MAX_PART_BYTES = 255
/** `C:/` and `//server/share/` */
const WINDOWS_ROOT = /^(?:[A-Za-z]:\/|\/\/[^/]+\/[^/]+\/)/

/** A path for a file of a torrent, as a user may give it. */
export interface GivenPath {
  /** With `/` between its parts. */
  readonly path: string
  /** It is not below the save path, but where it says. */
  readonly isAbsolute: boolean
}

/**
 * A path a user (or resume data) gives a file: below the save path, or absolute. Null when it is neither: empty, with
 * empty, `.` or `..` parts, with NUL or backslash, or with a name the system cannot store as it is. Windows' `\` is
 * taken for `/` there.
 */
export function givenPath(text: string, rules: NameRules = hostNameRules): GivenPath | null {
  const path = rules === 'windows' ? text.replaceAll('\\', '/') : text
  const root = rootOf(path, rules)
  const rest = path.slice(root.length)
  if (!isInsidePath(rest, rules) || !rest.split('/').every((part) => isStorable(part, rules))) return null
  return { path, isAbsolute: root !== '' }
}

/** Whether `path`, in the form of `GivenPath.path`, is absolute. */
export function isAbsolutePath(path: string, rules: NameRules = hostNameRules): boolean {
  return rootOf(path, rules) !== ''
}

/** `path`, which is relative, below the directory `savePath`. */
export function pathIn(savePath: string, path: string, rules: NameRules = hostNameRules): string {
  return `${plainDirectory(savePath, rules)}/${path}`
}

/** The part of the absolute `path` below the directory `savePath`; null when it does not lie there, on any system. */
export function pathBelow(savePath: string, path: string, rules: NameRules = hostNameRules): string | null {
  const directory = plainDirectory(savePath, rules)
  if (!collisionKey(path).startsWith(`${collisionKey(directory)}/`)) return null
  return path.split('/').slice(directory.split('/').length).join('/')
}

/** With `/` between its parts and none at its end. */
function plainDirectory(savePath: string, rules: NameRules): string {
  const path = rules === 'windows' ? savePath.replaceAll('\\', '/') : savePath
  let end = path.length
  while (path[end - 1] === '/') end--
  return path.slice(0, end)
}

function rootOf(path: string, rules: NameRules): string {
  if (rules === 'posix') return path.startsWith('/') ? '/' : ''
  return WINDOWS_ROOT.exec(path)?.[0] ?? ''
}

/** Windows stores `con`, `a?` and `name.` as something else, or not at all. */
function isStorable(part: string, rules: NameRules): boolean {
  if (utf8(part).length > MAX_PART_BYTES) return false
  return rules === 'posix' || windowsName(part) === part
}
