import { addressToBytes } from '../src/address/addressBytes.ts'
import { type Endpoint, isV6 } from '../src/address/endpoint.ts'
import type { LibtorrentError } from '../src/errors/libtorrentError.ts'
import type { Resolver } from '../src/platform/resolver.ts'
import type { Stream, StreamHandler, Tcp } from '../src/platform/tcp.ts'
import type { Udp, UdpSocket } from '../src/platform/udp.ts'
import type { ProxyTarget } from '../src/proxy/proxyHandshake.ts'
import { decodeSocksAddress, encodeSocksAddress, socksAddressLength } from '../src/proxy/socksAddress.ts'
import { unwrapPacket, wrapPacket } from '../src/proxy/udpHeader.ts'
import { concatBytes, fromLatin1, latin1, readU16 } from '../src/util/bytes.ts'

/** What a proxy of the tests speaks and does. */
export interface ProxyServerOptions {
  /** Its protocol. */
  readonly kind: 'socks4' | 'socks5' | 'http'
  /** Default 1080; 0: any. */
  readonly port?: number
  /** Who may use it, `name:password` (SOCKS4: the name). Default: everybody. */
  readonly login?: string
  /** SOCKS5: carries UDP. Default true. */
  readonly carriesUdp?: boolean
  /** Names this as the address of its UDP relay instead of its own. */
  readonly relayAddress?: string
}

/** Something a proxy was asked for. */
export interface ProxyRequest {
  /** A connection, or a relay for packets. */
  readonly command: 'connect' | 'udp'
  /** The name or address asked for; for `udp` what the client says of itself. */
  readonly host: string
  /** The port of `host`. */
  readonly port: number
}

/** The world a proxy is in. */
export interface ProxyServerWorld {
  readonly tcp: Tcp
  readonly udp: Udp
  readonly resolver: Resolver
  /** Its own address. */
  readonly address: string
}

/** A proxy for tests, in the simulated world or the real one: makes connections, and sends packets, for others. */
export class ProxyServer {
  readonly requests: ProxyRequest[] = []
  /** Where packets were to go: names and addresses as they were told. */
  readonly packetsTo: ProxyTarget[] = []
  private readonly clients = new Set<Stream>()

  constructor(
    private readonly world: ProxyServerWorld,
    private readonly options: ProxyServerOptions,
    /** Told the port once it listens. */
    private readonly onListening: (port: number, close: () => void) => void = () => {},
  ) {
    world.tcp.listen(
      { address: '0.0.0.0', port: options.port ?? 1080 },
      (stream) => this.accept(stream),
      (result) => {
        if ('code' in result) throw result
        this.onListening(result.local.port, () => result.close())
      },
    )
  }

  /** Names and addresses that were asked for by TCP. */
  get targets(): string[] {
    return this.requests.filter(({ command }) => command === 'connect').map(({ host, port }) => `${host}:${port}`)
  }

  /** Ends what goes through it; new clients are served. */
  dropClients(): void {
    for (const client of this.clients) client.destroy()
    this.clients.clear()
  }

  private accept(stream: Stream): void {
    this.clients.add(stream)
    let bytes: Uint8Array = new Uint8Array(0)
    let stage: 'greeting' | 'login' | 'request' = this.options.kind === 'socks5' ? 'greeting' : 'request'
    const refuse = (reply: Uint8Array) => {
      stream.write(reply)
      stream.end()
    }
    stream.setHandler({
      onConnected: () => {},
      onDrain: () => {},
      onClosed: () => this.clients.delete(stream),
      onData: (chunk) => {
        bytes = concatBytes(bytes, chunk)
        if (stage === 'greeting') {
          if (bytes.length < 2 || bytes.length < 2 + bytes[1]) return
          const methods = bytes.subarray(2, 2 + bytes[1])
          const method = this.options.login === undefined ? 0 : 2
          bytes = bytes.slice(2 + bytes[1])
          if (!methods.includes(method)) return refuse(Uint8Array.of(5, 0xff))
          stage = method === 2 ? 'login' : 'request'
          stream.write(Uint8Array.of(5, method))
        }
        if (stage === 'login') {
          if (bytes.length < 2 || bytes.length < 3 + bytes[1] || bytes.length < 3 + bytes[1] + bytes[2 + bytes[1]])
            return
          const name = latin1(bytes.subarray(2, 2 + bytes[1]))
          const at = 3 + bytes[1]
          const password = latin1(bytes.subarray(at, at + bytes[at - 1]))
          bytes = bytes.slice(at + bytes[at - 1])
          if (`${name}:${password}` !== this.options.login) return refuse(Uint8Array.of(1, 1))
          stage = 'request'
          stream.write(Uint8Array.of(1, 0))
        }
        if (stage === 'request') this.onRequest(stream, bytes, refuse)
      },
    })
  }

  private onRequest(stream: Stream, bytes: Uint8Array, refuse: (reply: Uint8Array) => void): void {
    if (this.options.kind === 'http') return this.onConnectLine(stream, bytes, refuse)
    if (this.options.kind === 'socks4') return this.onSocks4(stream, bytes, refuse)
    if (bytes.length < 5 || bytes.length < 3 + (socksAddressLength(bytes, 3) ?? 0)) return
    const { target } = decodeSocksAddress(bytes, 3) as { target: ProxyTarget }
    const reply = (code: number, bound: ProxyTarget) =>
      concatBytes(Uint8Array.of(5, code, 0), encodeSocksAddress(bound))
    const nowhere = { host: '0.0.0.0', port: 0 }
    if (bytes[1] === 3) {
      this.requests.push({ command: 'udp', ...target })
      if (this.options.carriesUdp === false) return refuse(reply(7, nowhere))
      return this.relay(stream, (socket) => {
        const host = this.options.relayAddress ?? this.world.address
        stream.write(reply(0, { host, port: socket.local.port }))
      })
    }
    this.connect(stream, target, (error) => {
      if (error === null) stream.write(reply(0, nowhere))
      else refuse(reply(error.code === 'ECONNREFUSED' ? 5 : 4, nowhere))
    })
  }

