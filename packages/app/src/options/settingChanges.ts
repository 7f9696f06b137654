import {
  applySettings,
  defaultSettings,
  type SettingName,
  type Settings,
  settingByName,
  settingsTable,
} from 'libtorrent-ts'
import { CliError, USAGE_EXIT_CODE } from '../cliError.ts'

const TRUE = /^(?:true|yes|on|1)$/i
const FALSE = /^(?:false|no|off|0)$/i

/**
 * The values of `--set name=value` as settings of the engine. Names are those of docs/settings.md or libtorrent's own.
 * @throws CliError for a name that does not exist or a value that makes no sense
 */
export function settingChanges(texts: readonly string[]): Partial<Settings> {
  const changes: Record<string, unknown> = {}
  for (const text of texts) {
    const equals = text.indexOf('=')
    if (equals <= 0) throw usage(`--set ${text}: it is written as name=value, such as --set connectionsLimit=50.`)
    const given = text.slice(0, equals)
    const name = settingByName(given)
    if (name === undefined) throw unknownSetting(given)
    changes[name] = parsedValue(name, text.slice(equals + 1))
  }
  try {
    applySettings(defaultSettings(), changes)
  } catch (cause) {
    throw usage(`--set: ${(cause as Error).message}.`, cause)
  }
  return changes as Partial<Settings>
}

function parsedValue(name: SettingName, text: string): boolean | number | string {
  const { type, choices } = settingsTable[name]
  if (type === 'string') return text
  if (type === 'bool') {
    if (!TRUE.test(text) && !FALSE.test(text)) throw usage(`--set ${name}: it is true or false, not "${text}".`)
    return TRUE.test(text)
  }
  if (choices !== null && Object.hasOwn(choices, text)) return (choices as Readonly<Record<string, number>>)[text]
  if (choices !== null && !/^-?\d+$/.test(text)) {
    throw usage(`--set ${name}: it is one of ${Object.keys(choices).join(', ')}; not "${text}".`)
  }
  const number = Number(text)
  if (text.trim() === '' || !Number.isFinite(number)) throw usage(`--set ${name}: it is a number, not "${text}".`)
  return number
}

/** The engine knows which name comes closest, and ends the sentence with a question mark if it has one to offer. */
function unknownSetting(name: string): CliError {
  try {
    applySettings(defaultSettings(), { [name]: 0 } as Partial<Settings>)
    return usage(`--set ${name}: there is no such setting.`)
  } catch (cause) {
    const { message } = cause as Error
    return usage(`--set: ${message}${message.endsWith('?') ? '' : '.'} docs/settings.md lists all.`, cause)
  }
}

function usage(message: string, cause?: unknown): CliError {
  return new CliError(message, USAGE_EXIT_CODE, { cause })
}
