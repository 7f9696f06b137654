import { afterEach, expect, test, vi } from 'vitest'
import { SimWorld } from '../../sim/simWorld.ts'
import { TestTorrent } from '../../sim/testTorrent.ts'
import { AlertCategory } from '../../src/alerts/alert.ts'
import { Session } from '../../src/api/session.ts'
import { ListenSockets } from '../../src/session/listenSockets.ts'
import { SessionCore } from '../../src/session/sessionCore.ts'
import { StalledPeers } from '../../src/session/stalledPeers.ts'
import { TorrentLoader } from '../../src/torrent/torrentLoader.ts'
import { TorrentTrackers } from '../../src/tracker/torrentTrackers.ts'
import { TrackerClient } from '../../src/tracker/trackerClient.ts'
import { UdpExchange } from '../../src/tracker/udpExchange.ts'
import { HandshakeReader } from '../../src/wire/handshake.ts'
import { sabotage } from '../sabotage.ts'

// docs/architecture.md, "When our own code fails": whichever way into the engine it fails in, the session lives on.

afterEach(() => void vi.restoreAllMocks())

const HTTP = 'http://tracker.example/announce'
const UDP = 'udp://tracker.example:6969'

const cases: [where: string, owner: { prototype: object }, method: string, trackers: string[]][] = [
  ['a packet of a UDP tracker', UdpExchange, 'onResponse', [UDP]],
  ['a name found for a UDP tracker', UdpExchange, 'onResolved', [UDP]],
  ['an answer of an HTTP tracker', TorrentTrackers, 'onReply', [HTTP]],
  ['an address judged for an HTTP tracker', TrackerClient, 'checkAddress', [HTTP]],
  ['a failure of a tracker', TorrentTrackers, 'onFailure', ['http://nowhere.example/announce']],
  ['the sizes of files', TorrentLoader, 'onFileStats', []],
  ['the congestion gate', StalledPeers, 'resumeAll', []],
  ['an open listen socket', ListenSockets, 'opened', []],
  ['an incoming connection', SessionCore, 'onIncoming', []],
  ['the first bytes of an incoming connection', HandshakeReader, 'push', []],
]

for (const [where, owner, method, trackers] of cases) {
  test(`our own code fails over ${where}: that is reported, and the session goes on`, async () => {
    sabotage(owner, method)
    const world = new SimWorld()
    for (const url of [HTTP, UDP]) world.tracker(url)
    const host = world.host('client', { disk: { bytesPerSecond: 20_000, maxQueuedDiskBytes: 32 * 1024 } })
    const session = new Session({
      platform: world.platformOf(host),
      disk: world.diskOf(host),
      settings: { alertMask: AlertCategory.all, stopTrackerTimeout: 1, enableOutgoingUtp: false },
    })
    const faults: string[] = []
    session.on('sessionError', ({ error }) => faults.push(error.message))
    const torrent = new TestTorrent({ size: 1_000_000, trackers })
    const handle = session.addTorrent({ ti: torrent.info(), savePath: '/save', autoManaged: false })
    const seed = world.peer('seed', { torrent, has: 'all', serves: true })
    handle.connectPeer(seed.listen())
    world.run({ seconds: 5 })
    world.peer('stranger', { torrent, has: 'none' }).connect({ address: host.address, port: 6881 })
    world.run({ seconds: 5 })
    expect(new Set(faults)).toEqual(new Set(['our bug']))
    if (owner === TorrentLoader) expect(handle.status().error?.message).toBe('our bug')

    vi.restoreAllMocks()
    const other = new TestTorrent({ size: 20_000, seed: 2 })
    const next = session.addTorrent({ ti: other.info(), savePath: '/other', autoManaged: false })
    next.connectPeer(world.peer('other seed', { torrent: other, has: 'all', serves: true }).listen())
    handle.pause()
    world.runUntil(() => next.status().isSeeding, { minutes: 5 })
    await world.settle(session.abort())
  })
}