  private onSocks4(stream: Stream, bytes: Uint8Array, refuse: (reply: Uint8Array) => void): void {
    const end = bytes.indexOf(0, 8)
    if (end === -1) return
    const isName = bytes[4] === 0 && bytes[5] === 0 && bytes[6] === 0
    const nameEnd = isName ? bytes.indexOf(0, end + 1) : end
    if (nameEnd === -1) return
    const user = latin1(bytes.subarray(8, end))
    const host = isName ? latin1(bytes.subarray(end + 1, nameEnd)) : bytes.subarray(4, 8).join('.')
    const reply = (code: number) => Uint8Array.of(0, code, 0, 0, 0, 0, 0, 0)
    if (this.options.login !== undefined && user !== this.options.login) return refuse(reply(93))
    this.connect(stream, { host, port: readU16(bytes, 2) }, (error) => {
      if (error === null) stream.write(reply(90))
      else refuse(reply(91))
    })
  }

  private onConnectLine(stream: Stream, bytes: Uint8Array, refuse: (reply: Uint8Array) => void): void {
    const text = latin1(bytes)
    if (!text.includes('\r\n\r\n')) return
    const plain = /^([A-Z]+) http:\/\/([^:/]+)(?::(\d+))?(\/.*)$/s.exec(text)
    if (plain !== null && this.options.login === undefined) {
      const [, method, host, port = '80', rest] = plain
      return this.connect(stream, { host, port: Number(port) }, (error, server) => {
        if (error !== null) return refuse(fromLatin1('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
        server?.write(fromLatin1(`${method} ${rest}`))
      })
    }
    const match = /^CONNECT (?:\[(.+)\]|([^:]+)):(\d+) HTTP\/1\.1\r\n/.exec(text)
    const login = /^Proxy-Authorization: Basic (.*)$/im.exec(text)?.[1] ?? ''
    if (match === null) return refuse(fromLatin1('HTTP/1.1 400 Bad Request\r\n\r\n'))
    if (this.options.login !== undefined && Buffer.from(login.trim(), 'base64').toString() !== this.options.login) {
      return refuse(fromLatin1('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'))
    }
    this.connect(stream, { host: match[1] ?? match[2], port: Number(match[3]) }, (error) => {
      if (error === null) stream.write(fromLatin1('HTTP/1.1 200 Connection established\r\nVia: sim\r\n\r\n'))
      else refuse(fromLatin1('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
    })
  }

  /** Connects for `client`, and passes on what either side sends. */
  private connect(
    client: Stream,
    target: ProxyTarget,
    done: (error: LibtorrentError | null, server?: Stream) => void,
  ): void {
    this.requests.push({ command: 'connect', ...target })
    client.setHandler({ onConnected: () => {}, onData: () => {}, onDrain: () => {}, onClosed: () => {} })
    this.world.resolver.resolve(target.host, (found) => {
      if ('code' in found) return done(found)
      let connected = false
      const server: Stream = this.world.tcp.connect(
        { address: found[0], port: target.port },
        {},
        {
          ...passTo(client),
          onConnected: () => {
            connected = true
            client.setHandler({
              ...passTo(server),
              onClosed: () => {
                this.clients.delete(client)
                server.end()
              },
            })
            done(null, server)
          },
          onClosed: (error) => {
            if (!connected) done(error)
            else client.end()
          },
        },
      )
    })
  }

  /** Carries packets for as long as `control` stands. */
  private relay(control: Stream, done: (socket: UdpSocket) => void): void {
    let client: Endpoint | null = null
    let socket: UdpSocket | null = null
    const buffer = new Uint8Array(65_507)
    const send = (packet: Uint8Array, to: Endpoint) => socket?.send(packet, to)
    control.setHandler({
      onConnected: () => {},
      onData: () => {},
      onDrain: () => {},
      onClosed: () => {
        this.clients.delete(control)
        socket?.close()
      },
    })
    const onPacket = (packet: Uint8Array, from: Endpoint) => {
      const isClient = from.address === control.remote.address
      if (!isClient) {
        if (client === null) return
        const wrapped = wrapPacket(packet, { host: from.address, port: from.port }, buffer)
        return wrapped === null ? undefined : send(wrapped, client)
      }
      client = from
      const unwrapped = unwrapPacket(packet)
      if (unwrapped === null) return
      const { host, port } = unwrapped.from
      this.packetsTo.push(unwrapped.from)
      if (addressToBytes(host) !== null) {
        return isV6(host) ? undefined : send(unwrapped.packet, { address: host, port })
      }
      const copy = new Uint8Array(unwrapped.packet)
      this.world.resolver.resolve(host, (found) => {
        if (!('code' in found)) send(copy, { address: found[0], port })
      })
    }
    this.world.udp.bind({ address: '0.0.0.0', port: 0 }, { onPacket, onError: () => {} }, (result) => {
      if ('code' in result) throw result
      socket = result
      done(result)
    })
  }
}

function passTo(other: Stream): StreamHandler {
  return {
    onConnected: () => {},
    // What arrives is lent only.
    onData: (chunk) => void other.write(new Uint8Array(chunk)),
    onDrain: () => {},
    onClosed: () => other.end(),
  }
}
