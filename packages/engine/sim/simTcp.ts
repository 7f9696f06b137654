import { type Endpoint, endpointText, isV6 } from '../src/address/endpoint.ts'
import type { LibtorrentError } from '../src/errors/libtorrentError.ts'
import type { Stream, StreamHandler, Tcp, TcpConnectOptions, TcpListener } from '../src/platform/tcp.ts'
import { simError } from './simErrors.ts'
import { type ConnectionTarget, isLoopback, type SimHost } from './simHost.ts'
import type { SimNetwork } from './simNetwork.ts'
import type { SimProcess, SimResource } from './simProcess.ts'
import { SimStream } from './simStream.ts'

/** Linux sends the first packet of a connection again after 1, 3, 7, ... seconds, and gives up after 127. */
const FIRST_RETRY_MS = 1000
const CONNECT_ATTEMPTS = 7

/** TCP as one program on a simulated host sees it. */
export class SimTcp implements Tcp {
  private readonly network: SimNetwork
  private readonly host: SimHost

  constructor(private readonly process: SimProcess) {
    this.network = process.network
    this.host = process.host
  }

  connect(remote: Endpoint, options: TcpConnectOptions, handler: StreamHandler): Stream {
    const stream = new SimStream(this.process, remote, this.host.socketBuffer, this.host.socketBuffer)
    stream.setHandler(handler)
    this.network.log.add(`connect ${stream.describe()}`)
    const source = this.chooseSource(remote, options)
    if ('local' in source) this.knock(stream, source.local, 0)
    else this.process.soon(() => stream.connectFailed(source.error))
    return stream
  }

  listen(
    local: Endpoint,
    onAccept: (stream: Stream) => void,
    done: (result: TcpListener | LibtorrentError) => void,
  ): void {
    if (!this.host.canBind(local.address)) {
      return this.process.soon(() => done(simError('EADDRNOTAVAIL', 'listen')))
    }
    const listener = new SimListener(this.process, onAccept)
    const bound = this.host.tcpPorts.bind(local, listener as ConnectionTarget<unknown>)
    if (bound === null) return this.process.soon(() => done(simError('EADDRINUSE', 'listen')))
    listener.local = bound
    this.process.adopt('listener', listener)
    this.network.log.add(`listen ${listener.describe()}`)
    this.process.soon(() => done(listener))
  }

  private chooseSource(
    remote: Endpoint,
    options: TcpConnectOptions,
  ): { readonly local: Endpoint } | { readonly error: LibtorrentError } {
    const wanted = options.localAddress
    if (wanted !== undefined && !this.host.canBind(wanted)) return { error: simError('EADDRNOTAVAIL', 'connect') }
    const address =
      wanted === undefined || wanted === '0.0.0.0' || wanted === '::' ? this.host.sourceFor(remote.address) : wanted
    if (address === null || isV6(address) !== isV6(remote.address)) return { error: simError('ENETUNREACH', 'connect') }
    const port = options.localPort || this.host.tcpPorts.freePort(address)
    if (options.localPort && this.host.tcpPorts.isTaken({ address, port })) {
      return { error: simError('EADDRINUSE', 'connect') }
    }
    return { local: { address, port } }
  }

  /** Sends the first packet of a connection, and again later as long as nobody answers. */
  private knock(stream: SimStream, local: Endpoint, attempt: number): void {
    const { network, host } = this
    if (!stream.isConnecting) return
    if (attempt === CONNECT_ATTEMPTS) return stream.connectFailed(simError('ETIMEDOUT', 'connect'))
    network.time.after(FIRST_RETRY_MS * 2 ** attempt, () => this.knock(stream, local, attempt + 1))

    const target = network.hostAt(stream.remote.address, host)
    if (target === null) {
      if (network.isBlackHole(stream.remote.address)) return
      network.time.after(2 * host.latency, () => stream.connectFailed(simError('EHOSTUNREACH', 'connect')))
      return
    }
    if (isLoopback(local.address) && target !== host) {
      return this.process.soon(() => stream.connectFailed(simError('ENETUNREACH', 'connect')))
    }
    network.control(host, target, () => {
      // Nothing asked for comes in: the router swallows it.
      if (target !== host && target.nat !== null) return
      const listener = target.tcpPorts.find(stream.remote)
      network.control(target, host, () => {
        if (!stream.isConnecting) return
        if (listener === null) return stream.connectFailed(simError('ECONNREFUSED', 'connect'))
        stream.local = local
        stream.remoteHost = target
        // The last packet of the handshake; what the connecting side sends first travels behind it.
        network.control(host, target, () => target.tcpPorts.find(stream.remote)?.accept(stream))
        stream.established()
      })
    })
  }
}

class SimListener implements TcpListener, ConnectionTarget<SimStream>, SimResource {
  local: Endpoint = { address: '', port: 0 }

  constructor(
    private readonly process: SimProcess,
    private readonly onAccept: (stream: Stream) => void,
  ) {}

  accept(client: SimStream): void {
    const { host } = this.process
    if (client.local === null || client.isGone) return
    const from = client.host === host ? client.local : (client.host.nat?.tcpSource(client.local) ?? client.local)
    const stream = new SimStream(this.process, from, host.socketBuffer, host.socketBuffer)
    stream.local = client.remote
    stream.acceptedFrom(client)
    this.process.network.log.add(`accepted ${stream.describe()}`)
    this.onAccept(stream)
    if (stream.isOpen && !stream.hasHandler) throw new Error('onAccept must set a handler on the stream it is given')
  }

  close(): void {
    this.process.host.tcpPorts.release(this.local, this as ConnectionTarget<unknown>)
    this.process.release(this)
  }

  kill(): void {
    this.close()
  }

  describe(): string {
    return `on ${endpointText(this.local)}`
  }
}
