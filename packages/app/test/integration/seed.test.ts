import { copyFileSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TorrentInfo } from 'libtorrent-ts'
import { expect, test } from 'vitest'
import { Lt } from './lt.ts'
import {
  type Content,
  filesIn,
  makeContent,
  openSession,
  openTracker,
  sameContent,
  temporaryDirectory,
} from './scene.ts'

/** Downloads `content` from a process of ours that listens on `port`. */
async function downloadFrom(port: unknown, content: Content): Promise<string> {
  const session = await openSession()
  const savePath = temporaryDirectory()
  const finished = new Promise<void>((resolve) => session.on('torrentFinished', () => resolve()))
  session.addTorrent({
    ti: new TorrentInfo(readFileSync(content.torrent)),
    savePath,
    peers: [{ address: '127.0.0.1', port: Number(port) }],
  })
  await finished
  await session.getTorrents()[0].flushCache()
  return savePath
}

test('seed checks what is there, gives it to whoever asks, and leaves no trace', async () => {
  const content = await makeContent({ 'dir/a': 300_000, 'dir/b': 5 })
  const lt = new Lt('seed', content.torrent, '--output', content.directory, '--port', '0', '--json')
  const { listenPort } = await lt.event('added')
  await lt.event('complete')
  expect(sameContent(content, await downloadFrom(listenPort, content), ['dir/a', 'dir/b'])).toBe(true)
  lt.kill('SIGINT')
  expect(await lt.exited).toBe(0)
  expect(filesIn(content.directory)).toEqual(['dir.torrent', 'dir/a', 'dir/b'])
})

test('a download goes on as a seed until it has given as much as --seed-ratio says', async () => {
  const content = await makeContent({ single: 300_000 })
  const directory = temporaryDirectory()
  copyFileSync(join(content.directory, 'single'), join(directory, 'single'))
  const args = ['--output', directory, '--port', '0', '--json', '--seed-ratio', '1']
  const lt = new Lt('download', content.torrent, ...args)
  const { listenPort } = await lt.event('added')
  await lt.event('seeding')
  await downloadFrom(listenPort, content)
  expect(await lt.exited).toBe(0)
  expect(await lt.event('ended')).toMatchObject({ reason: 'seedRatio' })
})

test('--seed-time ends seeding by the clock', async () => {
  const content = await makeContent({ single: 1000 })
  const lt = new Lt('seed', content.torrent, '-o', content.directory, '--port', '0', '--json', '--seed-time', '0')
  expect(await lt.exited).toBe(0)
  expect(await lt.event('ended')).toMatchObject({ reason: 'seedTime' })
})

test('--seed-time is kept to within a second where progress is told every ten', async () => {
  const content = await makeContent({ single: 1000 })
  const lt = new Lt('seed', content.torrent, '-o', content.directory, '--port', '0', '--seed-time', '1s')
  await expect.poll(() => lt.stdout, { timeout: 60_000 }).toMatch(/Seeding; Ctrl-C/)
  const begun = performance.now()
  expect(await lt.exited).toBe(0)
  // One second of seeding, the half between two looks, and the end of a process on a busy machine.
  expect(performance.now() - begun).toBeLessThan(8000)
})

test('seed in a directory without the content fails at once, and makes nothing there', async () => {
  const content = await makeContent({ 'dir/a': 1000, 'dir/empty': 0 })
  const directory = temporaryDirectory()
  const { code, stderr } = await Lt.run('seed', content.torrent, '-o', directory, '--port', '0')
  expect(code).toBe(1)
  expect(stderr).toMatch(/^lt: Nothing of the torrent is in .*--output/)
  expect(filesIn(directory)).toEqual([])
})

test.each([
  ['beside its .torrent', (content: Content) => [temporaryDirectory(), content.directory]],
  ['in the directory above', (content: Content) => [join(content.directory, 'dir'), content.directory]],
])('seed in the wrong directory says that the content is %s', async (_where, places) => {
  const content = await makeContent({ 'dir/a': 1000 })
  const [wrong, right] = places(content)
  const { code, stderr } = await Lt.run('seed', content.torrent, '-o', wrong, '--port', '0')
  expect(code).toBe(1)
  expect(stderr).toBe(
    `lt: Nothing of the torrent is in ${wrong}: no dir/a, for one. It is in ${right}: say --output ${right}\n`,
  )
})

