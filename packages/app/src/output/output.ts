import { messageOf } from '../cliError.ts'
import { type Progress, progressLine, progressParts } from './progressLine.ts'
import { jsonText, terminalText } from './terminalText.ts'

/** How results are written: for a person at a terminal, as plain lines for a log, or as JSON for a program. */
export type OutputMode = 'terminal' | 'plain' | 'json'

/** One JSON line. */
export interface OutputEvent {
  readonly type: string
  readonly [field: string]: unknown
}

/** The part of a stream that is needed; `process.stdout` is one. */
export interface TextStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

export interface OutputOptions {
  readonly json: boolean
  readonly debug: boolean
  readonly unicode: boolean
  /** Terminals that cannot go back to the start of a line get plain lines. */
  readonly dumb: boolean
}

const DEFAULT_COLUMNS = 80
const PROGRESS_INTERVAL_MS: Readonly<Record<OutputMode, number>> = { terminal: 250, json: 1000, plain: 10_000 }

/**
 * Everything the command says goes through here, and is made harmless for terminals on the way. Results go to `stdout`,
 * warnings and errors to `stderr`. On a terminal the last line may be a progress line, which other lines push down.
 */
export class Output {
  readonly mode: OutputMode
  readonly debug: boolean
  private hasProgressLine = false
  /** The last plain line about progress. */
  private lastProgress = ''

  constructor(
    private readonly stdout: TextStream,
    private readonly stderr: TextStream,
    private readonly options: OutputOptions,
  ) {
    this.mode = options.json ? 'json' : stdout.isTTY && !options.dumb ? 'terminal' : 'plain'
    this.debug = options.debug
  }

  /** How often progress is worth reporting. */
  get progressInterval(): number {
    return PROGRESS_INTERVAL_MS[this.mode]
  }

  /** A fact: `event` as JSON, or `lines` for people. */
  report(event: OutputEvent, lines: string | readonly string[]): void {
    if (this.mode === 'json') return this.put(this.stdout, jsonText(event))
    for (const line of typeof lines === 'string' ? [lines] : lines) this.put(this.stdout, terminalText(line))
  }

  /** How far something is. Call it every `progressInterval` ms. Plain lines are written only when they say anything new. */
  progress(event: OutputEvent, progress: Progress): void {
    if (this.mode === 'json') return this.put(this.stdout, jsonText(event))
    if (this.mode === 'plain') {
      const parts = progressParts(progress)
      if (progress.activity !== '') parts.unshift(progress.activity)
      const line = terminalText(parts.join('  '))
      // A log of a quiet month is not filled with one line.
      if (line !== this.lastProgress) this.put(this.stdout, line)
      this.lastProgress = line
      return
    }
    // One column stays free: some terminals wrap when the last one is written.
    const columns = (this.stdout.columns || DEFAULT_COLUMNS) - 1
    this.stdout.write(`\r${terminalText(progressLine(progress, columns, this.options.unicode))}\x1b[K`)
    this.hasProgressLine = true
  }

  /** Something is wrong, and the command goes on. */
  warn(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    if (this.mode === 'json') this.put(this.stdout, jsonText({ type: 'warning', message, ...fields }))
    else this.put(this.stderr, `lt: warning: ${terminalText(message)}`)
  }

  /** Why the command failed. */
  error(error: unknown): void {
    const message = messageOf(error)
    const stack = this.debug ? stackOf(error) : []
    if (this.mode === 'json') {
      const event = { type: 'error', message, ...codeOf(error), ...(stack.length > 0 && { stack }) }
      return this.put(this.stderr, jsonText(event))
    }
    this.put(this.stderr, `lt: ${terminalText(message)}`)
    for (const line of stack) this.put(this.stderr, terminalText(line))
  }

  /** Only with --debug. */
  trace(message: string): void {
    if (!this.debug) return
    this.put(this.stderr, this.mode === 'json' ? jsonText({ type: 'debug', message }) : `lt: ${terminalText(message)}`)
  }

  /** Leaves the terminal with an empty last line. */
  clearProgress(): void {
    if (!this.hasProgressLine) return
    this.hasProgressLine = false
    this.stdout.write('\r\x1b[K')
  }

  private put(stream: TextStream, line: string): void {
    this.clearProgress()
    stream.write(`${line}\n`)
  }
}

/** The lines of its stack, and of those of its causes. */
function stackOf(error: unknown): string[] {
  const lines: string[] = []
  for (let cause = error; cause instanceof Error; cause = cause.cause) lines.push(...(cause.stack ?? '').split('\n'))
  return lines
}

function codeOf(error: unknown): { readonly code?: string } {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' ? { code } : {}
}
