import { isV6 } from '../address/endpoint.ts'
import { httpError, type LibtorrentError, libtorrentError } from '../errors/libtorrentError.ts'
import type { ProxyLogin } from '../platform/proxyRoute.ts'
import { fromLatin1, latin1, utf8 } from '../util/bytes.ts'
import type { HandshakeStep, ProxyHandshake, ProxyTarget } from './proxyHandshake.ts'

/** All header lines of the answer together. */
const MAX_ANSWER_BYTES = 16 * 1024
const START = fromLatin1('HTTP/1.')
const STATUS_LINE = /^HTTP\/1\.[01] ([1-5]\d\d)(?: [^\r\n]*)?\r?\n/
const LF = 10
const CR = 13
const PROXY_LOGIN_REQUIRED = 407

/** A tunnel through an HTTP proxy (RFC 9110, section 9.3.6). */
export class HttpConnectHandshake implements ProxyHandshake {
  readonly isAsking = true
  private answer = new Uint8Array(512)
  private have = 0

  constructor(
    private readonly target: ProxyTarget,
    private readonly login: ProxyLogin | null,
  ) {}

  start(): Uint8Array {
    const { host, port } = this.target
    const authority = `${isV6(host) ? `[${host}]` : host}:${port}`
    const login = this.login === null ? '' : `Proxy-Authorization: ${basicCredentials(this.login)}\r\n`
    return fromLatin1(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${login}\r\n`)
  }

  push(bytes: Uint8Array): HandshakeStep {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]
      if (this.have < START.length && byte !== START[this.have]) return failed(notHttp())
      if (this.have === MAX_ANSWER_BYTES) return failed(libtorrentError('packetTooLarge', { operation: 'proxy' }))
      this.append(byte)
      if (byte === LF && this.isComplete()) return this.onAnswer(bytes.subarray(at + 1))
    }
    return { name: 'wait', send: null }
  }

  private append(byte: number): void {
    if (this.have === this.answer.length) {
      const larger = new Uint8Array(this.answer.length * 2)
      larger.set(this.answer)
      this.answer = larger
    }
    this.answer[this.have++] = byte
  }

  /** The line that has just ended is empty. */
  private isComplete(): boolean {
    const { answer, have } = this
    if (answer[have - 2] === LF) return true
    return answer[have - 2] === CR && answer[have - 3] === LF
  }

  private onAnswer(rest: Uint8Array): HandshakeStep {
    const match = STATUS_LINE.exec(latin1(this.answer.subarray(0, this.have)))
    if (match === null) return failed(notHttp())
    const status = Number(match[1])
    if (status >= 200 && status < 300) return { name: 'done', rest, bound: null }
    return failed(httpError(status, { operation: status === PROXY_LOGIN_REQUIRED ? 'proxy' : 'connect' }))
  }
}

/** Value of an `Authorization` or `Proxy-Authorization` header (RFC 7617). */
export function basicCredentials({ username, password }: ProxyLogin): string {
  return `Basic ${Buffer.from(utf8(`${username}:${password}`)).toString('base64')}`
}

function failed(error: LibtorrentError): HandshakeStep {
  return { name: 'failed', error }
}

function notHttp(): LibtorrentError {
  return libtorrentError('httpParseError', { operation: 'proxy' })
}
