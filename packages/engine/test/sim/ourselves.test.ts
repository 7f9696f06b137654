import { expect } from 'vitest'
import { SimPeer } from '../../sim/simPeer.ts'
import type { SimProgram } from '../../sim/simProgram.ts'
import type { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { type Endpoint, sameEndpoint } from '../../src/address/endpoint.ts'
import type { Stream, StreamHandler } from '../../src/platform/tcp.ts'
import type { UdpSocket } from '../../src/platform/udp.ts'
import { EncPolicy } from '../../src/settings/settingEnums.ts'
import type { Settings } from '../../src/settings/settings.ts'
import { SimClient } from './client.ts'
import { scenario } from './scenario.ts'

const UTP_ONLY = { enableOutgoingUtp: true, enableIncomingUtp: true, enableOutgoingTcp: false }
const ENCRYPTED = { outEncPolicy: EncPolicy.forced, inEncPolicy: EncPolicy.forced }
const MANY = { allowMultipleConnectionsPerIp: true, allowMultipleConnectionsPerPid: false }

/** A router in the open that passes everything on to `inside`: of our address outside we know nothing ourselves. */
class Router {
  readonly at: Endpoint
  private readonly program: SimProgram

  constructor(world: SimWorld, inside: Endpoint, port: number) {
    const host = world.host('router')
    this.at = { address: host.address, port }
    this.program = world.start(host)
    const { tcp, udp } = this.program.platform
    const accept = (outer: Stream) => {
      const inner: Stream = tcp.connect(
        inside,
        {},
        {
          ...passingTo(outer),
          onConnected: () => outer.resumeReading(),
        },
      )
      outer.setHandler(passingTo(inner))
      outer.pauseReading()
    }
    tcp.listen(this.at, accept, () => {})
    let socket: UdpSocket | null = null
    // One who sends is enough here: the client by its own port.
    const onPacket = (packet: Uint8Array, from: Endpoint) => {
      if (sameEndpoint(from, inside)) socket?.send(new Uint8Array(packet), inside)
    }
    udp.bind(this.at, { onPacket, onError: () => {} }, (result) => {
      if ('send' in result) socket = result
    })
  }

  close(): void {
    this.program.kill()
  }
}

function passingTo(other: Stream): StreamHandler {
  return {
    onConnected() {},
    onDrain() {},
    onData: (chunk) => void other.write(new Uint8Array(chunk)),
    onClosed: () => other.end(),
  }
}

const cases: [string, number, Partial<Settings>][] = [
  ['whose port outside is the same', 6881, {}],
  ['whose port outside is a lower one', 5000, {}],
  ['whose port outside is a higher one', 7000, {}],
  ['that speaks encrypted only', 7000, ENCRYPTED],
  ['that takes several peers behind one address', 7000, MANY],
  ['that speaks uTP only', 7000, UTP_ONLY],
]
for (const [kind, port, settings] of cases) {
  scenario(`one ${kind} hears of its own address outside, and tries that once`, (world) => {
    const tracker = world.tracker('http://tracker.example/announce', { interval: 300 })
    const listed = new TestTorrent({ size: 100_000, trackers: [tracker.url] })
    const client = new SimClient(world, 'client', listed, { settings })
    const router = new Router(world, client.endpoint, port)
    tracker.answerNext(...Array.from({ length: 100 }, () => ({ peers: [router.at] })))
    world.run({ hours: 6 })
    expect(client.secondsOf('peerConnect').length).toBe(1)
    expect(client.endings.map(({ address, code }) => [address, code])).toContainEqual([
      router.at.address,
      'selfConnection',
    ])
    expect(client.numPeers).toBe(0)
    client.torrent.connectPeer(router.at)
    world.run({ hours: 1 })
    // A user who asks for it gets it, once.
    expect(client.secondsOf('peerConnect').length).toBe(2)
    router.close()
  })
}

scenario('who merely says that it is us neither ends our connections nor keeps us from trying', (world) => {
  const torrent = new TestTorrent({ size: 100_000 })
  const client = new SimClient(world, 'client', torrent)
  const host = world.host('shared')
  const silent = new SimPeer(world.network, host, { torrent, greets: 'silence' })
  client.torrent.connectPeer(silent.listen(7000))
  world.run({ seconds: 1 })
  expect(silent.connections.length).toBe(1)
  const liar = new SimPeer(world.network, host, { torrent, peerId: client.session.id })
  for (let i = 0; i < 30; i++) liar.connect(client.endpoint)
  world.run({ seconds: 5 })
  expect(liar.connections.every(({ closed }) => closed !== undefined)).toBe(true)
  expect(silent.connections[0].closed).toBe(undefined)
  expect(client.numPeers).toBe(1)
})
