import { expect, test } from 'vitest'
import type { Endpoint } from '../../../src/address/endpoint.ts'
import type { Dht, PeersListener } from '../../../src/dht/dht.ts'
import { PeerDiscovery, type PeerDiscoveryHost } from '../../../src/torrent/peerDiscovery.ts'

/** Peers that a torrent hears of when the DHT node at `from` names these. */
function heardFrom(from: string, named: readonly Endpoint[]): Endpoint[] {
  const heard: Endpoint[] = []
  const host = {
    params: {},
    info: { priv: false },
    session: { discovery: { joinDht() {}, joinLsd() {} } },
    settings: {},
    trackers: { hasWorking: false },
    ssl: { listenPort: 0 },
    alerts: { wants: () => false },
    keepsToI2p: false,
    swarm: { addPeer: (peer: Endpoint) => heard.push(peer) },
    peerFilter: { refusesNamed: ({ address }: Endpoint, isNear: boolean) => !isNear && address.startsWith('127.') },
  }
  const discovery = new PeerDiscovery(host as unknown as PeerDiscoveryHost)
  discovery.goOnline()
  const dht = {
    getPeers: (_: unknown, __: unknown, listener: PeersListener) =>
      listener.onPeers?.(named, { address: from, port: 6881 }),
  }
  discovery.announceToDht(dht as unknown as Dht)
  return heard
}

test('a DHT node names peers of this machine only if it runs here, too', () => {
  const here = { address: '127.0.0.1', port: 9050 }
  const elsewhere = { address: '60.0.0.1', port: 6881 }
  expect(heardFrom('60.0.0.9', [here, elsewhere])).toEqual([elsewhere])
  expect(heardFrom('10.0.0.9', [here, elsewhere])).toEqual([elsewhere])
  expect(heardFrom('127.0.0.1', [here, elsewhere])).toEqual([here, elsewhere])
})
