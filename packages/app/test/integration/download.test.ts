import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Lt } from './lt.ts'
import {
  Bottleneck,
  filesIn,
  makeContent,
  openWebServer,
  sameContent,
  seedContent,
  temporaryDirectory,
} from './scene.ts'

const MIB = 1024 * 1024
const SHOW = { 'show/s01/e01.mkv': 300_000, 'show/s01/e02.mkv': 200_001, 'show/empty': 0, 'show/readme.txt': 10 }

test('download --no-seed gets every byte from a peer, leaves nothing else, and exits with 0', async () => {
  const content = await makeContent(SHOW)
  const peer = await seedContent(content)
  const directory = temporaryDirectory()
  const args = ['--output', directory, '--peer', peer, '--port', '0', '--no-seed', '--json']
  const lt = new Lt('download', content.torrent, ...args)
  expect(await lt.exited).toBe(0)
  expect(filesIn(directory)).toEqual(Object.keys(SHOW).sort())
  expect(sameContent(content, directory, Object.keys(SHOW))).toBe(true)
  expect(lt.stderr).toBe('')
  expect(lt.lines.every((line) => typeof line.type === 'string')).toBe(true)
  expect(await lt.event('added')).toMatchObject({ name: 'show', size: 500_011, infoHash: `${content.info.infoHash}` })
  expect(await lt.event('complete')).toMatchObject({ size: 500_011, downloaded: 500_011 })
  expect(await lt.event('ended')).toMatchObject({ reason: 'complete' })
})

test('a magnet link is enough', async () => {
  const content = await makeContent({ single: 100_000 })
  const peer = await seedContent(content)
  const directory = temporaryDirectory()
  const args = ['--output', directory, '--peer', peer, '--port', '0', '--no-seed', '--json']
  const lt = new Lt('download', content.magnet, ...args)
  expect(await lt.exited).toBe(0)
  expect(await lt.event('metadata')).toMatchObject({ name: 'single', size: 100_000, files: 1 })
  expect(filesIn(directory)).toEqual(['single'])
  expect(sameContent(content, directory, ['single'])).toBe(true)
})

test('a torrent made with --web-seed is downloaded from that web server when there is no peer', async () => {
  const content = await makeContent(SHOW)
  const server = await openWebServer(content.directory)
  const torrent = join(temporaryDirectory(), 'web.torrent')
  const made = await Lt.run('create', join(content.directory, 'show'), '-o', torrent, '--web-seed', server)
  expect(made).toMatchObject({ code: 0 })
  const directory = temporaryDirectory()
  const args = ['--output', directory, '--port', '0', '--no-seed', '--json']
  const lt = new Lt('download', torrent, ...args)
  expect(await lt.exited).toBe(0)
  expect(filesIn(directory)).toEqual(Object.keys(SHOW).sort())
  expect(sameContent(content, directory, Object.keys(SHOW))).toBe(true)
  expect(lt.stderr).toBe('')
  // Nobody is told that there are no peers: none are needed.
  expect(lt.lines.filter(({ type }) => type === 'warning')).toEqual([])
})

test('so is a bare info-hash', async () => {
  const content = await makeContent({ single: 100_000 })
  const directory = temporaryDirectory()
  const args = ['--output', directory, '--peer', await seedContent(content), '--port', '0', '--no-seed']
  expect(await Lt.run('download', `${content.info.infoHash}`, ...args)).toMatchObject({ code: 0, stderr: '' })
  expect(sameContent(content, directory, ['single'])).toBe(true)
})

test('people are told in plain lines where there is no terminal', async () => {
  const content = await makeContent({ single: 100_000 })
  const args = ['--output', temporaryDirectory(), '--peer', await seedContent(content), '--port', '0', '--no-seed']
  const { code, stdout } = await Lt.run('download', content.torrent, ...args)
  expect(code).toBe(0)
  expect(stdout).toMatch(/^single {2}100 kB in 1 file\nin .*, listening on port \d+\nComplete: 100 kB after .*\n$/)
})

