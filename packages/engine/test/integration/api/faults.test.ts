import dgram from 'node:dgram'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { Session } from '../../../src/api/session.ts'
import { TorrentLoader } from '../../../src/torrent/torrentLoader.ts'
import { TorrentTrackers } from '../../../src/tracker/torrentTrackers.ts'
import { UdpExchange } from '../../../src/tracker/udpExchange.ts'
import { ALONE } from '../../alone.ts'
import { sabotage } from '../../sabotage.ts'
import { afterThisTest, httpServer } from '../tracker/servers.ts'

// The test runner fails when anything reaches the event loop.

afterEach(() => void vi.restoreAllMocks())

async function httpTracker(): Promise<string> {
  const port = await httpServer((_, answer) => answer.end('d8:intervali1800e5:peers0:e'))
  return `http://127.0.0.1:${port}/announce`
}

async function udpTracker(): Promise<string> {
  const socket = dgram.createSocket('udp4')
  socket.on('message', (packet, from) => {
    socket.send(Buffer.concat([packet.subarray(8, 16), Buffer.alloc(8)]), from.port, from.address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  afterThisTest(() => new Promise((resolve) => socket.close(() => resolve())))
  return `udp://127.0.0.1:${socket.address().port}`
}

const nobody = async () => 'http://127.0.0.1:1/announce'

test.each([
  ['an HTTP tracker answers', TorrentTrackers, 'onReply', httpTracker],
  ['an HTTP tracker cannot be reached', TorrentTrackers, 'onFailure', nobody],
  ['a UDP tracker answers', UdpExchange, 'onResponse', udpTracker],
  ['the disk answers', TorrentLoader, 'onFileStats', nobody],
] as const)(
  'our own code fails when %s: that is reported, and the process lives on',
  async (_, owner, method, tracker) => {
    const savePath = mkdtempSync(join(tmpdir(), 'lt-faults-'))
    const torrent = new TestTorrent({ size: 1000, trackers: [await tracker()] })
    sabotage(owner, method)
    const session = new Session({ settings: { ...ALONE, listenInterfaces: '127.0.0.1:0', stopTrackerTimeout: 1 } })
    const fault = new Promise<string>((resolve) => {
      session.once('sessionError', ({ error }) => resolve(error.message))
    })
    session.addTorrent({ ti: torrent.info(), savePath, autoManaged: false })
    expect(await fault).toBe('our bug')
    vi.restoreAllMocks()
    await session.abort()
    rmSync(savePath, { recursive: true })
  },
)
