import { expect, test } from 'vitest'
import { PeerTurnover, type TurnoverTorrent } from '../../../src/session/peerTurnover.ts'

const START = 1_000_000
const INTERVAL_MS = 300_000

/** A torrent that only counts. */
class FakeTorrent implements TurnoverTorrent {
  disconnected = 0
  constructor(
    readonly numPeers: number,
    readonly connectCandidates = 1000,
    readonly maxConnections = 0xff_ffff,
  ) {}
  disconnectPeers(count: number, code: 'optimisticDisconnect'): void {
    expect(code).toBe('optimisticDisconnect')
    this.disconnected += count
  }
}

function after(ms: number, torrents: readonly FakeTorrent[], settings = {}): number[] {
  const turnover = new PeerTurnover(
    {
      settings: {
        connectionsLimit: 200,
        peerTurnover: 0.04,
        peerTurnoverCutoff: 0.9,
        peerTurnoverInterval: 300,
        ...settings,
      },
      numConnections: torrents.reduce((sum, { numPeers }) => sum + numPeers, 0),
      connectedTorrents: () => torrents,
    },
    START,
  )
  for (let now = START + 1000; now <= START + ms; now += 1000) turnover.tick(now)
  return torrents.map(({ disconnected }) => disconnected)
}

test('near the limit of the session the largest torrent gives up 4 % of its peers, every five minutes', () => {
  expect(after(INTERVAL_MS - 1000, [new FakeTorrent(30), new FakeTorrent(150)])).toEqual([0, 0])
  expect(after(INTERVAL_MS, [new FakeTorrent(30), new FakeTorrent(150)])).toEqual([0, 6])
  expect(after(3 * INTERVAL_MS, [new FakeTorrent(30), new FakeTorrent(150)])).toEqual([0, 18])
})

test('well below every limit nobody is disconnected', () => {
  expect(after(INTERVAL_MS, [new FakeTorrent(179), new FakeTorrent(0)])).toEqual([0, 0])
})

test('near its own limit each torrent does so', () => {
  const torrents = [new FakeTorrent(45, 1000, 50), new FakeTorrent(44, 1000, 50), new FakeTorrent(50, 1000, 50)]
  expect(after(INTERVAL_MS, torrents)).toEqual([1, 0, 2])
})

test('at least one goes, and none for whom there is nobody to take the place', () => {
  expect(after(INTERVAL_MS, [new FakeTorrent(9)], { connectionsLimit: 10 })).toEqual([1])
  expect(after(INTERVAL_MS, [new FakeTorrent(190, 3)])).toEqual([3])
  expect(after(INTERVAL_MS, [new FakeTorrent(190, 0)])).toEqual([0])
})

test('with five connections or fewer it would be too disruptive', () => {
  expect(after(INTERVAL_MS, [new FakeTorrent(5)], { connectionsLimit: 5 })).toEqual([0])
  expect(after(INTERVAL_MS, [new FakeTorrent(5, 1000, 5)])).toEqual([0])
})

test('interval, share and cutoff are settings', () => {
  expect(after(60_000, [new FakeTorrent(100)], { peerTurnoverInterval: 60, peerTurnoverCutoff: 0.5 })).toEqual([4])
  expect(after(INTERVAL_MS, [new FakeTorrent(200)], { peerTurnover: 0.5 })).toEqual([100])
})