test('after a kill -9 at half the same command checks what is there and gets only the rest', async () => {
  const content = await makeContent({ large: 8 * MIB }, 65_536)
  const bottleneck = await Bottleneck.open(await seedContent(content), 4 * MIB)
  const directory = temporaryDirectory()
  const args = ['--output', directory, '--peer', bottleneck.address, '--port', '0', '--no-seed', '--json']
  const killed = new Lt('download', content.torrent, ...args)
  await bottleneck.exhausted
  await killed.line((line) => line.type === 'progress' && Number(line.pieces) > 10)
  killed.kill('SIGKILL')
  expect(await killed.exited).toBe('SIGKILL')

  bottleneck.open()
  const resumed = new Lt('download', content.torrent, ...args)
  expect(await resumed.exited).toBe(0)
  expect(Number((await resumed.event('continuing')).pieces)).toBeGreaterThan(10)
  // Some pieces were in the making; most of the first half was not asked for again.
  expect(bottleneck.passed).toBeLessThan(7.5 * MIB)
  expect(filesIn(directory)).toEqual(['large'])
  expect(sameContent(content, directory, ['large'])).toBe(true)
})

test('Ctrl-C leaves a resume file, from which even a magnet link goes on without checking or metadata', async () => {
  const content = await makeContent({ large: 8 * MIB }, 65_536)
  const bottleneck = await Bottleneck.open(await seedContent(content), 4 * MIB)
  const directory = temporaryDirectory()
  const args = ['--output', directory, '--peer', bottleneck.address, '--port', '0', '--no-seed', '--json']
  const interrupted = new Lt('download', content.magnet, ...args)
  await bottleneck.exhausted
  await interrupted.line((line) => line.type === 'progress' && Number(line.pieces) > 10)
  interrupted.kill('SIGINT')
  expect(await interrupted.exited).toBe(130)
  expect(await interrupted.event('ended')).toMatchObject({ reason: 'SIGINT' })
  expect(filesIn(directory)).toEqual([`.${content.info.infoHash}.resume`, 'large'])

  bottleneck.open()
  const resumed = new Lt('download', content.magnet, ...args)
  expect(await resumed.exited).toBe(0)
  expect(resumed.lines.some((line) => line.type === 'metadata' || line.state === 'checkingFiles')).toBe(false)
  const { done } = await resumed.event('continuing')
  // Blocks of pieces in the making count too: nothing that was written is downloaded again.
  expect(bottleneck.passed).toBeLessThan(8 * MIB - Number(done) + 100_000)
  expect(filesIn(directory)).toEqual(['large'])
  expect(sameContent(content, directory, ['large'])).toBe(true)
})

test('a polite kill does the same, with the exit code shells expect', async () => {
  const content = await makeContent({ large: MIB })
  const bottleneck = await Bottleneck.open(await seedContent(content), MIB / 2)
  const directory = temporaryDirectory()
  const lt = new Lt('download', content.torrent, '-o', directory, '--peer', bottleneck.address, '--port', '0', '--json')
  await bottleneck.exhausted
  lt.kill('SIGTERM')
  expect(await lt.exited).toBe(143)
  expect(filesIn(directory)).toContain(`.${content.info.infoHash}.resume`)
})

test.each([
  ['damaged', (path: string) => writeFileSync(path, 'no resume data')],
  ['cut short', (path: string) => truncateSync(path, readFileSync(path).length >> 1)],
  ['empty', (path: string) => truncateSync(path)],
])('a resume file that is %s is told, and the files are checked', async (_what, damage) => {
  const content = await makeContent({ large: MIB })
  const bottleneck = await Bottleneck.open(await seedContent(content), MIB / 2)
  const directory = temporaryDirectory()
  const args = ['--output', directory, '--peer', bottleneck.address, '--port', '0', '--no-seed', '--json']
  const interrupted = new Lt('download', content.torrent, ...args)
  await bottleneck.exhausted
  interrupted.kill('SIGINT')
  await interrupted.exited
  damage(join(directory, `.${content.info.infoHash}.resume`))

  bottleneck.open()
  const resumed = new Lt('download', content.torrent, ...args)
  expect(await resumed.exited).toBe(0)
  expect((await resumed.event('warning')).message).toMatch(/^The resume file does not fit/)
  expect(filesIn(directory)).toEqual(['large'])
  expect(sameContent(content, directory, ['large'])).toBe(true)
})

