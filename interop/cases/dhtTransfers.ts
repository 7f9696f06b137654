import { networkInterfaces } from 'node:os'
import type { ClientKind } from '../clients/client.ts'
import { OurDht } from '../clients/ourDht.ts'
import { freePort } from '../lib/ports.ts'
import { waitUntil } from '../lib/wait.ts'
import { expectSameContent, type InteropCase, type Requirement, type Stage } from './interopCase.ts'

const WAIT_MS = 70_000
/** Transmission takes nearly a minute on a machine at rest. */
const ANNOUNCE_WAIT_MS = 110_000
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

/** The address of this machine that is none of loopback, if there is one: Transmission's DHT takes no other. */
const OWN_ADDRESS = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address

const ownAddress: Requirement = {
  name: 'an address of this machine',
  missing: async () => (OWN_ADDRESS === undefined ? 'a network besides loopback' : null),
  async install() {},
}

/** Fewer nodes, and Transmission takes its DHT for broken and announces nothing. */
const TRANSMISSION_NODES = 14
/** It takes half a minute to find its DHT good enough, and then some until it announces. */
const TRANSMISSION_TIMEOUT_MS = 150_000

/** A magnet link with nothing in it but the info-hash: peers come from a DHT of its own, metadata and content from them. */
export function dhtTransferCases(ours: ClientKind, others: readonly ClientKind[]): InteropCase[] {
  const pairs = others.flatMap((other) => [
    { seeder: other, downloader: ours },
    { seeder: ours, downloader: other },
  ])
  return [...pairs, { seeder: ours, downloader: ours }].map(({ seeder, downloader }) => {
    const isOutside = [seeder, downloader].some(({ name }) => name === 'transmission')
    return {
      name: `dht: magnet link alone, ${seeder.name} seeds, ${downloader.name} downloads`,
      needs: [seeder, downloader, ...(isOutside ? [ownAddress] : [])],
      ...(isOutside && { timeoutMs: TRANSMISSION_TIMEOUT_MS }),
      run: (stage: Stage) =>
        isOutside
          ? transfer(stage, seeder, downloader, OWN_ADDRESS ?? '', TRANSMISSION_NODES)
          : transfer(stage, seeder, downloader, '127.0.0.1', NUM_NODES),
    }
  })
}

async function transfer(
  stage: Stage,
  seeder: ClientKind,
  downloader: ClientKind,
  address: string,
  numNodes: number,
): Promise<undefined> {
  const fixture = stage.fixture('single')
  const nodes = await startNodes(stage, address, numNodes)
  const start = async (kind: ClientKind, role: 'seed' | 'download', source: string, savePath: string) => {
    const port = await freePort()
    // Transmission finds no more than it was told of; the others are led on by one.
    const known = kind.name === 'transmission' ? nodes : nodes.slice(0, 1)
    const settings = {
      ...LOOPBACK_DHT,
      ...(kind.name === 'transmission' && { address }),
      listen_interfaces: `${address}:${port}`,
      dht_bootstrap_nodes: known.map(({ endpoint }) => `${address}:${endpoint.port}`).join(','),
    }
    return stage.start(kind, { role, source, savePath, port, peers: [], settings, discoverable: true })
  }
  await start(seeder, 'seed', fixture.torrent, stage.seedDirectory(fixture))
  await waitUntil(ANNOUNCE_WAIT_MS, 'the seed announced', () => nodes.some(({ dht }) => dht.status().dhtTorrents > 0))
  const savePath = stage.subdirectory('downloaded')
  const magnet = `magnet:?xt=urn:btih:${fixture.infoHash}`
  const downloading = await start(downloader, 'download', magnet, savePath)
  await downloading.finished(WAIT_MS)
  await downloading.stop()
  expectSameContent(fixture, savePath, downloader)
  return undefined
}

/** Nodes of one address change their ids when they learn of it (BEP 42), and are known anew: most are enough. */
const KNOWN_SHARE = 0.75

/** Nodes that know one another; the first is the one others are told of. */
async function startNodes(stage: Stage, address: string, numNodes: number): Promise<OurDht[]> {
  const nodes: OurDht[] = []
  for (let i = 0; i < numNodes; i++) nodes.push(stage.own(await OurDht.start(address)))
  for (const { dht } of nodes) for (const { endpoint } of nodes) dht.addNode(endpoint)
  await waitUntil(WAIT_MS, 'the nodes know one another', () =>
    nodes.every(({ dht }) => dht.status().dhtNodes >= numNodes * KNOWN_SHARE),
  )
  return nodes
}
