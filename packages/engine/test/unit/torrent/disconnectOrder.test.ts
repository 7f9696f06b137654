import { expect, test } from 'vitest'
import { compareForDisconnect, type DisconnectCandidate } from '../../../src/torrent/disconnectOrder.ts'

const NOW = 100_000

function candidate(changes: Partial<DisconnectCandidate> = {}): DisconnectCandidate {
  return {
    isInteresting: true,
    isSeed: true,
    isPeerChoking: false,
    createdAt: 0,
    lastReceived: NOW,
    entry: { onParole: false },
    stats: { totalPayloadDownload: 1_000_000 },
    ...changes,
  }
}

test('each reason to part counts only when those before it are equal', () => {
  // From the first to go to the last.
  const ordered = [
    candidate({ isInteresting: false, stats: { totalPayloadDownload: 9e9 } }),
    candidate({ isSeed: false }),
    candidate({ entry: { onParole: true } }),
    candidate({ stats: { totalPayloadDownload: 1000 } }),
    candidate({ isPeerChoking: true, lastReceived: NOW + 1 }),
    candidate({ lastReceived: NOW - 10 }),
    candidate({ entry: null }),
    candidate({ createdAt: 50_000 }),
  ]
  for (const shuffled of [ordered.slice().reverse(), [...ordered.slice(4), ...ordered.slice(0, 4)]]) {
    expect(shuffled.sort((a, b) => compareForDisconnect(a, b, NOW))).toEqual(ordered)
  }
})

test('what was received counts per second, so that a new connection has its chance', () => {
  const old = candidate({ createdAt: 0, stats: { totalPayloadDownload: 101_000 } })
  const young = candidate({ createdAt: NOW - 999, stats: { totalPayloadDownload: 2000 } })
  expect(compareForDisconnect(old, young, NOW)).toBeLessThan(0)
})
