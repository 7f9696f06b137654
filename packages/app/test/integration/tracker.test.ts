import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Lt } from './lt.ts'
import { makeContent, sameContent, temporaryDirectory } from './scene.ts'

test.each(['http', 'udp'])('tracker brings a seed and a download together over %s', async (scheme) => {
  const tracker = new Lt('tracker', '--port', '0', '--host', '127.0.0.1', '--json', '--interval', '60')
  const { urls } = await tracker.event('listening')
  const url = (urls as string[]).find((text) => text.startsWith(scheme)) ?? ''
  const content = await makeContent({ 'dir/a': 100_000, 'dir/b': 5 })
  const seed = new Lt('seed', content.torrent, '-o', content.directory, '--port', '0', '--json', '--tracker', url)
  await seed.event('complete')
  const directory = temporaryDirectory()
  const args = ['-o', directory, '--port', '0', '--json', '--no-seed', '--tracker', url]
  const download = new Lt('download', content.torrent, ...args)
  expect(await download.exited).toBe(0)
  expect(sameContent(content, directory, ['dir/a', 'dir/b'])).toBe(true)
  seed.kill('SIGINT')
  await seed.exited
  tracker.kill('SIGINT')
  expect(await tracker.exited).toBe(0)
  expect(tracker.lines.at(-1)).toMatchObject({ type: 'statistics', torrents: 1, peers: 0, refused: 0 })
})

test.each<[string[], string[]]>([
  [[], ['http:', 'ws:', 'udp:']],
  [['--no-ws'], ['http:', 'udp:']],
  [['--no-http', '--no-udp', '--ws'], ['ws:']],
])('tracker %j listens for what it is to', async (args, schemes) => {
  const tracker = new Lt('tracker', '--port', '0', '--host', '127.0.0.1', '--json', ...args)
  const { urls } = await tracker.event('listening')
  expect((urls as string[]).map((url) => new URL(url).protocol)).toEqual(schemes)
  tracker.kill('SIGINT')
  expect(await tracker.exited).toBe(0)
  expect(tracker.lines.at(-1)).toMatchObject({ type: 'statistics', webClients: 0, webPeers: 0 })
})

test('tracker tells a person its URLs, and at the end what it did', async () => {
  const tracker = new Lt('tracker', '--port', '0', '--host', '127.0.0.1', '--no-http')
  await expect.poll(() => tracker.stdout, { timeout: 60_000 }).toContain('\n  udp://127.0.0.1:')
  tracker.kill('SIGTERM')
  expect(await tracker.exited).toBe(0)
  expect(tracker.stdout).toMatch(
    /^The tracker is running\. Its announce URLs are:\n {2}udp:\/\/127\.0\.0\.1:\d+\/announce\n0 torrents, 0 peers \(0 seeds\), 0 announces \(0 by UDP\), 0 scrapes\n$/,
  )
})

test('tracker on a port that is taken says so', async () => {
  const server = createServer()
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  const { code, stderr } = await Lt.run('tracker', '--port', `${port}`, '--host', '127.0.0.1')
  expect(code).toBe(1)
  expect(stderr).toBe(
    `lt: The tracker cannot listen on port ${port}: the port is in use by another program. Choose another with --port.\n`,
  )
})

test.each([
  [['--host', 'localhost'], 2],
  [['--interval', '0'], 2],
  [['--no-http', '--no-udp'], 1],
  [[join('some', 'file')], 2],
])('tracker %j is refused', async (args, code) => {
  expect(await Lt.run('tracker', ...args)).toMatchObject({ code, stdout: '' })
})
