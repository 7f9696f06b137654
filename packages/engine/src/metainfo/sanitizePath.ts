import { sep } from 'node:path'
import { fromLatin1, latin1, utf8 } from '../util/bytes.ts'
import { readCodePoint } from './textEncoding.ts'

/**
 * What the file system forbids. `posix` takes any character but the separator and controls, as libtorrent does there;
 * `windows` also replaces `? < > " | * :`, drops trailing dots and spaces, and renames devices such as `aux.txt` and
 * short names such as `PROGRA~1`.
 */
export type NameRules = 'posix' | 'windows'

/** The rules of the machine this runs on. */
export const hostNameRules: NameRules = sep === '\\' ? 'windows' : 'posix'

/** Longest path element, bytes of UTF-8; a short extension is kept beyond it. File systems allow 255. */
const MAX_ELEMENT_BYTES = 240
/** An extension kept when a name is cut lies in this many last bytes, its dot included. */
const MAX_EXTENSION_BYTES = 9

const SLASH = 0x2f
const BACKSLASH = 0x5c
const DOT = 0x2e

/**
 * One element of a path from a torrent, made safe: never empty, `.` or `..`, and without separators, control
 * characters, and characters that are invisible or change the writing direction. Invalid UTF-8 becomes `_`.
 * The same names come out as from libtorrent on the same system.
 *
 * `force`: what nothing is left of becomes `_`; without it the answer is then empty.
 */
export function sanitizePathElement(element: Uint8Array, force = true, rules: NameRules = hostNameRules): string {
  return sanitizeLatin1Element(latin1(element), force, rules)
}

/** `sanitizePathElement` for text whose character codes are the element's bytes. */
export function sanitizeLatin1Element(element: string, force = true, rules: NameRules = hostNameRules): string {
  let name = PLAIN_NAME.test(element) ? element : filtered(fromLatin1(element), rules)
  if (rules === 'windows') name = windowsName(name)
  if (name === '' || name === '.' || name === '..') return force ? '_' : ''
  return name
}

/** Printable ASCII without separators, short enough: by far the most names, which need no work. */
const PLAIN_NAME = /^[ -.0-[\]-~]{1,240}$/

/**
 * The relative path, with `/` between its parts, that a torrent's path elements stand for. Every element counts: those
 * of which nothing is left become `_`. The result is never empty and never leads out of its root.
 */
export function sanitizePath(elements: Iterable<Uint8Array | string>, rules: NameRules = hostNameRules): string {
  let path = ''
  for (const element of elements) {
    const name = sanitizePathElement(typeof element === 'string' ? utf8(element) : element, true, rules)
    path = path === '' ? name : `${path}/${name}`
  }
  return path === '' ? '_' : path
}

/**
 * A path the user gave, in the form of a file's path: parts made safe like those of a torrent, empty and `.` parts left
 * out, with `/` between them (Windows' `\` is taken too). Empty when the path is absolute, leads up with `..`, or has
 * nothing in it: such a path is to be refused, not bent.
 */
export function sanitizeFilePath(path: string, rules: NameRules = hostNameRules): string {
  const parts = path.split(rules === 'windows' ? /[/\\]/ : '/')
  if (parts[0] === '' || parts.includes('..') || (rules === 'windows' && parts[0].includes(':'))) return ''
  return parts
    .filter((part) => part !== '' && part !== '.')
    .map((part) => sanitizePathElement(utf8(part), true, rules))
    .join('/')
}

/**
 * Whether `path` is relative, without empty, `.` and `..` parts, NUL or backslash, so that it can only lie below the
 * directory it is joined to. For names that come from the user, from resume data or over an API.
 */
export function isInsidePath(path: string, rules: NameRules = hostNameRules): boolean {
  if (path.includes('\\') || path.includes('\0')) return false
  // a drive, or a stream of another file
  if (rules === 'windows' && path.includes(':')) return false
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

function filtered(element: Uint8Array, rules: NameRules): string {
  let name = ''
  let length = 0
  let keptExtension = false
  for (let at = 0; at < element.length; ) {
    const packed = readCodePoint(element, at)
    const point = packed >> 3
    const size = packed & 7
    const here = at
    at += size
    if (isDropped(point)) continue
    if (!isAllowed(point, rules)) {
      name += '_'
      length++
      continue
    }
    name += String.fromCodePoint(point)
    length += size
    if (length >= MAX_ELEMENT_BYTES && !keptExtension) {
      const dot = extensionStart(element, here)
      if (dot < 0) break
      keptExtension = true
      at = dot
    }
  }
  return name
}

/** Offset of the dot of a short extension behind `after`, or -1. */
function extensionStart(element: Uint8Array, after: number): number {
  const first = Math.max(element.length - MAX_EXTENSION_BYTES - 1, after)
  for (let at = element.length - 1; at > first; at--) if (element[at] === DOT) return at
  return -1
}

/** Separators, NUL, and formatting characters by which a name can look like another. */
function isDropped(point: number): boolean {
  if (point < 0x80) return point === SLASH || point === BACKSLASH || point === 0
  return (
    point === 0x061c ||
    (point >= 0x200b && point <= 0x200f) ||
    (point >= 0x202a && point <= 0x202e) ||
    (point >= 0x2060 && point <= 0x2064) ||
    (point >= 0x2066 && point <= 0x2069) ||
    point === 0xfeff
  )
}

function isAllowed(point: number, rules: NameRules): boolean {
  // below zero: an invalid sequence
  if (point < 0x20 || (point >= 0x7f && point <= 0x9f)) return false
  return rules === 'posix' || !'?<>"|*:'.includes(String.fromCodePoint(point))
}

/** Names Windows gives to devices whatever their extension. */
const DEVICE_NAME = /^(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:\.|$)/i

/** The form of the short names Windows gives to files with long ones (`PROGRA~1`): an open by it opens that file. */
const SHORT_NAME = /^(?=[^.]{3,8}(?:\.|$))[^.]*~[0-9]+(?:\.[^.]{0,3})?$/

/** The name nearest to `name` that Windows stores as it is; may be empty. */
export function windowsName(name: string): string {
  const allowed = name.replace(/[?<>"|*:]/g, '_').replace(/[. ]+$/, '')
  if (DEVICE_NAME.test(allowed)) return `_${allowed}`
  return SHORT_NAME.test(allowed) ? allowed.replace(/~(?=[0-9]+(?:\.|$))/, '_') : allowed
}
