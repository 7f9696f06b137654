import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Session } from 'libtorrent-ts'
import { expect, onTestFinished, test } from 'vitest'
import { Lt, useStateDirectory } from './lt.ts'
import { makeContent, sameContent, temporaryDirectory } from './scene.ts'

/** All nodes are of one address here, which in the real DHT would be suspicious. */
const LOOPBACK_DHT = { dhtRestrictRoutingIps: false, dhtRestrictSearchIps: false, dhtIgnoreDarkInternet: false }
const SET = Object.entries(LOOPBACK_DHT).flatMap(([name, value]) => ['--set', `${name}=${value}`])

const QUIET = { listenInterfaces: '127.0.0.1:0', enableLsd: false, enableUpnp: false, enableNatpmp: false }
const SMALL_DISK = { poolBytes: 16 * 1024 * 1024 }

/** A DHT of one node; gives the options by which `lt` finds it. */
async function openDht(): Promise<{ node: string; options: string[] }> {
  const session = new Session({
    settings: {
      ...LOOPBACK_DHT,
      ...QUIET,
      dhtBootstrapNodes: '',
      dhtUploadRateLimit: 1_000_000,
      dhtBlockRatelimit: 10_000,
    },
    disk: SMALL_DISK,
  })
  onTestFinished(() => session.abort())
  await session.ready
  const node = `127.0.0.1:${session.listenPort}`
  return { node, options: ['--dht-router', node, ...SET, '--json'] }
}

async function jsonOf(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await Lt.run(...args)
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return JSON.parse(stdout)
}

test('dht put stores a text, and dht get prints it', async () => {
  const { options } = await openDht()
  const stored = await jsonOf('dht', 'put', 'grüezi', ...options)
  expect(stored).toMatchObject({ type: 'stored', nodes: 1 })
  const item = await jsonOf('dht', 'get', String(stored.target), ...options)
  expect(item).toMatchObject({ type: 'item', target: stored.target, text: 'grüezi' })
  const plain = options.filter((option) => option !== '--json')
  expect((await Lt.run('dht', 'get', String(stored.target), ...plain)).stdout).toBe('grüezi\n')
})

