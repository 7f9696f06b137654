import { expect, test } from 'vitest'
import { type DisconnectCandidate, leastUseful } from '../../../src/peers/disconnectOrder.ts'

const NOW = 1_000_000

interface Named extends DisconnectCandidate {
  readonly name: string
}

function peer(name: string, traits: Partial<DisconnectCandidate> = {}): Named {
  return {
    name,
    isClosed: false,
    isInteresting: true,
    isSeed: false,
    isOnParole: false,
    totalPayloadDownload: 0,
    connectedAt: NOW - 100_000,
    isChoked: false,
    lastReceived: NOW,
    ...traits,
  }
}

function order(peers: readonly Named[], count = peers.length): string[] {
  return leastUseful(peers, count, NOW, (each) => each).map(({ name }) => name)
}

test.each([
  ['who is closing before who is not', { isClosed: true }, {}],
  ['who has nothing we want before who has', { isInteresting: false, isSeed: true }, {}],
  ['others before seeds', { totalPayloadDownload: 1e9 }, { isSeed: true }],
  ['who is suspected before who is not', { isOnParole: true, totalPayloadDownload: 1e9 }, {}],
  ['who sent less before who sent more', { totalPayloadDownload: 100_000 }, { totalPayloadDownload: 200_000 }],
  [
    'who sent less a second before who sent less in all',
    { totalPayloadDownload: 200_000, connectedAt: NOW - 100_000 },
    { totalPayloadDownload: 100_000, connectedAt: NOW - 10_000 },
  ],
  ['whom we choke before whom we serve', { isChoked: true }, { lastReceived: 0 }],
  ['who was silent longer before who was heard of', { lastReceived: NOW - 5000 }, {}],
] as const)('%s', (_, worse, better) => {
  expect(order([peer('better', better), peer('worse', worse)])).toEqual(['worse', 'better'])
  expect(order([peer('worse', worse), peer('better', better)])).toEqual(['worse', 'better'])
})

test('as many as asked for, none for a negative number', () => {
  const peers = [3, 1, 2].map((sent) => peer(String(sent), { totalPayloadDownload: sent * 1e6 }))
  expect(order(peers, 2)).toEqual(['1', '2'])
  expect(order(peers, 0)).toEqual([])
  expect(order(peers, -1)).toEqual([])
})
