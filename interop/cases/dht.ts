import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Endpoint } from '../../packages/engine/src/address/endpoint.ts'
import { bdecode } from '../../packages/engine/src/bencode/bdecode.ts'
import { bencode } from '../../packages/engine/src/bencode/bencode.ts'
import { ed25519CreateKeypair } from '../../packages/engine/src/crypto/ed25519.ts'
import { readDhtState } from '../../packages/engine/src/dht/dhtState.ts'
import type { MutableItem } from '../../packages/engine/src/dht/mutableItem.ts'
import { signMutableItem } from '../../packages/engine/src/dht/signMutableItem.ts'
import { Sha1Hash } from '../../packages/engine/src/util/digest.ts'
import { libtorrent, PYTHON } from '../clients/libtorrent.ts'
import { OurDht } from '../clients/ourDht.ts'
import type { Fields } from '../lib/fields.ts'
import { LineDaemon } from '../lib/lineDaemon.ts'
import { freePort } from '../lib/ports.ts'
import { waitUntil } from '../lib/wait.ts'
import type { InteropCase, Stage } from './interopCase.ts'

const LIBTORRENT_DHT = [PYTHON, fileURLToPath(new URL('../clients/libtorrentDht.py', import.meta.url))] as const
const WAIT_MS = 20_000
/** Nodes of ours, all on loopback: enough that items live on several. */
const OUR_NODES = 3

/** Our DHT and libtorrent's: each finds what the other stores. */
export function dhtCases(): InteropCase[] {
  return [
    { name: 'dht: libtorrent and we find each other, and what each stores', needs: [libtorrent], run: storeBothWays },
  ]
}

async function storeBothWays(stage: Stage): Promise<string> {
  const theirs = await LineDaemon.start('libtorrent dht', LIBTORRENT_DHT, {
    log: join(stage.directory, 'libtorrent.log'),
  })
  const ours: OurDht[] = []
  try {
    const { port } = await theirs.request('start', { port: await freePort() })
    for (let i = 0; i < OUR_NODES; i++) ours.push(await OurDht.start())
    const theirEndpoint = { address: '127.0.0.1', port: Number(port) }
    for (const { dht } of ours) dht.addNode(theirEndpoint)
    await theirs.request('addNode', { port: ours[0].endpoint.port })
    const table = async () => Number((await theirs.request('nodes')).count)
    await waitUntil(WAIT_MS, 'all nodes in all tables', async () => {
      const sizes = ours.map(({ dht }) => dht.status().dhtNodes)
      return (await table()) >= OUR_NODES && sizes.every((size) => size >= OUR_NODES)
    })
    const [us] = ours
    await peersBothWays(us, theirs)
    await immutableBothWays(us, theirs)
    await mutableBothWays(us, theirs)
    await stateOf(theirs)
    return `${await table()} nodes in libtorrent's table`
  } finally {
    for (const our of ours) await our.stop()
    await theirs.quit()
  }
}

async function peersBothWays(us: OurDht, theirs: LineDaemon): Promise<void> {
  const first = randomBytes(20)
  const numNodes = await new Promise<number>((resolve) => {
    us.dht.announce(new Sha1Hash(first), { port: 4321 }, { onDone: resolve })
  })
  expect(numNodes >= 1, `our announce was taken by ${numNodes} nodes`)
  const { peers } = await theirs.request('getPeers', { infoHash: first.toString('hex') })
  expect(JSON.stringify(peers).includes('["127.0.0.1",4321]'), `libtorrent found ${JSON.stringify(peers)}`)

  const second = randomBytes(20)
  const announced = await theirs.request('announce', { infoHash: second.toString('hex') })
  await waitUntil(WAIT_MS, "libtorrent's peer", async () => {
    const found: Endpoint[] = []
    await new Promise<void>((resolve) => {
      us.dht.getPeers(new Sha1Hash(second), {}, { onPeers: (p) => void found.push(...p), onDone: () => resolve() })
    })
    return found.some(({ port }) => port === announced.port)
  })
}

async function immutableBothWays(us: OurDht, theirs: LineDaemon): Promise<void> {
  let target: Sha1Hash | null = null
  const stored = await new Promise<number>((resolve) => {
    target = us.dht.putImmutableItem(bencode('from us'), resolve)
  })
  expect(stored >= 1, 'our item was taken')
  const got = await theirs.request('getImmutable', { target: target!.toHex() })
  expect(got.value === 'from us', `libtorrent got ${String(got.value)}`)

  const put = await theirs.request('putImmutable', { value: 'from libtorrent' })
  expect(Number(put.count) >= 1, "libtorrent's item was taken")
  const value = await new Promise<Uint8Array | null>((resolve) => {
    us.dht.getImmutableItem(Sha1Hash.fromHex(String(put.target)), resolve)
  })
  expect(textOf(value) === 'from libtorrent', `we got ${textOf(value)}`)
}

async function mutableBothWays(us: OurDht, theirs: LineDaemon): Promise<void> {
  const { publicKey, secretKey } = ed25519CreateKeypair(randomBytes(32))
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  for (const salt of ['', 'salt']) {
    const saltBytes = Buffer.from(salt)
    const stored = await new Promise<number>((resolve) => {
      us.dht.putMutableItem(
        publicKey,
        saltBytes,
        () => signMutableItem(bencode('version 1'), saltBytes, 1n, publicKey, secretKey),
        (_item, numSuccess) => resolve(numSuccess),
      )
    })
    expect(stored >= 1, 'our mutable item was taken')
    const got: Fields = await theirs.request('getMutable', { publicKey: hex(publicKey), salt })
    expect(got.value === 'version 1' && got.seq === 1, `libtorrent got ${JSON.stringify(got)}`)

    // libtorrent signs with the same expanded key, and counts on from what it finds.
    const put = await theirs.request('putMutable', {
      publicKey: hex(publicKey),
      secretKey: hex(secretKey),
      salt,
      value: 'version 2',
    })
    expect(Number(put.count) >= 1, "libtorrent's mutable item was taken")
    const item = await new Promise<MutableItem | null>((resolve) => {
      us.dht.getMutableItem(publicKey, saltBytes, (found, authoritative) => {
        if (authoritative) resolve(found)
      })
    })
    expect(item !== null && item.seq === 2n, `we got ${item === null ? 'nothing' : item.seq}`)
    expect(textOf(item?.value ?? null) === 'version 2', `we got ${textOf(item?.value ?? null)}`)
  }
}

/** The state libtorrent saves is one we can begin with. */
async function stateOf(theirs: LineDaemon): Promise<void> {
  const { state } = await theirs.request('state')
  const decoded = bdecode(Buffer.from(String(state), 'hex'))
  const read = readDhtState(decoded.ok ? decoded.root.get('dht state') : null)
  expect(read.nodeIds.length === 1 && read.nodes.length >= 1, 'the state of libtorrent has an id and nodes')
}

function textOf(value: Uint8Array | null): string | null {
  const decoded = value === null ? null : bdecode(value)
  return decoded?.ok === true ? decoded.root.asText() : null
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`not so: ${what}`)
}
