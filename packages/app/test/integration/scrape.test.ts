import { expect, test } from 'vitest'
import { Lt } from './lt.ts'
import { makeContent } from './scene.ts'

test('scrape asks each tracker, and tells of those that fail', async () => {
  const tracker = new Lt('tracker', '--port', '0', '--host', '127.0.0.1', '--json', '--interval', '60')
  const { urls } = (await tracker.event('listening')) as unknown as { urls: string[] }
  const content = await makeContent({ 'dir/a': 100_000 })
  const given = urls.flatMap((url) => ['--tracker', url])
  const seed = new Lt('seed', content.torrent, '-o', content.directory, '--port', '0', '--json', ...given)
  await seed.event('complete')
  const infoHash = content.info.infoHash.toHex()
  let lines: Record<string, unknown>[] = []
  while (lines.length < 2 || lines.some(({ seeds }) => seeds !== 1)) {
    const { code, stdout } = await Lt.run('scrape', infoHash, ...given, '--json')
    expect(code).toBe(0)
    lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  }
  expect(new Set(lines.map(({ tracker: url }) => url))).toEqual(new Set(urls))
  for (const line of lines) expect(line).toMatchObject({ type: 'scraped', seeds: 1, peers: 0, downloads: 0 })

  const mixed = await Lt.run('scrape', infoHash, '--tracker', urls[0], '--tracker', 'http://127.0.0.1:1/announce')
  expect(mixed).toMatchObject({ code: 0, stdout: `${urls[0]}  1 seed, 0 peers, 0 downloads\n` })
  expect(mixed.stderr).toMatch(/^lt: warning: Tracker http:\/\/127\.0\.0\.1:1\/announce: /)
})

test.each([
  ['http://127.0.0.1:1/announce', 'a tracker that does not answer'],
  ['http://127.0.0.1:1/elsewhere', 'a tracker whose URL knows no scrape'],
])('scrape fails when no tracker tells: %s', async (url) => {
  const { code, stdout } = await Lt.run('scrape', 'a'.repeat(40), '--tracker', url)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
})

test('scrape without a tracker says how to name one', async () => {
  const { code, stderr } = await Lt.run('scrape', 'a'.repeat(40))
  expect(code).toBe(1)
  expect(stderr).toMatch(/--tracker URL\.$/m)
})
