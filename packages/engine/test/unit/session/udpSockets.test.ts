import { describe, expect, it } from 'vitest'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import { type LibtorrentError, systemError } from '../../../src/errors/libtorrentError.ts'
import type { UdpHandler, UdpSocket } from '../../../src/platform/udp.ts'
import type { ListenEndpoint } from '../../../src/session/listenInterfaces.ts'
import type { SharedUdpSocket } from '../../../src/session/sharedUdpSocket.ts'
import { UdpSockets } from '../../../src/session/udpSockets.ts'

const FIRST = { address: '10.0.0.1', port: 6881, ssl: false, local: false }
const SECOND = { address: '::1', port: 6882, ssl: false, local: false }
/** Nothing but uTP comes here. */
const SSL = { address: '10.0.0.1', port: 4433, ssl: true, local: false }
const STRANGER = { address: '10.0.0.9', port: 1 }

interface Binding {
  readonly local: Endpoint
  readonly handler: UdpHandler
  answer(failed?: boolean): void
  isClosed: boolean
}

function scene() {
  const bindings: Binding[] = []
  const news: string[] = []
  const host = {
    listenEndpoints: [FIRST, SECOND, SSL] as readonly ListenEndpoint[],
    wantsUdp: true,
    wantsSslUdp: false,
    udp: {
      bind(local: Endpoint, handler: UdpHandler, done: (result: UdpSocket | LibtorrentError) => void) {
        const binding: Binding = {
          local,
          handler,
          isClosed: false,
          answer(failed = false) {
            if (failed) done(systemError({ code: 'EADDRINUSE' }))
            else done({ local, send: () => {}, close: () => (binding.isClosed = true) })
          },
        }
        bindings.push(binding)
      },
    },
    onUdpOpened: (socket: SharedUdpSocket) => news.push(`opened ${socket.local.port}`),
    onUdpClosed: (socket: SharedUdpSocket) => news.push(`closed ${socket.local.port}`),
  }
  return { host, bindings, news, sockets: new UdpSockets(host) }
}

describe('The UDP sockets of a session', () => {
  it('stand beside the listen sockets, and are announced when all are open or have failed', () => {
    const { bindings, news, sockets } = scene()
    let done = 0
    sockets.update(() => done++)
    bindings[1].answer(true)
    expect(done).toBe(0)
    bindings[0].answer()
    expect(done).toBe(1)
    expect(news).toEqual(['opened 6881'])
    expect([...sockets].map(({ local }) => local)).toEqual([FIRST])
  })

  it('go when their listen socket goes; the others stay', () => {
    const { host, bindings, news, sockets } = scene()
    sockets.update(() => {})
    for (const binding of bindings) binding.answer()
    host.listenEndpoints = [SECOND]
    sockets.update(() => {})
    expect(bindings.map(({ isClosed }) => isClosed)).toEqual([true, false])
    expect(news).toEqual(['opened 6881', 'opened 6882', 'closed 6881'])
    expect(bindings).toHaveLength(2)
  })

  it('stand beside the sockets for SSL torrents only while there is uTP', () => {
    const { host, bindings, news, sockets } = scene()
    host.wantsSslUdp = true
    host.wantsUdp = false
    sockets.update(() => {})
    bindings[0].answer()
    expect([...sockets].map(({ local, ssl }) => [local.port, ssl])).toEqual([[4433, true]])
    host.wantsSslUdp = false
    sockets.update(() => {})
    expect(news).toEqual(['opened 4433', 'closed 4433'])
  })

  it('are closed when nobody wants them any more, also those that are still being opened', () => {
    const { host, bindings, news, sockets } = scene()
    sockets.update(() => {})
    bindings[0].answer()
    host.wantsUdp = false
    sockets.update(() => {})
    bindings[1].answer()
    expect(bindings.map(({ isClosed }) => isClosed)).toEqual([true, true])
    expect(news).toEqual(['opened 6881', 'closed 6881'])
  })

  it('are opened again by the next update when the system closed one', () => {
    const { bindings, news, sockets } = scene()
    sockets.update(() => {})
    for (const binding of bindings) binding.answer()
    bindings[0].handler.onError(systemError({ code: 'ENETDOWN' }))
    expect(news.at(-1)).toBe('closed 6881')
    sockets.update(() => {})
    expect(bindings.at(-1)?.local).toEqual(FIRST)
  })

  it('give each packet to the first protocol that takes it', () => {
    const { bindings, sockets } = scene()
    sockets.update(() => {})
    bindings[0].answer()
    const [socket] = sockets
    const taken: string[] = []
    const receiver = (name: string, first: number) => ({
      receive(packet: Uint8Array) {
        if (packet[0] !== first) return false
        taken.push(name)
        return true
      },
    })
    const dht = receiver('dht', 0x64)
    socket.addReceiver(dht)
    socket.addReceiver(receiver('any', 0x64))
    socket.addReceiver(receiver('utp', 0x41))
    for (const first of [0x64, 0x41, 0x00]) bindings[0].handler.onPacket(Uint8Array.of(first), STRANGER)
    socket.removeReceiver(dht)
    bindings[0].handler.onPacket(Uint8Array.of(0x64), STRANGER)
    expect(taken).toEqual(['dht', 'utp', 'any'])
  })
})