test('dht put with a key changes the item each time', async () => {
  const { options } = await openDht()
  const key = join(temporaryDirectory(), 'my.key')
  const made = await jsonOf('dht', 'key', key, '--json')
  expect(readFileSync(key, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/)
  if (process.platform !== 'win32') expect(statSync(key).mode & 0o777).toBe(0o600)
  const file = join(temporaryDirectory(), 'value')
  for (const [seq, text] of [
    [1, 'one'],
    [2, 'two'],
  ] as const) {
    writeFileSync(file, text)
    const stored = await jsonOf('dht', 'put', '--file', file, '--key', key, '--salt', 'a:b', ...options)
    expect(stored).toEqual({ type: 'stored', key: made.key, salt: 'a:b', seq, nodes: 1 })
  }
  const item = await jsonOf('dht', 'get', `${made.key}:a:b`, ...options)
  expect(item).toMatchObject({ key: made.key, salt: 'a:b', seq: 2, text: 'two', bencoded: '333a74776f' })
  const { code, stderr } = await Lt.run('dht', 'get', String(made.key), ...options)
  expect(code).toBe(1)
  expect(JSON.parse(stderr).message).toMatch(/nobody has it/)
})

test('dht key replaces nothing', async () => {
  const key = join(temporaryDirectory(), 'my.key')
  writeFileSync(key, 'precious')
  expect(await Lt.run('dht', 'key', key)).toMatchObject({ code: 1, stdout: '' })
  expect(readFileSync(key, 'utf8')).toBe('precious')
})

test('a seed is found by the DHT alone: dht peers names it, dht sample its torrent, and a bare info-hash is enough', async () => {
  const { node, options } = await openDht()
  const content = await makeContent({ 'dir/a': 100_000, 'dir/b': 5 })
  const infoHash = content.info.infoHash.toHex()
  const inDht = ['--set', 'enableDht=true', '--set', 'dhtBootstrapNodes=', '--set', 'listenInterfaces=127.0.0.1:0']
  const nodes = join(temporaryDirectory(), 'with-node.torrent')
  await Lt.run('create', join(content.directory, 'dir'), '-o', nodes, '--node', node, '--piece-size', '16KiB')
  const seed = new Lt('seed', nodes, '-o', content.directory, '--json', ...inDht, ...SET)
  const { listenPort } = await seed.event('added')
  let peers: unknown = null
  while (!Array.isArray(peers)) {
    const { code, stdout } = await Lt.run('dht', 'peers', infoHash, ...options)
    if (code === 0) ({ peers } = JSON.parse(stdout))
  }
  // The node the download begins with is a router to it, and routers keep nothing: the seed leads it to the other.
  const seedNode = `127.0.0.1:${listenPort}`
  expect(peers).toEqual([{ address: '127.0.0.1', port: listenPort }])
  expect(await jsonOf('dht', 'sample', node, ...options)).toMatchObject({ num: 1, infoHashes: [infoHash] })

  const directory = temporaryDirectory()
  const args = ['-o', directory, '--json', '--no-seed', ...inDht, ...SET, '--set', `dhtBootstrapNodes=${seedNode}`]
  const download = new Lt('download', infoHash, ...args)
  expect(await download.exited).toBe(0)
  expect(sameContent(content, directory, ['dir/a', 'dir/b'])).toBe(true)
}, 60_000)

test('who knows the key gets the newest version of what was published', async () => {
  const { node, options } = await openDht()
  const content = await makeContent({ single: 50_000 })
  const infoHash = content.info.infoHash.toHex()
  const key = join(temporaryDirectory(), 'my.key')
  await Lt.run('dht', 'key', key)
  const published = await jsonOf('dht', 'publish', content.torrent, '--key', key, '--salt', 'n', ...options)
  expect(published).toMatchObject({ type: 'published', infoHash, salt: 'n', seq: 1, nodes: 1 })
  const uri = String(published.uri)
  expect(await jsonOf('info', uri, '--json')).toMatchObject({ type: 'magnet', infoHash: null, key: published.key })

  const inDht = [
    '--set',
    'enableDht=true',
    '--set',
    'dhtBootstrapNodes=',
    '--set',
    'listenInterfaces=127.0.0.1:0',
    ...SET,
  ]
  const withNode = join(temporaryDirectory(), 'with-node.torrent')
  await Lt.run('create', join(content.directory, 'single'), '-o', withNode, '--node', node, '--piece-size', '16KiB')
  const seed = new Lt('seed', withNode, '-o', content.directory, '--json', ...inDht)
  await seed.event('added')
  const directory = temporaryDirectory()
  const args = ['-o', directory, '--json', '--no-seed', ...inDht]
  const download = new Lt('download', `${uri}&dht=${node}`, ...args)
  expect(await download.event('version')).toMatchObject({ infoHash, key: published.key, salt: '6e' })
  expect(await download.exited).toBe(0)
  expect(sameContent(content, directory, ['single'])).toBe(true)
}, 60_000)

test('a link to the newest version needs the DHT, and other commands say so', async () => {
  const uri = `magnet:?xs=urn:btpk:${'ab'.repeat(32)}`
  const download = await Lt.run('download', uri, '-o', temporaryDirectory())
  expect(download).toMatchObject({ code: 1, stderr: expect.stringContaining('it needs the DHT') })
  for (const command of ['scrape', 'verify']) {
    const { code, stderr } = await Lt.run(command, uri)
    expect(code).toBe(1)
    expect(stderr).not.toMatch(/^ {4}at /m)
  }
})

test('the nodes of one run are where the next begins', async () => {
  const { node, options } = await openDht()
  useStateDirectory(join(temporaryDirectory(), 'made', 'when-needed'))
  const { target } = await jsonOf('dht', 'put', 'kept', ...options)
  const plain = ['dht', 'get', String(target), '--json', '--timeout', '5s', ...SET]
  // A node of --dht-router is of another DHT, and not kept.
  expect(await Lt.run(...plain, '--set', 'dhtBootstrapNodes=')).toMatchObject({ code: 1 })

  const way = new Session({ settings: { ...LOOPBACK_DHT, ...QUIET, dhtBootstrapNodes: '' }, disk: SMALL_DISK })
  onTestFinished(() => way.abort())
  await way.ready
  const [host, port] = node.split(':')
  while (way.status().dhtNodes === 0) {
    way.addDhtNode({ host, port: Number(port) })
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const overRouter = await jsonOf(...plain, '--set', `dhtBootstrapNodes=127.0.0.1:${way.listenPort}`)
  expect(overRouter).toMatchObject({ text: 'kept' })
  expect(await jsonOf(...plain, '--set', 'dhtBootstrapNodes=')).toEqual(overRouter)
}, 60_000)

test('a damaged memory of nodes is told of, and does no harm', async () => {
  const directory = temporaryDirectory()
  useStateDirectory(directory)
  const args = ['dht', 'get', 'aa'.repeat(20), '--timeout', '1s', '--set', 'dhtBootstrapNodes=']
  for (const content of ['', 'd5:nodes', 'le', 'x'.repeat(300_000)]) {
    writeFileSync(join(directory, 'dht.state'), content)
    const { code, stderr } = await Lt.run(...args)
    expect(code).toBe(1)
    expect(stderr).toMatch(/dht\.state is damaged/)
    expect(stderr).toMatch(/No node of the DHT answered/)
  }
})

test('dht commands say when nobody answers', async () => {
  const { code, stderr } = await Lt.run('dht', 'get', 'aa'.repeat(20), '--dht-router', '127.0.0.1:1', '--timeout', '1s')
  expect(code).toBe(1)
  expect(stderr).toBe('lt: 127.0.0.1:1: no answer within 1 s. Is it a DHT node?\n')
})

test.each([
  [['get', 'abc'], 2],
  [['get', `${'a'.repeat(40)}:salt`], 2],
  [['put'], 2],
  [['put', 'x', '--file', 'y'], 2],
  [['put', 'x', '--salt', 'y'], 2],
  [['put', 'x'.repeat(997)], 1],
  [['put', 'x', '--key', 'no-such-file'], 1],
  [['publish', 'aa'.repeat(20)], 2],
  [['publish', 'aa'.repeat(20), '--key', 'no-such-file'], 1],
  [['publish', `magnet:?xs=urn:btpk:${'ab'.repeat(32)}`, '--key', 'no-such-file'], 1],
  [['sample', 'nowhere'], 2],
  [['frobnicate'], 2],
])('dht %j is refused', async (args, code) => {
  const result = await Lt.run('dht', ...args)
  expect(result).toMatchObject({ code, stdout: '' })
  expect(result.stderr).not.toMatch(/^ {4}at /m)
})
