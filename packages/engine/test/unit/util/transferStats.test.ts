import { describe, expect, test } from 'vitest'
import { TransferStats } from '../../../src/util/transferStats.ts'

describe('TransferStats', () => {
  test('a steady rate is approached by a fifth of the difference each second', () => {
    const stats = new TransferStats()
    let expected = 0
    for (let second = 0; second < 30; second++) {
      stats.receivedPayload(100_000)
      stats.tick(1000)
      expected = Math.floor((expected * 4) / 5 + 100_000 / 5)
      expect(stats.downloadPayloadRate).toBe(expected)
    }
    expect(stats.downloadPayloadRate).toBeGreaterThan(99_000)
  })

  test('a tick that comes late counts what came for what it is', () => {
    const late = new TransferStats()
    late.sentPayload(2000)
    late.tick(2000)
    const onTime = new TransferStats()
    onTime.sentPayload(1000)
    onTime.tick(1000)
    expect(late.uploadPayloadRate).toBe(onTime.uploadPayloadRate)
  })

  test('when nothing comes any more the rate falls to zero, and the totals stay', () => {
    const stats = new TransferStats()
    stats.sentPayload(1_000_000)
    stats.sentProtocol(500)
    for (let second = 0; second < 120; second++) stats.tick(1000)
    expect(stats.uploadRate).toBe(0)
    expect(stats.totalUpload).toBe(1_000_500)
    expect(stats.totalPayloadUpload).toBe(1_000_000)
    expect(stats.totalProtocolUpload).toBe(500)
  })

  test('a torrent that adds up its peers before they tick has their sums', () => {
    const torrent = new TransferStats()
    const peers = [new TransferStats(), new TransferStats()]
    for (let second = 0; second < 10; second++) {
      for (const [i, peer] of peers.entries()) {
        peer.receivedPayload(1000 * (i + 1))
        peer.receivedProtocol(10)
        torrent.accumulate(peer)
        peer.tick(1000)
      }
      torrent.tick(1000)
    }
    expect(torrent.totalPayloadDownload).toBe(30_000)
    expect(torrent.totalProtocolDownload).toBe(200)
    expect(Math.abs(torrent.downloadPayloadRate - 3000 * (1 - 0.8 ** 10))).toBeLessThan(5)
  })

  test('headers are counted in both directions, more of them on IPv6', () => {
    const v4 = new TransferStats()
    v4.transceivedIpPackets(1460 * 2 + 1, false)
    expect(v4.uploadIpProtocol.total).toBe(3 * 40)
    expect(v4.downloadIpProtocol.total).toBe(3 * 40)
    const v6 = new TransferStats()
    v6.transceivedIpPackets(1, true)
    v6.sentSyn(true)
    v6.receivedSynAck(true)
    expect(v6.totalUpload).toBe(3 * 60)
    expect(v6.totalDownload).toBe(2 * 60)
  })

  test('payload of earlier connections is in the totals, not in the rates', () => {
    const stats = new TransferStats()
    stats.addStat(5000, 7000)
    stats.tick(1000)
    expect([stats.totalPayloadDownload, stats.totalPayloadUpload]).toEqual([5000, 7000])
    expect([stats.downloadRate, stats.uploadRate]).toEqual([0, 0])
  })
})
