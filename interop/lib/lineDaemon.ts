import { type Fields, parseFields } from './fields.ts'
import { OwnedProcess, type StartProcessOptions } from './processes.ts'
import { within } from './wait.ts'

export interface DaemonEvent {
  readonly name: string
  readonly fields: Fields
  /** `performance.now()` when the line arrived here, milliseconds. */
  readonly at: number
}

interface PendingRequest {
  resolve(fields: Fields): void
  reject(error: Error): void
}

const REQUEST_TIMEOUT_MS = 60_000

/**
 * A client that speaks JSON lines: requests with an id on its standard input, answers and events on its standard output.
 * See the head of `clients/libtorrentDaemon.py` for the commands.
 */
export class LineDaemon {
  readonly events: DaemonEvent[] = []
  private readonly pending = new Map<number, PendingRequest>()
  private readonly listeners = new Set<(event: DaemonEvent) => void>()
  private nextId = 1
  private gone = false

  private constructor(readonly process: OwnedProcess) {
    process.onLine((line) => this.receive(line))
    process.exited.then((code) => {
      this.gone = true
      for (const request of this.pending.values()) request.reject(this.died(code))
      this.pending.clear()
      this.publish({ name: 'exit', fields: {}, at: performance.now() })
    })
  }

  /** Starts `command` and waits for its 'ready' event. */
  static async start(name: string, command: readonly string[], options: StartProcessOptions): Promise<LineDaemon> {
    const daemon = new LineDaemon(OwnedProcess.start(name, command, options))
    await daemon.event('ready', 30_000)
    return daemon
  }

  request(command: string, fields: Fields = {}, timeoutMs = REQUEST_TIMEOUT_MS): Promise<Fields> {
    if (this.gone) return Promise.reject(this.died(null))
    const id = this.nextId++
    const answer = new Promise<Fields>((resolve, reject) => this.pending.set(id, { resolve, reject }))
    this.process.child.stdin.write(`${JSON.stringify({ id, cmd: command, ...fields })}\n`)
    return within(timeoutMs, `${this.process.name} ${command}`, answer)
  }

  /** The first event called `name`, past or to come. Rejects when the process ends before. */
  event(name: string, timeoutMs: number, since = 0): Promise<DaemonEvent> {
    const wanted = (event: DaemonEvent) => event.name === name && event.at >= since
    const past = this.events.find(wanted)
    if (past !== undefined) return Promise.resolve(past)
    let listener: ((event: DaemonEvent) => void) | undefined
    const coming = new Promise<DaemonEvent>((resolve, reject) => {
      listener = (event) => {
        if (wanted(event)) resolve(event)
        else if (event.name === 'exit') reject(this.died(null))
      }
      this.listeners.add(listener)
      if (this.gone) reject(this.died(null))
    })
    return within(timeoutMs, `${this.process.name}: event '${name}'`, coming).finally(() => {
      if (listener !== undefined) this.listeners.delete(listener)
    })
  }

  /** Asks it to leave; ends it after two seconds. */
  async quit(): Promise<void> {
    if (this.gone) return
    this.process.child.stdin.end(`${JSON.stringify({ id: 0, cmd: 'quit' })}\n`)
    await this.process.ended(2000)
  }

  private receive(line: string): void {
    const fields = parseFields(line)
    if (fields === null) return
    if (typeof fields.event === 'string') {
      this.publish({ name: fields.event, fields, at: performance.now() })
      return
    }
    const request = typeof fields.id === 'number' ? this.pending.get(fields.id) : undefined
    if (request === undefined) return
    this.pending.delete(Number(fields.id))
    if (fields.ok === true) request.resolve(fields)
    else request.reject(new Error(`${this.process.name}: ${String(fields.error)}`))
  }

  private publish(event: DaemonEvent): void {
    this.events.push(event)
    for (const listener of this.listeners) listener(event)
  }

  private died(code: number | null): Error {
    return new Error(`${this.process.name} ended${code === null ? '' : ` (${code})`}:\n${this.process.logTail()}`)
  }
}
