import { mkdirSync, openSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { bencode, TorrentInfo } from 'libtorrent-ts'
import { expect, test } from 'vitest'
import { Lt } from './lt.ts'
import { filesIn, makeContent, someBytes, temporaryDirectory } from './scene.ts'

/** A directory `dir` with files to make a torrent of. */
function someFiles(): string {
  const directory = temporaryDirectory()
  mkdirSync(join(directory, 'dir/sub'), { recursive: true })
  writeFileSync(join(directory, 'dir/z'), someBytes(100_000, 1))
  writeFileSync(join(directory, 'dir/sub/a'), someBytes(20_000, 2))
  writeFileSync(join(directory, 'dir/.hidden'), 'x')
  writeFileSync(join(directory, 'dir/run'), '#!', { mode: 0o755 })
  symlinkSync('../z', join(directory, 'dir/sub/link'))
  return directory
}

test('create, info, magnet and verify agree on a torrent', async () => {
  const directory = someFiles()
  const torrent = join(directory, 'made.torrent')
  const created = await Lt.run(
    ...['create', join(directory, 'dir'), '-o', torrent, '--json', '--piece-size', '32KiB', '--private'],
    ...['--tracker', 'http://a/announce,http://b/announce', '--tracker', 'udp://c:80'],
    ...['--web-seed', 'http://w/', '--node', 'router.example:6881', '--comment', 'of a test', '--creator', 'me'],
  )
  expect(created.code).toBe(0)
  const made = JSON.parse(created.stdout)
  expect(made).toMatchObject({ type: 'created', file: torrent, name: 'dir', size: 120_003, numPieces: 4 })

  const info = JSON.parse((await Lt.run('info', torrent, '--json')).stdout)
  expect(info).toEqual({
    type: 'torrent',
    name: 'dir',
    infoHash: made.infoHash,
    size: 120_003,
    pieceLength: 32_768,
    numPieces: 4,
    private: true,
    comment: 'of a test',
    creator: 'me',
    creationDate: expect.any(Number),
    trackers: [
      { url: 'http://a/announce', tier: 0 },
      { url: 'http://b/announce', tier: 0 },
      { url: 'udp://c:80', tier: 1 },
    ],
    webSeeds: [{ url: 'http://w/', type: 'urlSeed' }],
    nodes: [{ host: 'router.example', port: 6881 }],
    files: [
      { path: 'dir/.hidden', size: 1 },
      { path: 'dir/run', size: 2, executable: true },
      { path: 'dir/sub/a', size: 20_000 },
      { path: 'dir/sub/link', size: 0, symlink: 'dir/z' },
      { path: 'dir/z', size: 100_000 },
    ],
  })

  const magnet = await Lt.run('magnet', torrent)
  expect(magnet.stdout).toBe(`${made.magnet}\n`)
  const link = JSON.parse((await Lt.run('info', magnet.stdout.trim(), '--json')).stdout)
  expect(link).toMatchObject({ type: 'magnet', name: 'dir', infoHash: made.infoHash })

  const verified = await Lt.run('verify', torrent, '--output', directory)
  expect(verified).toMatchObject({ code: 0, stdout: 'dir is complete: 4 pieces verified.\n', stderr: '' })
})

test('verify names bad, short and missing files and pieces, and exits with 1', async () => {
  const content = await makeContent({ 'dir/a': 40_000, 'dir/b': 40_000, 'dir/c': 40_000, 'dir/empty': 0 })
  const { directory } = content
  writeSync(openSync(join(directory, 'dir/a'), 'r+'), Buffer.from([0xff]), 0, 1, 20_000)
  truncateSync(join(directory, 'dir/b'), 39_000)
  rmSync(join(directory, 'dir/c'))
  rmSync(join(directory, 'dir/empty'))
  const text = await Lt.run('verify', content.torrent, '-o', directory)
  expect(text).toMatchObject({ code: 1, stderr: '' })
  expect(text.stdout.split('\n')).toEqual([
    'bad: dir/a (1 of 3 pieces not right)',
    'short: dir/b (1 of 3 pieces not right)',
    'missing: dir/c',
    'missing: dir/empty',
    'bad pieces: 1',
    'missing pieces: 4-7',
    'dir is not complete: 3 of 8 pieces good, 1 bad, 4 missing.',
    '',
  ])
  const json = await Lt.run('verify', content.torrent, '-o', directory, '--json')
  expect(json.code).toBe(1)
  expect(JSON.parse(json.stdout)).toMatchObject({
    complete: false,
    good: 3,
    badPieces: [1],
    missingPieces: [4, 5, 6, 7],
  })
})

test('verify --select looks at the files named, and at no others', async () => {
  const content = await makeContent({ 'dir/a': 40_000, 'dir/b': 40_000, 'dir/c': 40_000, 'dir/empty': 0 })
  const { directory, torrent } = content
  rmSync(join(directory, 'dir/a'))
  const verify = (...args: string[]) => Lt.run('verify', torrent, '-o', directory, ...args)
  expect(await verify('--select', 'c', '--select', 'empty')).toMatchObject({
    code: 0,
    stdout: '2 selected files of dir are complete: 4 pieces verified.\n',
  })
  // It begins in the middle of a piece of which the rest is missing.
  const { code, stdout } = await verify('--select', 'b', '--json')
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toEqual({
    ...{ type: 'verified', complete: false, numPieces: 3, good: 2, badPieces: [], missingPieces: [2] },
    files: [{ path: 'dir/b', status: 'bad', badPieces: 1, pieces: 3 }],
  })
  expect(await verify('--select', '*.avi')).toMatchObject({ code: 1, stderr: expect.stringContaining('dir/b') })
})

test('what only follows the end of a file does not make it incomplete', async () => {
  const content = await makeContent({ single: 20_000 })
  writeFileSync(join(content.directory, 'single'), 'more', { flag: 'a' })
  const { code, stdout } = await Lt.run('verify', content.torrent, '-o', content.directory)
  expect(code).toBe(0)
  expect(stdout).toMatch(/^too long: single .*\nsingle is complete/)
})

test('create takes the name of what it is made of, and does not replace a file unless told', async () => {
  const directory = someFiles()
  const torrent = join(directory, 'z.torrent')
  const path = join(directory, 'dir/z')
  expect((await Lt.run('create', path, '-o', torrent, '--no-date', '--no-creator')).code).toBe(0)
  const before = readFileSync(torrent)
  expect(new TorrentInfo(before)).toMatchObject({ name: 'z', creator: '', creationDate: null, isMultiFile: false })
  const again = await Lt.run('create', path, '-o', torrent, '--name', 'other')
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('--force') })
  expect(readFileSync(torrent)).toEqual(before)
  expect((await Lt.run('create', path, '-o', torrent, '--name', 'other', '--force')).code).toBe(0)
  expect(new TorrentInfo(readFileSync(torrent)).name).toBe('other')
  expect(filesIn(directory).filter((file) => file.includes('tmp'))).toEqual([])
})

