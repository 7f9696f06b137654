import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nodePlatform } from '../../../src/node/nodePlatform.ts'
import { TrackerClient } from '../../../src/tracker/trackerClient.ts'
import type { AnnounceReply, ScrapeReply, TrackerRequest } from '../../../src/tracker/trackerRequest.ts'
import { toHex } from '../../../src/util/bytes.ts'
import { settings } from '../../unit/tracker/fakes.ts'
import { INFO_HASH, request } from '../../unit/tracker/requests.ts'
import { outcome } from './get.ts'

const program = 'opentracker'
const installed = spawnSync(program, ['-h']).error === undefined
if (!installed) console.warn('opentracker is not installed (apt install opentracker): its tests are skipped')

describe.skipIf(!installed)('opentracker', () => {
  let port = 0
  let child: ChildProcess
  let directory = ''
  const client = new TrackerClient({ platform: nodePlatform(), settings: settings() })

  beforeAll(async () => {
    port = await freePort()
    directory = mkdtempSync(join(tmpdir(), 'opentracker-'))
    // It gives up its rights, and with them the way into a directory of ours alone.
    chmodSync(directory, 0o755)
    writeFileSync(join(directory, 'whitelist'), `${toHex(INFO_HASH)}\n`)
    const args = ['-i', '127.0.0.1', '-p', `${port}`, '-P', `${port}`, '-d', directory, '-w', 'whitelist']
    child = spawn(program, args, { cwd: directory, stdio: 'ignore' })
    for (let i = 0; i < 100; i++) {
      if ((await outcome(`http://127.0.0.1:${port}/stats`)).startsWith('status')) return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error('opentracker does not answer')
  })

  afterAll(async () => {
    client.close()
    if (child !== undefined) {
      child.kill()
      await new Promise((resolve) => child.once('exit', resolve))
    }
    rmSync(directory, { recursive: true, force: true })
  })

  const announce = (changes: Partial<TrackerRequest>) =>
    new Promise<AnnounceReply>((resolve, reject) => {
      client.announce(request(changes), (result) => (result.kind === 'reply' ? resolve(result) : reject(result.error)))
    })

  const scrape = (url: string) =>
    new Promise<ScrapeReply>((resolve, reject) => {
      client.scrape({ url, infoHash: INFO_HASH }, (result) =>
        result.kind === 'scrape' ? resolve(result) : reject(result.error),
      )
    })

  const peerId = (n: number) => new TextEncoder().encode(`-LT2100-${String(n).padStart(12, '0')}`)

  test.each(['http', 'udp'])('learns of peers over %s, tells the others of them, and forgets them', async (scheme) => {
    const url = `${scheme}://127.0.0.1:${port}/announce`
    const seed = await announce({ url, peerId: peerId(1), port: 7001, left: 0 })
    expect(seed).toMatchObject({ complete: 1, incomplete: 0, trackerAddress: '127.0.0.1' })
    expect(seed.interval).toBeGreaterThan(60)

    const leech = await announce({ url, peerId: peerId(2), port: 7002, left: 5 })
    expect(leech).toMatchObject({ complete: 1, incomplete: 1 })
    expect(leech.peers).toContainEqual({ address: '127.0.0.1', port: 7001 })

    expect(await scrape(url)).toMatchObject({ complete: 1, incomplete: 1 })

    await announce({ url, peerId: peerId(2), port: 7002, left: 0, event: 'completed' })
    expect(await scrape(url)).toMatchObject({ complete: 2, incomplete: 0 })

    await announce({ url, peerId: peerId(1), port: 7001, left: 0, event: 'stopped', numWant: 0 })
    await announce({ url, peerId: peerId(2), port: 7002, left: 0, event: 'stopped', numWant: 0 })
    expect(await scrape(url)).toMatchObject({ complete: 0, incomplete: 0 })
  })

  test.each([
    ['http', 'trackerFailure'],
    // It says no by sending nothing but a header.
    ['udp', 'invalidTrackerResponseLength'],
  ])('refuses over %s a torrent it does not know', async (scheme, code) => {
    const url = `${scheme}://127.0.0.1:${port}/announce`
    await expect(announce({ url, infoHash: new Uint8Array(20).fill(1) })).rejects.toMatchObject({ code })
  })
})

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
