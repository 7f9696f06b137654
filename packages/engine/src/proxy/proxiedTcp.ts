import { LibtorrentError } from '../errors/libtorrentError.ts'
import { SocketType } from '../platform/socketType.ts'
import type { Tcp } from '../platform/tcp.ts'
import { FailedStream } from './failedStream.ts'
import { makeHandshake } from './makeHandshake.ts'
import { notCarriedError } from './notCarried.ts'
import type { TcpWay } from './proxyPolicy.ts'
import { ProxyStream, type ProxyStreamHost } from './proxyStream.ts'

/** Connections that go the way the settings say when they begin. */
export function proxiedTcp(host: ProxyStreamHost, way: () => TcpWay): Pick<Tcp, 'connect'> {
  return {
    connect(remote, options, handler) {
      const route = way()
      if (route === 'direct') return host.tcp.connect(remote, options, handler)
      if (route === 'never') return new FailedStream(host.timers, SocketType.tcp, remote, notCarriedError(), handler)
      const handshake = makeHandshake(route, { host: remote.address, port: remote.port })
      if (!(handshake instanceof LibtorrentError)) {
        return new ProxyStream(host, { route, remote, handshake, connect: options }, handler)
      }
      const socketType = route.kind === 'http' ? SocketType.http : SocketType.socks5
      return new FailedStream(host.timers, socketType, remote, handshake, handler)
    },
  }
}
