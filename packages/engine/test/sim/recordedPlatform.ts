import type { Platform } from '../../src/platform/platform.ts'
import type { UdpSocket } from '../../src/platform/udp.ts'

/** A platform, and one line for everything that a program did with the world through it. */
export interface RecordedPlatform {
  readonly platform: Platform
  readonly log: string[]
}

/** Notes whom a program connects, sends and listens to, which names it has looked up, and which interfaces it uses. */
export function recordedPlatform(world: Platform): RecordedPlatform {
  const log: string[] = []
  const recordedSocket = (socket: UdpSocket): UdpSocket => ({
    get local() {
      return socket.local
    },
    send: (packet, to, failed) => {
      log.push(`udp to ${to.address}:${to.port}`)
      socket.send(packet, to, failed)
    },
    close: () => socket.close(),
  })
  const platform: Platform = {
    ...world,
    tcp: {
      connect(remote, options, handler) {
        log.push(`tcp to ${remote.address}:${remote.port}`)
        return world.tcp.connect(remote, options, handler)
      },
      listen(local, onAccept, done) {
        log.push(`listen on ${local.address}`)
        world.tcp.listen(local, onAccept, done)
      },
    },
    udp: {
      bind(local, handler, done) {
        log.push(`bind ${local.address}`)
        world.udp.bind(local, handler, (result) => done('code' in result ? result : recordedSocket(result)))
      },
    },
    resolver: {
      resolve(host, done) {
        if (!/^[\d.]+$/.test(host)) log.push(`look up ${host}`)
        return world.resolver.resolve(host, done)
      },
    },
    http: {
      get(request, done) {
        log.push(`${request.proxy === undefined ? 'http' : 'proxied http'} ${new URL(request.url).origin}`)
        return world.http.get(request, done)
      },
    },
    httpStreams: {
      newClient(max) {
        const client = world.httpStreams.newClient(max)
        return {
          open(request, handler) {
            log.push(`${request.proxy === undefined ? 'http' : 'proxied http'} ${new URL(request.url).origin}`)
            return client.open(request, handler)
          },
          close: () => client.close(),
        }
      },
    },
    localNetwork: {
      interfaces: () => world.localNetwork.interfaces(),
      defaultRoutes(done) {
        log.push('ask for routes')
        world.localNetwork.defaultRoutes(done)
      },
      bindMulticast(options, handler, done) {
        log.push(`multicast on ${options.networkInterface.address}`)
        world.localNetwork.bindMulticast(options, handler, done)
      },
    },
  }
  return { platform, log }
}
