import type { LibtorrentError } from '../errors/libtorrentError.ts'
import type { ProxyLogin } from '../platform/proxyRoute.ts'
import { concatBytes, utf8 } from '../util/bytes.ts'
import type { HandshakeStep, ProxyHandshake, ProxyTarget } from './proxyHandshake.ts'
import { decodeSocksAddress, encodeSocksAddress, MAX_SOCKS_ADDRESS_BYTES, socksAddressLength } from './socksAddress.ts'
import { socks5Failure, socksFailure } from './socksReplies.ts'

const VERSION = 5
const NO_LOGIN = 0
const NAME_AND_PASSWORD = 2
const LOGIN_VERSION = 1
/** Version, result and a reserved byte before the address. */
const REPLY_HEAD_BYTES = 3
/** A name or password beyond is cut, as in libtorrent. */
const MAX_LOGIN_BYTES = 255

/** What a SOCKS5 proxy is asked for; the numbers are the protocol's. */
export const Socks5Command = { connect: 1, udpAssociate: 3 } as const
export type Socks5Command = (typeof Socks5Command)[keyof typeof Socks5Command]

/** SOCKS version 5 (RFC 1928), with user name and password if the proxy asks for them (RFC 1929). */
export class Socks5Handshake implements ProxyHandshake {
  /** Which answer is being waited for. */
  private stage: 'method' | 'login' | 'reply' = 'method'
  /** The answer so far. */
  private readonly answer = new Uint8Array(REPLY_HEAD_BYTES + MAX_SOCKS_ADDRESS_BYTES)
  private have = 0

  constructor(
    private readonly target: ProxyTarget,
    private readonly login: ProxyLogin | null,
    private readonly command: Socks5Command = Socks5Command.connect,
  ) {}

  get isAsking(): boolean {
    return this.stage === 'reply'
  }

  start(): Uint8Array {
    if (this.login === null) return Uint8Array.of(VERSION, 1, NO_LOGIN)
    return Uint8Array.of(VERSION, 2, NO_LOGIN, NAME_AND_PASSWORD)
  }

  push(bytes: Uint8Array): HandshakeStep {
    let at = 0
    while (at < bytes.length) {
      this.answer[this.have++] = bytes[at++]
      const failure = this.firstFault()
      if (failure !== null) return { name: 'failed', error: failure }
      if (this.have === this.answerLength()) return this.onAnswer(bytes.subarray(at))
    }
    return { name: 'wait', send: null }
  }

  /** What is wrong is told as soon as it is seen: some proxies do not send the rest of a refusal. */
  private firstFault(): LibtorrentError | null {
    const [version, result] = this.answer
    if (this.have === 1) {
      if (version === (this.stage === 'login' ? LOGIN_VERSION : VERSION)) return null
      return this.stage === 'login'
        ? socksFailure('unsupportedAuthenticationVersion', 'proxy')
        : socksFailure('unsupportedVersion', 'proxy')
    }
    if (this.have !== 2) return this.answerLength() === null ? socksFailure('generalFailure', 'proxy') : null
    if (this.stage === 'login') return result === 0 ? null : socksFailure('authenticationError', 'proxy')
    if (this.stage === 'reply') return result === 0 ? null : socks5Failure(result)
    if (result === NO_LOGIN || (result === NAME_AND_PASSWORD && this.login !== null)) return null
    return socksFailure(result === NAME_AND_PASSWORD ? 'usernameRequired' : 'unsupportedAuthenticationMethod', 'proxy')
  }

  /** Length of the answer as far as it is known; null when it is no answer. */
  private answerLength(): number | null {
    if (this.stage !== 'reply') return 2
    if (this.have < REPLY_HEAD_BYTES + 1) return REPLY_HEAD_BYTES + 1
    const address = socksAddressLength(this.answer, REPLY_HEAD_BYTES, this.have)
    return address === null ? null : REPLY_HEAD_BYTES + address
  }

  private onAnswer(rest: Uint8Array): HandshakeStep {
    if (this.stage === 'reply') {
      const bound = decodeSocksAddress(this.answer.subarray(0, this.have), REPLY_HEAD_BYTES)
      return { name: 'done', rest, bound: bound?.target ?? null }
    }
    // Nothing was asked that this could be an answer to.
    if (rest.length > 0) return { name: 'failed', error: socksFailure('generalFailure', 'proxy') }
    const wantsLogin = this.stage === 'method' && this.answer[1] === NAME_AND_PASSWORD
    this.have = 0
    this.stage = wantsLogin ? 'login' : 'reply'
    return { name: 'wait', send: wantsLogin ? this.loginMessage() : this.request() }
  }

  private loginMessage(): Uint8Array {
    const name = utf8(this.login?.username ?? '').subarray(0, MAX_LOGIN_BYTES)
    const password = utf8(this.login?.password ?? '').subarray(0, MAX_LOGIN_BYTES)
    return concatBytes(Uint8Array.of(LOGIN_VERSION, name.length), name, Uint8Array.of(password.length), password)
  }

  private request(): Uint8Array {
    return concatBytes(Uint8Array.of(VERSION, this.command, 0), encodeSocksAddress(this.target))
  }
}