test.each(['torrent', 'magnet'] as const)('--select gets only what it names (from a %s)', async (source) => {
  const content = await makeContent(SHOW)
  const directory = temporaryDirectory()
  const args = ['--output', directory, '--peer', await seedContent(content), '--port', '0', '--no-seed', '--json']
  const lt = new Lt('download', content[source], ...args, '--select', 'e02.*')
  expect(await lt.exited).toBe(0)
  // Whole pieces are got: the first and the last of the file reach into its neighbours.
  const size = Number((await lt.event('complete')).size)
  expect(size).toBeGreaterThanOrEqual(200_001)
  expect(size).toBeLessThan(200_001 + 2 * content.info.pieceLength)
  expect(sameContent(content, directory, ['show/s01/e02.mkv'])).toBe(true)
  expect(existsSync(join(directory, `.${content.info.infoHash}.resume`))).toBe(false)
})

test('without --select the next run gets the other files as well', async () => {
  const content = await makeContent(SHOW)
  const directory = temporaryDirectory()
  const args = ['--output', directory, '--peer', await seedContent(content), '--port', '0', '--no-seed']
  expect((await Lt.run('download', content.torrent, ...args, '--select', 'readme.txt')).code).toBe(0)
  expect((await Lt.run('download', content.torrent, ...args)).code).toBe(0)
  expect(sameContent(content, directory, Object.keys(SHOW))).toBe(true)
})

test.each(['torrent', 'magnet'] as const)(
  'a --select that matches nothing fails with the list of files (%s)',
  async (source) => {
    const content = await makeContent(SHOW)
    const args = ['-o', temporaryDirectory(), '--peer', await seedContent(content), '--port', '0', '--select', '*.avi']
    const { code, stderr } = await Lt.run('download', content[source], ...args)
    expect(code).toBe(1)
    expect(stderr).toMatch(/--select \*\.avi matches no file of show\. It has: .*e01\.mkv/)
  },
)

test('a content that is there already is checked, and nothing is downloaded', async () => {
  const content = await makeContent({ large: MIB })
  const lt = new Lt('download', content.torrent, '-o', content.directory, '--port', '0', '--no-seed', '--json')
  expect(await lt.exited).toBe(0)
  expect(await lt.event('complete')).toMatchObject({ downloaded: 0 })
  expect(lt.lines.filter((line) => line.type === 'warning')).toEqual([])
  expect(filesIn(content.directory)).toEqual(['large', 'large.torrent'])
})

test.each(['torrent', 'magnet'] as const)('a download that knows nobody says so (%s)', async (source) => {
  const content = await makeContent({ single: 1000 })
  const lt = new Lt('download', content[source], '-o', temporaryDirectory(), '--port', '0', '--json')
  expect((await lt.event('warning')).message).toMatch(
    /^There is no tracker, no DHT and no --peer: .* --peer HOST:PORT\.$/,
  )
  lt.kill('SIGINT')
  expect(await lt.exited).toBe(130)
})

test.each(['download', 'seed'] as const)('behind a proxy a %s that knows nobody waits for nobody', async (command) => {
  const content = await makeContent({ single: 1000 })
  const output = command === 'seed' ? content.directory : temporaryDirectory()
  const lt = new Lt(command, content.torrent, '-o', output, '--proxy', 'http://127.0.0.1:2', '--json')
  expect((await lt.event('warning')).message).toBe(
    'There is no tracker, no DHT and no --peer, and nobody can connect here. Name one with --peer HOST:PORT.',
  )
  lt.kill('SIGINT')
  await lt.exited
})

test('a peer that cannot be reached is told, with what is done about it', async () => {
  const content = await makeContent({ single: 100_000 })
  const args = ['-o', temporaryDirectory(), '--peer', '127.0.0.1:2', '--port', '0', '--json']
  const lt = new Lt('download', content.torrent, ...args)
  expect((await lt.event('warning')).message).toBe(
    '127.0.0.1:2 cannot be connected to: connection refused. Trying again every 5 seconds.',
  )
  lt.kill('SIGINT')
  expect(await lt.exited).toBe(130)
})

test('a peer may be given by name, of which one address is enough', async () => {
  const content = await makeContent({ single: 100_000 })
  const peer = (await seedContent(content)).replace('127.0.0.1', 'localhost')
  const args = ['-o', temporaryDirectory(), '--peer', peer, '--port', '0', '--no-seed', '--json']
  const lt = new Lt('download', content.torrent, ...args)
  expect(await lt.exited).toBe(0)
  expect(lt.lines.filter((line) => line.type === 'warning')).toEqual([])
})
