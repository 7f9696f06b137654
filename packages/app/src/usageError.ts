import type { CommanderError } from 'commander'
import { CliError, USAGE_EXIT_CODE } from './cliError.ts'

/** What is usually meant when there is one argument too many. */
const EXCESS_HINTS: Readonly<Record<string, string>> = {
  download: 'One torrent at a time; the directory is given with --output, and names with spaces need quotes',
  seed: 'One torrent at a time; the directory is given with --output, and names with spaces need quotes',
  verify: 'One torrent at a time; the directory is given with --output, and names with spaces need quotes',
  create: 'Put several files into one directory; names with spaces need quotes',
}

/** Wrong usage in one line, with where to read on. `args` are those of the whole command line. */
export function usageError(error: CommanderError, args: readonly string[]): CliError {
  const isUnknown = error.code === 'commander.unknownCommand'
  const [command, nested] = args.filter((arg) => !arg.startsWith('-'))
  const shown = commandPath(command, nested, isUnknown)
  const text = error.message
    .replace(/^error: /, '')
    .split('\n')
    .map(asSentence)
  const hint = error.code === 'commander.excessArguments' ? EXCESS_HINTS[command ?? ''] : undefined
  if (error.code === 'commander.unknownOption' && args[0] !== command) text.push('Options follow the command.')
  if (hint !== undefined) text.push(asSentence(hint))
  text.push(`See ${['lt', ...shown].join(' ')} --help.`)
  return new CliError(text.join(' '), USAGE_EXIT_CODE, { cause: error })
}

/** The command whose help says more. One that does not exist has none, but the one it was asked of. */
function commandPath(command: string | undefined, nested: string | undefined, isUnknown: boolean): string[] {
  if (command === 'dht') return nested === undefined || isUnknown ? ['dht'] : ['dht', nested]
  return command === undefined || isUnknown ? [] : [command]
}

/** `Unknown option '--foo'.`; what is in parentheses stays as it is. */
function asSentence(text: string): string {
  const sentence = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.)?!]$/.test(sentence) ? sentence : `${sentence}.`
}
