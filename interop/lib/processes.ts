import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createWriteStream, readFileSync } from 'node:fs'
import { within } from './wait.ts'

export interface StartProcessOptions {
  /** File that receives everything the process prints. */
  readonly log: string
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

const running = new Set<OwnedProcess>()

/** A process this run started, in a process group of its own so that whatever it starts ends with it. */
export class OwnedProcess {
  readonly exited: Promise<number | null>
  private constructor(
    readonly name: string,
    readonly child: ChildProcessWithoutNullStreams,
    readonly log: string,
  ) {
    this.exited = new Promise((resolve) => {
      child.once('error', () => resolve(null))
      child.once('close', (code) => {
        running.delete(this)
        resolve(code)
      })
    })
  }

  static start(name: string, command: readonly string[], options: StartProcessOptions): OwnedProcess {
    const [program, ...args] = command
    if (program === undefined) throw new Error(`${name}: empty command`)
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const log = createWriteStream(options.log, { flags: 'a' })
    log.write(`$ ${command.join(' ')}\n`)
    child.stdout.pipe(log, { end: false })
    child.stderr.pipe(log, { end: false })
    child.once('error', (error) => log.write(`could not start: ${error.message}\n`))
    child.once('close', (code, signal) => log.end(`exit code ${code} signal ${signal}\n`))
    // A request written to a process that has just died is answered by its exit, not by EPIPE.
    child.stdin.on('error', () => {})
    const owned = new OwnedProcess(name, child, options.log)
    running.add(owned)
    return owned
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  get alive(): boolean {
    return running.has(this)
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.alive || this.pid === 0) return
    try {
      process.kill(-this.pid, signal)
    } catch {
      // Gone between the check and the call.
    }
  }

  /** Ends the whole group with SIGKILL and waits for it. */
  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.exited
  }

  /** Waits for its end, which was asked for by other means, and brings it about after `graceMs`. */
  async ended(graceMs: number): Promise<void> {
    await within(graceMs, `the end of ${this.name}`, this.exited).catch(() => this.kill())
  }

  /** Asks it to end by a signal, and makes it after `graceMs`. */
  async end(signal: NodeJS.Signals, graceMs: number): Promise<void> {
    this.signal(signal)
    await this.ended(graceMs)
  }

  /** Calls `onLine` for every complete line of standard output. */
  onLine(onLine: (line: string) => void): void {
    let rest = ''
    this.child.stdout.setEncoding('utf8')
    this.child.stdout.on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onLine(line)
    })
  }

  /** The end of the log, for a failure's message. */
  logTail(lines = 8): string {
    try {
      return readFileSync(this.log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
    } catch {
      return ''
    }
  }
}

/** Ends the processes that log somewhere below `directory`, and waits for them. */
export async function killProcessesOf(directory: string): Promise<void> {
  const own = [...running].filter(({ log }) => log.startsWith(`${directory}/`))
  await Promise.all(own.map((owned) => owned.kill()))
}

/** Ends every process this run started. Called on the way out, whatever the way. */
export function killAllProcesses(): void {
  for (const owned of running) owned.signal('SIGKILL')
}

process.once('exit', killAllProcesses)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(130))
}