test('create -o takes a directory as well, and ends with the command to seed', async () => {
  const directory = someFiles()
  const target = temporaryDirectory()
  const { code, stdout } = await Lt.run('create', join(directory, 'dir'), '-o', target)
  expect(code).toBe(0)
  expect(filesIn(target)).toEqual(['dir.torrent'])
  const [, command] = /^To give it to others: lt (seed .*)$/m.exec(stdout) ?? []
  expect(command).toBe(`seed ${join(target, 'dir.torrent')} --output ${directory}`)
  expect(await Lt.run(...command.split(' '), '--port', '0', '--seed-time', '0')).toMatchObject({ code: 0 })
})

test('create says what is in the way of seeding', async () => {
  const directory = someFiles()
  const path = join(directory, 'dir/z')
  const target = join(directory, 'made.torrent')
  const { stdout, stderr } = await Lt.run('create', path, '-o', target, '--name', 'other', '--private')
  expect(stdout).toContain(`To give it to others, ${path} has to be called other.`)
  expect(stderr).toMatch(/^lt: warning: It is private and names no tracker/)
})

test('create into a directory that is not there fails before anything is hashed', async () => {
  const target = join(temporaryDirectory(), 'none/made.torrent')
  const { code, stderr } = await Lt.run('create', '/no/such/path', '-o', target)
  expect(code).toBe(1)
  expect(stderr).toBe(`lt: ${target} could not be written: no such file or directory. Choose another place with -o.\n`)
})

test('--pad begins every file at a piece boundary', async () => {
  const directory = someFiles()
  const torrent = join(directory, 'made.torrent')
  await Lt.run('create', join(directory, 'dir'), '-o', torrent, '--piece-size', '16k', '--pad')
  const files = new TorrentInfo(readFileSync(torrent)).files()
  const offsets = [...files].filter((file) => !file.padFile && file.size > 0).map((file) => file.offset % 16_384)
  expect(offsets).toEqual([0, 0, 0, 0])
  expect((await Lt.run('verify', torrent, '-o', directory)).code).toBe(0)
})

test.each([
  [
    'a link that leads outside',
    (path: string) => symlinkSync('/etc', path),
    /dir\/odd: it is a symbolic link .*Replace/,
  ],
  ['a link that leads nowhere', (path: string) => symlinkSync('nothing', path), /dir\/odd: it is a symbolic link/],
  ['a link to itself', (path: string) => symlinkSync('odd', path), /dir\/odd: it is a symbolic link/],
])('create refuses %s, and says what to do', async (_what, make, message) => {
  const directory = someFiles()
  make(join(directory, 'dir/odd'))
  const { code, stderr } = await Lt.run('create', join(directory, 'dir'), '-o', join(directory, 'made.torrent'))
  expect(code).toBe(1)
  expect(stderr).toMatch(message)
})

test('create of nothing, and of nothing but empty files, is refused', async () => {
  const directory = temporaryDirectory()
  const target = join(directory, 'made.torrent')
  mkdirSync(join(directory, 'dir'))
  expect(await Lt.run('create', join(directory, 'dir'), '-o', target)).toMatchObject({
    code: 1,
    stderr: `lt: ${join(directory, 'dir')}: there are no files in it.\n`,
  })
  writeFileSync(join(directory, 'dir/empty'), '')
  expect((await Lt.run('create', join(directory, 'dir'), '-o', target)).stderr).toMatch(/not a single byte/)
  expect((await Lt.run('create', join(directory, 'none'), '-o', target)).stderr).toMatch(/none: no such file/)
})

test('names and comments of a torrent cannot reach the terminal', async () => {
  const directory = temporaryDirectory()
  const torrent = join(directory, 'hostile.torrent')
  const info = { length: 1, name: 'photo\u202egpj.exe', 'piece length': 16_384, pieces: new Uint8Array(20).fill(1) }
  writeFileSync(torrent, bencode({ comment: 'a\x1b]0;owned\x07\n\x9b2J', info }))
  for (const args of [
    ['info', torrent],
    ['info', torrent, '--json'],
    ['magnet', torrent],
    ['verify', torrent],
  ]) {
    const { stdout, stderr } = await Lt.run(...args)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect((stdout + stderr).replaceAll('\n', '')).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/)
  }
  expect((await Lt.run('info', torrent)).stdout).toContain('a\\x1b]0;owned\\x07\\x0a\\x9b2J')
})
