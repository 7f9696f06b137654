import { LibtorrentError, systemError } from '../errors/libtorrentError.ts'
import type { HttpRequest } from '../platform/http.ts'
import type { HttpStreamHandler, HttpStreamRequest, HttpStreams } from '../platform/httpStream.ts'
import type { LocalNetwork } from '../platform/localNetwork.ts'
import type { Platform } from '../platform/platform.ts'
import type { Stream, Tcp } from '../platform/tcp.ts'
import type { Tls } from '../platform/tls.ts'
import type { Udp, UdpHandler, UdpSocket } from '../platform/udp.ts'
import type { WebRtc } from '../platform/webRtc.ts'
import { type FaultReport, guarded } from '../util/guarded.ts'
import { refuseStream } from './refuseStream.ts'

/**
 * The world, with a guard at each of its ways into the engine: timers, packets, answers of name servers and HTTP
 * servers, listening, the local network. What our own code throws there goes to `report` and no further. Streams are handed through as they
 * are: whoever handles one ends it when handling it fails, which needs a guard of its own.
 */
export function guardedPlatform(world: Platform, report: FaultReport): Platform {
  const { clock, random, timers, resolver, http, xml } = world
  return {
    clock,
    random,
    timers: { after: (delay, callback) => timers.after(delay, guarded(callback, report)) },
    resolver: {
      resolve: (host, done) => resolver.resolve(host, guarded(done, report)),
      known: (host) => resolver.known?.(host) ?? null,
    },
    http: { get: (request, done) => http.get(guardedRequest(request, report), guarded(done, report)) },
    httpStreams: guardedHttpStreams(world.httpStreams, report),
    udp: guardedUdp(world.udp, report),
    tcp: guardedTcp(world.tcp, report),
    tls: guardedTls(world.tls, report),
    localNetwork: guardedLocalNetwork(world.localNetwork, report),
    // Reading ends before or in an answer that is guarded already.
    xml: { read: (text, handler, done) => xml.read(text, handler, guarded(done, report)) },
    ...(world.webRtc && { webRtc: guardedWebRtc(world.webRtc, report) }),
  }
}

/** Data channels become streams, and are handed through as those are. */
function guardedWebRtc(webRtc: WebRtc, report: FaultReport): WebRtc {
  return {
    loadWebSockets: (done) => webRtc.loadWebSockets(guarded(done, report)),
    loadPeers: (done) => webRtc.loadPeers(guarded(done, report)),
    connect: (request, handler) =>
      webRtc.connect(
        { ...request, checkAddress: (address) => judged(() => request.checkAddress?.(address) ?? null, report) },
        {
          onOpen: guarded(handler.onOpen.bind(handler), report),
          onMessage: guarded(handler.onMessage.bind(handler), report),
          onClosed: guarded(handler.onClosed.bind(handler), report),
        },
      ),
    newPeer: (options, handler) =>
      webRtc.newPeer(options, {
        onDescription: guarded(handler.onDescription.bind(handler), report),
        onChannel: guarded(handler.onChannel.bind(handler), report),
        onFailed: guarded(handler.onFailed.bind(handler), report),
      }),
  }
}

function guardedLocalNetwork(network: LocalNetwork, report: FaultReport): LocalNetwork {
  return {
    interfaces: () => network.interfaces(),
    defaultRoutes: (done) => network.defaultRoutes(guarded(done, report)),
    bindMulticast(options, handler, done) {
      network.bindMulticast(options, guardedHandler(handler, report), guardedBound(done, report))
    },
  }
}

function guardedUdp(udp: Udp, report: FaultReport): Udp {
  return {
    bind: (local, handler, done) => udp.bind(local, guardedHandler(handler, report), guardedBound(done, report)),
  }
}

function guardedHandler(handler: UdpHandler, report: FaultReport): UdpHandler {
  return {
    onPacket: guarded(handler.onPacket.bind(handler), report),
    onError: guarded(handler.onError.bind(handler), report),
  }
}

function guardedBound(
  done: (result: UdpSocket | LibtorrentError) => void,
  report: FaultReport,
): (result: UdpSocket | LibtorrentError) => void {
  return guarded((result: UdpSocket | LibtorrentError) => {
    done(result instanceof LibtorrentError ? result : guardedSocket(result, report))
  }, report)
}

function guardedSocket(socket: UdpSocket, report: FaultReport): UdpSocket {
  return {
    local: socket.local,
    send: (packet, to, failed) => socket.send(packet, to, failed && guarded(failed, report)),
    close: () => socket.close(),
  }
}

function guardedTcp(tcp: Tcp, report: FaultReport): Tcp {
  return {
    connect: (remote, options, handler) => tcp.connect(remote, options, handler),
    listen(local, onAccept, done) {
      const accept = (stream: Stream) => {
        try {
          onAccept(stream)
        } catch (cause) {
          report(cause)
          refuseStream(stream)
        }
      }
      tcp.listen(local, accept, guarded(done, report))
    },
  }
}

/** Whom our own code cannot judge is refused. */
function guardedTls(tls: Tls, report: FaultReport): Tls {
  const orElse = <Args extends unknown[], Result>(call: (...args: Args) => Result, otherwise: Result) => {
    return (...args: Args): Result => {
      try {
        return call(...args)
      } catch (cause) {
        report(cause)
        return otherwise
      }
    }
  }
  return {
    newContext: (rootCertificate, identity) => tls.newContext(rootCertificate, identity),
    connect: (stream, { context, serverName, verify }, handler) =>
      tls.connect(stream, { context, serverName, verify: orElse(verify, false) }, handler),
    accept: (stream, { contextFor, verify }) =>
      tls.accept(stream, { contextFor: orElse(contextFor, null), verify: orElse(verify, false) }),
  }
}

function guardedHttpStreams(streams: HttpStreams, report: FaultReport): HttpStreams {
  return {
    newClient(maxConnections) {
      const client = streams.newClient(maxConnections)
      return {
        open(request, handler) {
          const stream = client.open(
            guardedStreamRequest(request, report),
            guardedStream(handler, report, () => stream.abort()),
          )
          return stream
        },
        close: () => client.close(),
      }
    },
  }
}

/** An exchange whose handler fails is over, and its owner told: it would wait for ever otherwise. */
function guardedStream(handler: HttpStreamHandler, report: FaultReport, abort: () => void): HttpStreamHandler {
  const onError = guarded(handler.onError.bind(handler), report)
  const fault = (cause: unknown) => {
    report(cause)
    abort()
    onError(systemError(cause))
  }
  return {
    onResponse: guarded(handler.onResponse.bind(handler), fault),
    onData(chunk) {
      try {
        return handler.onData(chunk)
      } catch (cause) {
        fault(cause)
        return chunk.length
      }
    },
    onEnd: guarded(handler.onEnd.bind(handler), report),
    onError,
  }
}

function guardedStreamRequest(request: HttpStreamRequest, report: FaultReport): HttpStreamRequest {
  const { checkAddress } = request
  if (checkAddress === undefined) return request
  return { ...request, checkAddress: (address) => judged(() => checkAddress(address), report) }
}

/** An address that could not be judged is not connected to. */
function guardedRequest(request: HttpRequest, report: FaultReport): HttpRequest {
  const { checkAddress } = request
  if (checkAddress === undefined) return request
  return { ...request, checkAddress: (address, url) => judged(() => checkAddress(address, url), report) }
}

function judged(judge: () => LibtorrentError | null, report: FaultReport): LibtorrentError | null {
  try {
    return judge()
  } catch (cause) {
    report(cause)
    return systemError(cause, { operation: 'connect' })
  }
}
