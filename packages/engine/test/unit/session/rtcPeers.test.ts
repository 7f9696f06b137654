import { expect, test } from 'vitest'
import { RtcPeers, type RtcPeersHost } from '../../../src/session/rtcPeers.ts'
import { latin1 } from '../../../src/util/bytes.ts'

const infoHash = latin1(new Uint8Array(20))

function peersAt(v4: string | null, v6: string | null): RtcPeers {
  const torrent = {
    isTakingPeers: true,
    isFinished: false,
    maxConnections: 10,
    ssl: { admits: () => true },
    swarm: { numPeers: 0 },
  }
  const host = {
    freeConnections: 1,
    targetOf: () => torrent,
    localAddress: (family: 4 | 6) => (family === 4 ? v4 : v6),
  }
  return new RtcPeers(host as unknown as RtcPeersHost)
}

test.each([
  ['anywhere', '0.0.0.0', '::', undefined, true],
  ['on one address', '10.8.0.2', null, '10.8.0.2', true],
  ['on one IPv6 address', null, 'fd00::2', 'fd00::2', true],
  ['on a device that is gone', null, null, undefined, false],
])('a session that listens %s has WebRTC peers by that way, or none', (_, v4, v6, bound, wants) => {
  const peers = peersAt(v4, v6)
  expect(peers.boundAddress).toBe(bound)
  expect([peers.wantsPeer(infoHash, true), peers.wantsPeer(infoHash, false)]).toEqual([wants, wants])
})
