import { Output } from './output.ts'

/** The output of this process. */
export function openOutput(options: { readonly json?: boolean; readonly debug?: boolean }): Output {
  const { env } = process
  // A reader that has seen enough (`lt info x | head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  return new Output(process.stdout, process.stderr, {
    json: options.json ?? false,
    debug: options.debug ?? false,
    unicode: process.platform === 'win32' || /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || ''),
    dumb: env.TERM === 'dumb',
  })
}
