import { type I2pErrorCode, i2pError, type LibtorrentError, type Operation } from '../errors/libtorrentError.ts'
import type { HandshakeStep, ProxyHandshake } from '../proxy/proxyHandshake.ts'
import { parseSamMessage, SamLines, type SamMessage, samLine } from './samMessage.ts'

/** What a line of the bridge leads to. */
export type SamStep =
  /** It is told this, and has to answer. */
  | { readonly name: 'say'; readonly line: Uint8Array }
  /** It will say more by itself. */
  | { readonly name: 'listen' }
  | { readonly name: 'done' }
  | { readonly name: 'failed'; readonly error: LibtorrentError }

/**
 * The client's side of SAM, version 3 (https://geti2p.net/en/docs/api/samv3), up to where a connection to the bridge
 * becomes what it was made for: a session, or a stream. Bytes only, one line kept at most. A bridge that says something
 * else than what it was asked, or says it before, has failed.
 */
export abstract class SamHandshake implements ProxyHandshake {
  private readonly lines = new SamLines()
  private isGreeted = false

  /** The bridge was asked for something that others may be to blame for. */
  abstract readonly isAsking: boolean

  start(): Uint8Array {
    return samLine('HELLO VERSION', { MIN: '3.0', MAX: '3.1' })
  }

  push(bytes: Uint8Array): HandshakeStep {
    let rest = bytes
    for (;;) {
      const read = this.lines.read(rest)
      if (read === null) return { name: 'wait', send: null }
      if (read === 'tooLong') return garbage()
      rest = read.rest
      const step = this.isGreeted ? this.onLine(read.line) : this.onGreeting(read.line)
      if (step.name === 'done') return { name: 'done', rest, bound: null }
      if (step.name === 'failed') return step
      if (step.name === 'listen') continue
      // Nothing was asked that this could be an answer to.
      return rest.length > 0 ? garbage() : { name: 'wait', send: step.line }
    }
  }

  /** The bridge has answered the greeting: what it is told next. */
  protected abstract greeted(): Uint8Array
  protected abstract onLine(line: string): SamStep

  private onGreeting(line: string): SamStep {
    const reply = this.expect(line, 'HELLO REPLY', 'proxy')
    if (!('values' in reply)) return reply
    this.isGreeted = true
    return { name: 'say', line: this.greeted() }
  }

  /** The answer called `name` if it says that all is well; else why not. `operation`: what was being done. */
  protected expect(line: string, name: string, operation: Operation): SamMessage | SamStep {
    const message = parseSamMessage(line)
    if (message === null || message.name !== name) return garbage()
    const result = message.values.get('RESULT') ?? ''
    return result === 'OK' ? message : { name: 'failed', error: samFailure(result, operation) }
  }
}

const CODES: Readonly<Record<string, I2pErrorCode>> = {
  CANT_REACH_PEER: 'cantReachPeer',
  PEER_NOT_FOUND: 'cantReachPeer',
  LEASESET_NOT_FOUND: 'cantReachPeer',
  INVALID_KEY: 'invalidKey',
  INVALID_ID: 'invalidId',
  TIMEOUT: 'timeout',
  KEY_NOT_FOUND: 'keyNotFound',
  DUPLICATED_ID: 'duplicatedId',
  DUPLICATED_DEST: 'duplicatedId',
}

/** Results that tell something about the other side rather than about the bridge. */
const OF_PEERS: ReadonlySet<I2pErrorCode> = new Set(['cantReachPeer', 'invalidKey', 'timeout', 'keyNotFound'])

function samFailure(result: string, operation: Operation): LibtorrentError {
  const code = Object.hasOwn(CODES, result) ? CODES[result] : 'i2pError'
  return i2pError(code, { operation: OF_PEERS.has(code) ? operation : 'proxy' })
}

function garbage(): { readonly name: 'failed'; readonly error: LibtorrentError } {
  return { name: 'failed', error: i2pError('parseFailed', { operation: 'proxy' }) }
}

/** What the bridge names is no destination, or another one than was asked for. */
export function wrongDestination(): SamStep {
  return garbage()
}
