import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SamBridge } from '../../../sim/samBridge.ts'
import { TestTorrent } from '../../../sim/testTorrent.ts'
import { Session } from '../../../src/api/session.ts'
import { NodeTcp } from '../../../src/node/nodeTcp.ts'
import { ALONE } from '../../alone.ts'
import { afterThisTest } from '../tracker/servers.ts'

async function realBridge(): Promise<{ readonly bridge: SamBridge; readonly port: number }> {
  return new Promise((resolve) => {
    const bridge: SamBridge = new SamBridge(new NodeTcp(), { address: '127.0.0.1', port: 0 }, (port, close) => {
      afterThisTest(() => {
        bridge.dropClients()
        close()
      })
      resolve({ bridge, port })
    })
  })
}

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'lt-i2p-'))
  afterThisTest(() => rmSync(path, { recursive: true }))
  return path
}

test('content goes from one session to another through the SAM bridge of a router', async () => {
  const { port } = await realBridge()
  const torrent = new TestTorrent({ size: 700_000 })
  const settings = { ...ALONE, listenInterfaces: '', i2pHostname: '127.0.0.1', i2pPort: port }
  const [seedPath, leechPath] = [directory(), directory()]
  writeFileSync(join(seedPath, torrent.name), torrent.content)
  const [seed, leech] = [new Session({ settings }), new Session({ settings })]
  const add = { ti: torrent.info(), autoManaged: false, i2pTorrent: true }
  const source = seed.addTorrent({ ...add, savePath: seedPath })
  const handle = leech.addTorrent({ ...add, savePath: leechPath })
  const finished = new Promise<void>((resolve) => void leech.once('torrentFinished', () => resolve()))
  const isReady = () => source.isSeed && seed.i2pAddress !== '' && leech.i2pAddress !== ''
  await expect.poll(isReady, { timeout: 10_000 }).toBe(true)
  handle.connectPeer({ address: seed.i2pAddress, port: 0 })
  await finished
  await Promise.all([seed.abort(), leech.abort()])
  expect(Buffer.compare(torrent.content, await readFile(join(leechPath, torrent.name)))).toBe(0)
}, 30_000)