test('seed of files in a directory of another name says what it should be called', async () => {
  const content = await makeContent({ 'dir/a': 1000 })
  const torrent = join(temporaryDirectory(), 'moved.torrent')
  copyFileSync(content.torrent, torrent)
  renameSync(join(content.directory, 'dir'), join(content.directory, 'other'))
  const { stderr } = await Lt.run('seed', torrent, '-o', join(content.directory, 'other'), '--port', '0')
  expect(stderr).toContain('Its files have to be in a directory called dir, ')
})

test('seed of other files of the same names fails, and says that they are others', async () => {
  const content = await makeContent({ single: 100_000 })
  writeFileSync(join(content.directory, 'single'), Buffer.alloc(100_000, 1))
  const { code, stderr } = await Lt.run('seed', content.torrent, '-o', content.directory, '--port', '0')
  expect(code).toBe(1)
  expect(stderr).toMatch(/^lt: Not one piece of what is in .* is right: these are other files/)
})

test('a seed without trackers says how others find it', async () => {
  const content = await makeContent({ single: 1000 })
  const args = ['-o', content.directory, '--port', '0', '--seed-time', '0']
  const { stdout } = await Lt.run('seed', content.torrent, ...args)
  expect(stdout).toMatch(
    /listening on port (\d+)\nThere is neither tracker nor DHT: others find this with --peer HOST:\1, /,
  )
})

test('seed of content of which a part is missing gives the rest, and says so', async () => {
  const content = await makeContent({ single: 300_000 })
  truncateSync(join(content.directory, 'single'), 200_000)
  const lt = new Lt('seed', content.torrent, '-o', content.directory, '--port', '0', '--json')
  expect((await lt.event('warning')).message).toMatch(/^Only 6\d\.\d % of it is in /)
  lt.kill('SIGINT')
  expect(await lt.exited).toBe(0)
  expect(readFileSync(join(content.directory, 'single'))).toHaveLength(200_000)
})

test('seed needs to know the files', async () => {
  const content = await makeContent({ single: 1000 })
  const { code, stderr } = await Lt.run('seed', content.magnet, '-o', content.directory)
  expect(code).toBe(1)
  expect(stderr).toContain('The .torrent is needed to seed it.')
})

test('a port that is taken is told', async () => {
  const content = await makeContent({ single: 1000 })
  const { listenPort } = await openSession()
  const { code, stderr } = await Lt.run('seed', content.torrent, '-o', content.directory, '--port', `${listenPort}`)
  expect(code).toBe(1)
  expect(stderr).toBe(
    `lt: Port ${listenPort} cannot be listened on: the port is in use by another program. Choose another with --port.\n`,
  )
})

test.each(['seed', 'download'])('%s: trackers are told when it comes, and once when it goes', async (command) => {
  const content = await makeContent({ single: 1000 })
  const directory = command === 'seed' ? content.directory : temporaryDirectory()
  const tracker = await openTracker()
  const lt = new Lt(command, content.torrent, '-o', directory, '--port', '0', '--json', '--tracker', tracker.url)
  await Promise.all([lt.event('added'), tracker.announced])
  lt.kill('SIGINT')
  expect(await lt.exited).toBe(command === 'seed' ? 0 : 130)
  expect(tracker.events).toEqual(['started', 'stopped'])
})

test('a tracker that fails is told once', async () => {
  const content = await makeContent({ single: 1000 })
  const args = ['-o', content.directory, '--port', '0', '--json', '--tracker', 'http://127.0.0.1:2/announce']
  const lt = new Lt('seed', content.torrent, ...args)
  expect(await lt.event('warning')).toMatchObject({
    message: 'Tracker http://127.0.0.1:2/announce: connection refused',
    tracker: 'http://127.0.0.1:2/announce',
  })
  lt.kill('SIGINT')
  expect(await lt.exited).toBe(0)
})
