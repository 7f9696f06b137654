import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a name of libtorrent is. */
export type NameKind =
  | 'class'
  | 'method'
  | 'field'
  | 'enum'
  | 'enumerator'
  | 'alert'
  | 'error'
  | 'setting'
  | 'resume'
  | 'function'

/** One name of libtorrent's manuals. */
export interface LibtorrentName {
  readonly kind: NameKind
  /** Qualified with the class (and enum) it belongs to: `torrent_status::state_t::seeding`. */
  readonly name: string
  /** The last part. */
  readonly own: string
  /** The class, or category of an error; empty for a free name. */
  readonly owner: string
  /** The enum, for enumerators. */
  readonly enumeration: string
  readonly deprecated: boolean
  /** First manual that has it. */
  readonly since: '0.15' | '1.0'
}

interface Member {
  readonly name: string
  readonly deprecated?: boolean
}
type Enums = Readonly<Record<string, Readonly<Record<string, unknown>>>>
interface ClassRow {
  readonly methods?: readonly Member[]
  readonly fields?: readonly Member[]
  readonly enums?: Enums
}
interface AlertJson {
  readonly fields?: readonly Member[]
  readonly new_fields?: readonly Member[]
  readonly enums?: Enums
}
interface ErrorJson {
  readonly symbol: string
  readonly group?: string
}
interface Manual {
  readonly classes: Readonly<Record<string, ClassRow>>
  readonly alerts: Readonly<Record<string, AlertJson>>
  readonly errors: readonly ErrorJson[]
}
interface Manual015 extends Manual {
  readonly upnp_errors: readonly ErrorJson[]
  readonly settings: readonly { name: string; struct: string }[]
  readonly resume_keys: readonly { key: string }[]
  readonly free_functions: readonly { name: string }[]
}
interface Manual10 extends Manual {
  readonly error_enums: { readonly http_errors: Readonly<Record<string, number>> }
  readonly settings_new: readonly { name: string; struct: string }[]
  readonly resume_keys_new: readonly string[]
  readonly free_functions_1_0: readonly string[]
}

/** Every name of the two manuals, each once, in their order. */
export function readLibtorrentNames(folder: string): readonly LibtorrentName[] {
  const names = new Map<string, LibtorrentName>()
  const read = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'))
  const old: Manual015 = read('api-0.15.5.json')
  const recent: Manual10 = read('api-1.0-extra.json')

  const add = (
    kind: NameKind,
    since: '0.15' | '1.0',
    owner: string,
    own: string,
    deprecated = false,
    enumeration = '',
  ) => {
    const name = [owner, enumeration, own].filter((part) => part !== '').join('::')
    if (!names.has(name)) names.set(name, { kind, name, own, owner, enumeration, deprecated, since })
  }
  const addEnums = (since: '0.15' | '1.0', owner: string, enums: Enums = {}) => {
    for (const [enumeration, members] of Object.entries(enums)) {
      add('enum', since, owner, enumeration)
      for (const own of Object.keys(members)) add('enumerator', since, owner, own, false, enumeration)
    }
  }
  const addManual = (since: '0.15' | '1.0', manual: Manual) => {
    for (const [owner, row] of Object.entries(manual.classes)) {
      add('class', since, '', owner)
      for (const method of row.methods ?? []) add('method', since, owner, method.name, method.deprecated)
      for (const field of row.fields ?? []) {
        // Settings have their own list, and an enum is listed among the fields once.
        if (!owner.endsWith('session_settings')) add('field', since, owner, field.name, field.deprecated)
      }
      addEnums(since, owner, row.enums)
    }
    for (const [owner, row] of Object.entries(manual.alerts)) {
      add('alert', since, '', owner)
      for (const field of row.fields ?? row.new_fields ?? []) add('field', since, owner, field.name, field.deprecated)
      addEnums(since, owner, row.enums)
    }
    for (const { symbol } of manual.errors) add('error', since, 'error_code', symbol)
  }
  // The DHT's, the proxies' and the encryption's have structs of their own and are fields of those.
  const addSettings = (since: '0.15' | '1.0', settings: readonly { name: string; struct: string }[]) => {
    for (const { name, struct } of settings) if (/^session/.test(struct)) add('setting', since, 'settings', name)
  }
  addManual('0.15', old)
  for (const { symbol } of old.upnp_errors) add('error', '0.15', 'upnp_error', symbol)
  addSettings('0.15', old.settings)
  for (const { key } of old.resume_keys) add('resume', '0.15', 'resume data', key)
  for (const { name } of old.free_functions) add('function', '0.15', '', name)
  addManual('1.0', recent)
  for (const symbol of Object.keys(recent.error_enums.http_errors)) add('error', '1.0', 'http_error', symbol)
  addSettings('1.0', recent.settings_new)
  for (const key of recent.resume_keys_new) add('resume', '1.0', 'resume data', key)
  for (const name of recent.free_functions_1_0) add('function', '1.0', '', name)
  return [...names.values()]
}
