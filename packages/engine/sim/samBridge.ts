import { createHash } from 'node:crypto'
import { i2pAddressOf } from '../src/address/i2pAddress.ts'
import { parseSamMessage, SamLines, type SamMessage } from '../src/i2p/samMessage.ts'
import type { Stream, StreamHandler, Tcp } from '../src/platform/tcp.ts'
import { fromLatin1 } from '../src/util/bytes.ts'

/** A program inside I2P: it has a destination, and is reached through a bridge. */
interface SamSession {
  readonly id: string
  readonly destination: string
  readonly control: Stream
  /** Connections to the bridge that wait for somebody. */
  readonly acceptors: Stream[]
  /** Who waits for such a connection. */
  readonly callers: { readonly stream: Stream; readonly from: string }[]
}

/** A server inside I2P. It is given the client's end of each connection. */
type I2pServer = (client: Stream) => void

/** A full destination for tests, another one for each name. */
export function testDestination(name: string): string {
  const bytes = new Uint8Array(391).fill(7)
  bytes.set(createHash('sha512').update(name).digest())
  return Buffer.from(bytes).toString('base64').replaceAll('+', '-').replaceAll('/', '~')
}

/** The base 32 name of a destination. */
export function testAddress(destination: string): string {
  const bytes = Buffer.from(destination.replaceAll('-', '+').replaceAll('~', '/'), 'base64')
  return i2pAddressOf(createHash('sha256').update(bytes).digest())
}

/**
 * An I2P router for tests, in the simulated world or the real one, as its SAM bridge shows it; and all of I2P behind it:
 * those who have a session with this bridge reach each other, and the servers it knows.
 */
export class SamBridge {
  /** Every command that came, in order, without what is different each time. */
  readonly commands: string[] = []
  readonly sessions = new Map<string, SamSession>()
  private readonly servers = new Map<string, I2pServer>()
  private readonly clients = new Set<Stream>()
  private made = 0

  constructor(
    tcp: Tcp,
    options: { readonly address?: string; readonly port?: number } = {},
    /** Told the port once it listens. */
    onListening: (port: number, close: () => void) => void = () => {},
  ) {
    tcp.listen(
      { address: options.address ?? '0.0.0.0', port: options.port ?? 7656 },
      (stream) => this.accept(stream),
      (result) => {
        if ('code' in result) throw result
        onListening(result.local.port, () => result.close())
      },
    )
  }

  /** A server that is known by a name of the address book. */
  serve(name: string, server: I2pServer): void {
    this.servers.set(name, server)
  }

  /** Full destinations of those who have a session, in the order they came. */
  get destinations(): string[] {
    return [...this.sessions.values()].map(({ destination }) => destination)
  }

  /** The router is restarted: everything ends. */
  dropClients(): void {
    for (const client of [...this.clients]) client.destroy()
    this.clients.clear()
    this.sessions.clear()
  }

  private accept(stream: Stream): void {
    this.clients.add(stream)
    const lines = new SamLines()
    const on = (chunk: Uint8Array): void => {
      const read = lines.read(chunk)
      if (read === null) return
      const message = read === 'tooLong' ? null : parseSamMessage(read.line)
      if (message === null || read === 'tooLong') return stream.destroy()
      this.commands.push(`${message.name} ${[...message.values.keys()].join(' ')}`)
      this.onCommand(stream, message)
      if (read.rest.length > 0) on(read.rest)
    }
    stream.setHandler({
      onConnected: () => {},
      onDrain: () => {},
      onClosed: () => this.onGone(stream),
      onData: on,
    })
  }

  private onGone(stream: Stream): void {
    this.clients.delete(stream)
    for (const session of this.sessions.values()) {
      const at = session.acceptors.indexOf(stream)
      if (at !== -1) session.acceptors.splice(at, 1)
      if (session.control === stream) this.sessions.delete(session.id)
    }
  }

  private onCommand(stream: Stream, { name, values }: SamMessage): void {
    const say = (line: string) => void stream.write(fromLatin1(`${line}\n`))
    const id = values.get('ID') ?? ''
    const session = this.sessions.get(id)
    switch (name) {
      case 'HELLO VERSION':
        return say('HELLO REPLY RESULT=OK VERSION=3.1')
      case 'SESSION CREATE': {
        const destination = testDestination(`session ${++this.made}`)
        this.sessions.set(id, { id, destination, control: stream, acceptors: [], callers: [] })
        return say(`SESSION STATUS RESULT=OK DESTINATION=${destination}privatepart`)
      }
      case 'NAMING LOOKUP':
        return say(this.lookUp(values.get('NAME') ?? '', stream))
      case 'STREAM ACCEPT':
        if (session === undefined) return say('STREAM STATUS RESULT=INVALID_ID MESSAGE="no such session"')
        say('STREAM STATUS RESULT=OK')
        session.acceptors.push(stream)
        return this.pair(session)
      case 'STREAM CONNECT': {
        if (session === undefined) return say('STREAM STATUS RESULT=INVALID_ID MESSAGE="no such session"')
        return this.connect(stream, session, values.get('DESTINATION') ?? '', say)
      }
      default:
        return stream.destroy()
    }
  }

  private lookUp(name: string, stream: Stream): string {
    const own = [...this.sessions.values()].find(({ control }) => control === stream)
    const all = [...this.destinations, ...[...this.servers.keys()].map(testDestination)]
    const found =
      name === 'ME'
        ? own?.destination
        : this.servers.has(name)
          ? testDestination(name)
          : all.find((destination) => testAddress(destination) === name)
    const result = found === undefined ? 'RESULT=KEY_NOT_FOUND' : 'RESULT=OK'
    return `NAMING REPLY ${result} NAME=${name}${found === undefined ? '' : ` VALUE=${found}`}`
  }

  private connect(stream: Stream, from: SamSession, destination: string, say: (line: string) => void): void {
    for (const [name, server] of this.servers) {
      if (testDestination(name) !== destination) continue
      say('STREAM STATUS RESULT=OK')
      return server(stream)
    }
    const target = [...this.sessions.values()].find((session) => session.destination === destination)
    if (target === undefined) return say('STREAM STATUS RESULT=CANT_REACH_PEER MESSAGE="nobody \\"there\\""')
    target.callers.push({ stream, from: from.destination })
    this.pair(target)
  }

  private pair(session: SamSession): void {
    const { acceptors, callers } = session
    while (acceptors.length > 0 && callers.length > 0) {
      const acceptor = acceptors.shift() as Stream
      const { stream, from } = callers.shift() as (typeof callers)[number]
      acceptor.setHandler(this.passing(acceptor, stream))
      stream.setHandler(this.passing(stream, acceptor))
      acceptor.write(fromLatin1(`${from}\n`))
      stream.write(fromLatin1('STREAM STATUS RESULT=OK\n'))
    }
  }

  private passing(from: Stream, to: Stream): StreamHandler {
    return {
      onConnected: () => {},
      // What arrives is lent only.
      onData: (chunk) => void to.write(new Uint8Array(chunk)),
      onDrain: () => {},
      onClosed: () => {
        this.clients.delete(from)
        to.end()
      },
    }
  }
}
