import type { ClientKind } from '../clients/client.ts'
import { OurDht } from '../clients/ourDht.ts'
import { freePort } from '../lib/ports.ts'
import { waitUntil } from '../lib/wait.ts'
import { expectSameContent, type InteropCase, type Stage } from './interopCase.ts'

const WAIT_MS = 40_000
const NUM_NODES = 4

/** Loopback is no place for a DHT: all nodes are of one address, which in the real one would be suspicious. */
const LOOPBACK_DHT = {
  enable_dht: true,
  dht_restrict_routing_ips: false,
  dht_restrict_search_ips: false,
  dht_ignore_dark_internet: false,
  dht_prefer_verified_node_ids: false,
  dht_upload_rate_limit: 1_000_000,
  dht_block_ratelimit: 10_000,
  allow_multiple_connections_per_ip: true,
} as const

/** A magnet link with nothing in it but the info-hash: peers come from a DHT of its own, metadata and content from them. */
export function dhtTransferCases(ours: ClientKind, other: ClientKind): InteropCase[] {
  const pairs = [
    { seeder: other, downloader: ours },
    { seeder: ours, downloader: other },
    { seeder: ours, downloader: ours },
  ]
  return pairs.map(({ seeder, downloader }) => ({
    name: `dht: magnet link alone, ${seeder.name} seeds, ${downloader.name} downloads`,
    needs: [seeder, downloader],
    run: (stage: Stage) => transfer(stage, seeder, downloader),
  }))
}

async function transfer(stage: Stage, seeder: ClientKind, downloader: ClientKind): Promise<undefined> {
  const fixture = stage.fixture('single')
  const nodes = await startNodes(stage)
  const start = async (kind: ClientKind, role: 'seed' | 'download', source: string, savePath: string) => {
    const port = await freePort()
    const settings = {
      ...LOOPBACK_DHT,
      listen_interfaces: `127.0.0.1:${port}`,
      dht_bootstrap_nodes: `127.0.0.1:${nodes[0].endpoint.port}`,
    }
    return stage.start(kind, { role, source, savePath, port, peers: [], settings, discoverable: true })
  }
  await start(seeder, 'seed', fixture.torrent, stage.seedDirectory(fixture))
  await waitUntil(WAIT_MS, 'the seed announced', () => nodes.some(({ dht }) => dht.status().dhtTorrents > 0))
  const savePath = stage.subdirectory('downloaded')
  const magnet = `magnet:?xt=urn:btih:${fixture.infoHash}`
  const downloading = await start(downloader, 'download', magnet, savePath)
  await downloading.finished(WAIT_MS)
  await downloading.stop()
  expectSameContent(fixture, savePath, downloader)
  return undefined
}

/** Nodes that know one another; the first is the one others are told of. */
async function startNodes(stage: Stage): Promise<OurDht[]> {
  const nodes: OurDht[] = []
  for (let i = 0; i < NUM_NODES; i++) nodes.push(stage.own(await OurDht.start()))
  for (const { dht } of nodes) for (const { endpoint } of nodes) dht.addNode(endpoint)
  await waitUntil(WAIT_MS, 'the nodes know one another', () =>
    nodes.every(({ dht }) => dht.status().dhtNodes >= NUM_NODES - 1),
  )
  return nodes
}
