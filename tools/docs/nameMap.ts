import type { LibtorrentName } from './libtorrentNames.ts'
import type { PublicName } from './publicApi.ts'

/** What is known about names that the rules do not find by themselves. */
export interface NameMapReasons {
  /**
   * Where a name is, when it is called something else here: `Name` or `Name.member`. Looked up like any other.
   * For an enum: the object that has its members.
   */
  readonly renamed: Readonly<Record<string, string>>
  /** Why there is no counterpart. `torrent_plugin::*` speaks for all of a class, `*::swap` for a member of any. */
  readonly reasons: Readonly<Record<string, string>>
}

/** Where the manuals' names may be found. */
export interface Counterparts {
  readonly api: ReadonlyMap<string, PublicName>
  /** Keys of resume data that are read or written. */
  readonly resumeKeys: ReadonlySet<string>
}

export interface MappedName {
  readonly libtorrent: LibtorrentName
  /** As a user writes it: `TorrentHandle.pause`. Empty when there is none. */
  readonly here: string
  /** Why there is none. Empty when there is one. */
  readonly reason: string
}

export interface NameMap {
  readonly names: readonly MappedName[]
  /** What is wrong with the map itself: names without counterpart and reason, entries that are out of date. */
  readonly problems: readonly string[]
}

/** Finds the counterpart of each name in the public API, or the reason why there is none. */
export function mapNames(
  names: readonly LibtorrentName[],
  where: Counterparts,
  { renamed, reasons }: NameMapReasons,
): NameMap {
  const problems: string[] = []
  const used = new Set<string>()
  const patterns = Object.keys(reasons)
    .filter((key) => key.includes('*'))
    .map((key) => [key, glob(key)] as const)
  const mapped = names.map((libtorrent): MappedName => {
    const { name } = libtorrent
    const found = candidates(libtorrent, renamed).find((path) => exists(path, where))
    const exact = reasons[name]
    if (found !== undefined) {
      if (name in renamed) used.add(name)
      if (exact !== undefined) problems.push(`${name}: is there (${found}), and has a reason why not`)
      return { libtorrent, here: shown(found), reason: '' }
    }
    if (name in renamed) problems.push(`${name}: there is no ${renamed[name]}`)
    const key = name in reasons ? name : patterns.find(([, pattern]) => pattern.test(name))?.[0]
    if (key !== undefined) used.add(key)
    const reason = key === undefined ? generalReason(libtorrent) : reasons[key]
    if (reason === '') problems.push(`${name} (${libtorrent.kind}): neither found nor explained`)
    return { libtorrent, here: '', reason }
  })
  const known = new Set(names.map(({ name }) => name))
  for (const name of Object.keys(renamed))
    if (!known.has(name)) problems.push(`renamed ${name}: no such name in the manuals`)
  for (const key of Object.keys(reasons)) if (!used.has(key)) problems.push(`reason for ${key}: explains nothing`)
  return { names: mapped, problems }
}

function glob(key: string): RegExp {
  const parts = key.split('*').map((part) => part.replace(/[.()[\]^$?+]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`)
}

/** `torrent_handle` -> `torrentHandle`. */
export function camel(name: string): string {
  return name.replace(/^_+/, '').replace(/_+([a-z0-9])/gi, (_all, letter: string) => letter.toUpperCase())
}

function pascal(name: string): string {
  const text = camel(name)
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function withoutT(enumeration: string): string {
  return enumeration.replace(/_t$/, '')
}

/** Where a name may be by the rules of naming, likeliest first. */
function candidates(libtorrent: LibtorrentName, renamed: Readonly<Record<string, string>>): readonly string[] {
  const { kind, name, own, owner, enumeration } = libtorrent
  const elsewhere = renamed[name]
  if (elsewhere !== undefined && kind !== 'enum') return [elsewhere]
  switch (kind) {
    case 'class':
    case 'alert':
      return [pascal(own)]
    case 'function':
      return [camel(own)]
    case 'method':
      // A constructor is there when its class is.
      return own === owner
        ? classNames(owner, renamed)
        : classNames(owner, renamed).map((type) => `${type}.${camel(own)}`)
    case 'field':
      return classNames(owner, renamed).map((type) => `${type}.${camel(own)}`)
    case 'enum':
      return enumNames(owner, own, renamed)
    case 'enumerator':
      return enumNames(owner, enumeration, renamed).flatMap((type) =>
        memberNames(enumeration, own).map((member) => `${type}.${member}`),
      )
    case 'error':
      return [`${errorTables[owner]}.${camel(own)}`]
    case 'setting':
      return [`Settings.${camel(own)}`]
    case 'resume':
      return [`resume data.${own}`]
  }
}

const errorTables: Readonly<Record<string, string>> = {
  error_code: 'libtorrentErrors',
  upnp_error: 'upnpErrors',
  http_error: 'httpErrors',
}

function classNames(owner: string, renamed: Readonly<Record<string, string>>): readonly string[] {
  return [renamed[owner] ?? pascal(owner)]
}

function enumNames(owner: string, enumeration: string, renamed: Readonly<Record<string, string>>): readonly string[] {
  const elsewhere = renamed[`${owner}::${enumeration}`]
  if (elsewhere !== undefined) return [elsewhere]
  const own = pascal(withoutT(enumeration))
  return [
    own,
    `${pascal(owner.replace(/_alert$/, ''))}${own}`,
    ...classNames(owner, renamed).map((type) => `${type}${own}`),
  ]
}

/** An enumerator's name with and without words that repeat the name of its enum. */
function memberNames(enumeration: string, member: string): readonly string[] {
  const words = withoutT(enumeration).split('_')
  const names = [camel(member)]
  for (let from = 0; from < words.length; from++) {
    for (let to = words.length; to > from; to--) {
      const prefix = `${words.slice(from, to).join('_')}_`
      if (member.startsWith(prefix)) names.push(camel(member.slice(prefix.length)))
    }
  }
  return names
}

function exists(path: string, { api, resumeKeys }: Counterparts): boolean {
  if (path.startsWith('resume data.')) return resumeKeys.has(path.slice('resume data.'.length))
  const [type, member] = path.split('.')
  const found = api.get(type)
  return found !== undefined && (member === undefined || found.members.has(member))
}

function shown(path: string): string {
  return path.startsWith('resume data.') ? 'read and written under the same key' : path
}

/** Reasons that follow from what C++ is and TypeScript is not. */
function generalReason({ own, kind, deprecated }: LibtorrentName): string {
  if (own.startsWith('~')) return 'not applicable: objects are collected, or end with `abort()` and `close()`'
  if (own === 'operator=') return 'not applicable: assignment copies references'
  if (own === 'swap') return 'not applicable: assign the variables'
  if (/^r?(begin|end)$/.test(own)) return 'not applicable: iterate with `for ... of`'
  if (deprecated) return 'not applicable: deprecated since libtorrent 1.0'
  if (kind === 'enum' && /anonymous/.test(own)) return 'not applicable: an unnamed enum, see its members'
  return ''
}
