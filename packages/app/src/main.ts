import { CommanderError } from 'commander'
import { CliError, USAGE_EXIT_CODE } from './cliError.ts'
import { openOutput } from './output/openOutput.ts'
import type { Output } from './output/output.ts'
import { createProgram } from './program.ts'
import { usageError } from './usageError.ts'

/**
 * Runs the command line `args` (without program names) and ends the process.
 * @param packageFile the package.json that says which version this is
 */
export async function main(args: readonly string[], packageFile: URL): Promise<void> {
  let output: Output | null = null
  let exitCode = 0
  const fail = (error: unknown): number => {
    output ??= openOutput({ json: args.includes('--json'), debug: args.includes('--debug') })
    output.clearProgress()
    output.error(error)
    return error instanceof CliError ? error.exitCode : 1
  }
  // What nobody expected is told in one line too; --debug says where it came from.
  const onUnexpected = (error: unknown) => process.exit(fail(unexpected(error)))
  process.on('uncaughtException', onUnexpected)
  process.on('unhandledRejection', onUnexpected)

  const program = createProgram(packageFile, {
    outputOpened: (opened) => {
      output = opened
    },
    ended: (code) => {
      exitCode = code
    },
  })
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) exitCode = fail(error)
    else if (error.exitCode === 0) exitCode = 0
    else exitCode = error.code === 'commander.help' ? USAGE_EXIT_CODE : fail(usageError(error, args))
  }
  process.exit(exitCode)
}

function unexpected(error: unknown): Error {
  const text = error instanceof Error ? error.message : String(error)
  return new Error(`Unexpected error: ${text}. Please report it, with what --debug shows.`, { cause: error })
}
