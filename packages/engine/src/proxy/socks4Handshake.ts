import { addressToBytes } from '../address/addressBytes.ts'
import { concatBytes, fromLatin1, utf8, writeU16 } from '../util/bytes.ts'
import type { HandshakeStep, ProxyHandshake, ProxyTarget } from './proxyHandshake.ts'
import { socks4Failure, socksFailure } from './socksReplies.ts'

const VERSION = 4
const CONNECT = 1
const GRANTED = 90
const REPLY_BYTES = 8
const END = Uint8Array.of(0)
/** 4a: an address that cannot be one says that a name follows. */
const NAME_FOLLOWS = Uint8Array.of(0, 0, 0, 1)

/** SOCKS version 4, and 4a for names. `target` is a name or an IPv4 address. */
export class Socks4Handshake implements ProxyHandshake {
  readonly isAsking = true
  private readonly reply = new Uint8Array(REPLY_BYTES)
  private have = 0

  constructor(
    private readonly target: ProxyTarget,
    /** Identifies us; without characters of value 0. */
    private readonly username: string,
  ) {}

  start(): Uint8Array {
    const address = addressToBytes(this.target.host)
    const head = Uint8Array.of(VERSION, CONNECT, 0, 0)
    writeU16(head, 2, this.target.port)
    const user = concatBytes(utf8(this.username), END)
    if (address !== null) return concatBytes(head, address, user)
    return concatBytes(head, NAME_FOLLOWS, user, fromLatin1(this.target.host), END)
  }

  push(bytes: Uint8Array): HandshakeStep {
    const taken = Math.min(REPLY_BYTES - this.have, bytes.length)
    this.reply.set(bytes.subarray(0, taken), this.have)
    this.have += taken
    // The version of a reply is 0; some proxies send their own.
    if (this.have > 0 && this.reply[0] !== 0 && this.reply[0] !== VERSION) {
      return { name: 'failed', error: socksFailure('unsupportedVersion', 'proxy') }
    }
    if (this.have > 1 && this.reply[1] !== GRANTED) return { name: 'failed', error: socks4Failure(this.reply[1]) }
    if (this.have < REPLY_BYTES) return { name: 'wait', send: null }
    return { name: 'done', rest: bytes.subarray(taken), bound: null }
  }
}
