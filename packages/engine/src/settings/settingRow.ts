/** What is known about one setting. Types, checks, presets, docs and command-line flags are derived from it. */
export interface SettingRow<Value extends number | string | boolean = number | string | boolean> {
  /** Name in libtorrent, and in files that hold settings. */
  readonly libtorrentName: string
  readonly type: 'int' | 'float' | 'bool' | 'string'
  readonly default: Value
  /** The default of libtorrent 0.15.5, or what comes closest to its behaviour for settings it did not have. */
  readonly classic: Value
  /** Unit of a number: `s`, `ms`, `bytes`, `peers`, ... Empty for switches and text. */
  readonly unit: string
  /** Smallest and largest value allowed, for numbers. */
  readonly min: number
  readonly max: number
  /** The names of the values allowed, when there are only a few. */
  readonly choices: Readonly<Record<string, number>> | null
  /** What it does. */
  readonly doc: string
  /** Which text describes it. */
  readonly source: string
}

/** Where a setting is described. */
export const source = {
  manual: 'manual 0.15.5, session_settings',
  session: 'manual 0.15.5, session',
  v1_0: 'libtorrent 1.0, session_settings',
  v1_1: 'libtorrent 1.1, settings_pack',
  v1_2: 'libtorrent 1.2, settings_pack',
  v2_0: 'libtorrent 2.0, settings_pack',
  v2_1: 'libtorrent 2.1, settings_pack',
} as const

const INT32_MAX = 2 ** 31 - 1

interface RowText<Value> {
  readonly default: Value
  /** Left out when it is the same as `default`. */
  readonly classic?: Value
  readonly doc: string
  readonly source: string
}

interface NumberRow extends RowText<number> {
  readonly unit: string
  readonly min?: number
  readonly max?: number
}

export function int(libtorrentName: string, row: NumberRow): SettingRow<number> {
  return {
    libtorrentName,
    type: 'int',
    default: row.default,
    classic: row.classic ?? row.default,
    unit: row.unit,
    min: row.min ?? 0,
    max: row.max ?? INT32_MAX,
    choices: null,
    doc: row.doc,
    source: row.source,
  }
}

export function float(libtorrentName: string, row: NumberRow): SettingRow<number> {
  return { ...int(libtorrentName, row), type: 'float' }
}

export function bool(libtorrentName: string, row: RowText<boolean>): SettingRow<boolean> {
  return {
    libtorrentName,
    type: 'bool',
    default: row.default,
    classic: row.classic ?? row.default,
    unit: '',
    min: 0,
    max: 1,
    choices: null,
    doc: row.doc,
    source: row.source,
  }
}

export function text(libtorrentName: string, row: RowText<string>): SettingRow<string> {
  return {
    libtorrentName,
    type: 'string',
    default: row.default,
    classic: row.classic ?? row.default,
    unit: '',
    min: 0,
    max: 0,
    choices: null,
    doc: row.doc,
    source: row.source,
  }
}

/** A setting that takes one of libtorrent's numbered names. */
export function choice<Choice extends number>(
  libtorrentName: string,
  choices: Readonly<Record<string, Choice>>,
  row: RowText<Choice>,
): SettingRow<Choice> {
  const values = Object.values(choices)
  return {
    libtorrentName,
    type: 'int',
    default: row.default,
    classic: row.classic ?? row.default,
    unit: '',
    min: Math.min(...values),
    max: Math.max(...values),
    choices,
    doc: row.doc,
    source: row.source,
  }
}
