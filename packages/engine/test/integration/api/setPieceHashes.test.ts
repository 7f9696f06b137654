import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { hashFiles } from '../../../src/api/hashFiles.ts'
import { addFiles, createTorrentFromPath, setPieceHashes } from '../../../src/api/setPieceHashes.ts'
import { sha1 } from '../../../src/crypto/sha1.ts'
import { CreateFlags, CreateTorrent } from '../../../src/metainfo/createTorrent.ts'
import { FileStorage } from '../../../src/metainfo/fileStorage.ts'
import { TorrentInfo } from '../../../src/metainfo/torrentInfo.ts'

/** The content of which libtorrent 2.0.8 made the info-hashes below. */
const CONTENT: Readonly<Record<string, Uint8Array>> = {
  one: pattern(100_001, 13),
  'tree/z': pattern(70_000, 3),
  'tree/sub/k': pattern(1, 1),
  'tree/a b': pattern(16_384, 5),
  'tree/.hidden': pattern(5, 7),
  'tree/empty': pattern(0, 1),
  'tree/Cap': pattern(33_000, 11),
}

function pattern(size: number, step: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * step) % 251)
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'hashes-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A directory with the content. */
function scene(): string {
  const directory = temporaryDirectory()
  mkdirSync(join(directory, 'tree/sub'), { recursive: true })
  for (const [path, bytes] of Object.entries(CONTENT)) writeFileSync(join(directory, path), bytes)
  chmodSync(join(directory, 'tree/Cap'), 0o755)
  return directory
}

/** One thread will do: starting one from the sources takes longer than the hashing. */
const workerCount = 1

function infoOf(torrent: CreateTorrent): TorrentInfo {
  return new TorrentInfo(torrent.generateBytes())
}

test.each([
  ['one', { pieceSize: 0 }, 'fa08306fd66e4dbcd5be39826302d90f72b16e47'],
  ['one', { pieceSize: 32_768 }, 'b4d0087dba0542c1a6472d29330b7ba7779e6e39'],
  ['tree', { pieceSize: 16_384 }, 'a29743c8c260616cf8e3ab6f666949185ea04bb9'],
  ['tree', { pieceSize: 16_384, padFiles: true }, '7f30e22dac1f85ec53d0bc1a88c045fa1f6ae18c'],
])('%s with %j has the same info-hash as when libtorrent 2.0.8 makes it', async (path, options, infoHash) => {
  const torrent = await createTorrentFromPath(join(scene(), path), { ...options, workerCount })
  expect(infoOf(torrent).infoHash.toHex()).toBe(infoHash)
})

test('another name changes the torrent, not where the files are looked for', async () => {
  const directory = scene()
  const tree = infoOf(
    await createTorrentFromPath(join(directory, 'tree'), { name: 'other', pieceSize: 16_384, workerCount }),
  )
  expect(Array.from(tree.files(), (file) => file.path).slice(0, 2)).toEqual(['other/.hidden', 'other/Cap'])
  expect(infoOf(await createTorrentFromPath(join(directory, 'one'), { name: 'other', workerCount })).name).toBe('other')
})

test('progress ends with all pieces', async () => {
  const calls: (readonly [number, number])[] = []
  const onProgress = (checked: number, total: number) => calls.push([checked, total])
  await createTorrentFromPath(join(scene(), 'one'), { pieceSize: 16_384, onProgress, workerCount })
  expect(calls.at(-1)).toEqual([7, 7])
  expect(calls.every(([checked], i) => i === 0 || checked >= calls[i - 1][0])).toBe(true)
})

test('addFiles and setPieceHashes make the same torrent in two steps', async () => {
  const directory = scene()
  const files = new FileStorage()
  await addFiles(files, join(directory, 'tree'))
  const torrent = new CreateTorrent(files, 16_384, -1, 0)
  await setPieceHashes(torrent, directory, { workerCount })
  expect(infoOf(torrent).infoHash.toHex()).toBe('a29743c8c260616cf8e3ab6f666949185ea04bb9')
})

test('hashes of whole files are set when they are asked for', async () => {
  const directory = scene()
  const files = new FileStorage()
  await addFiles(files, join(directory, 'tree'))
  const torrent = new CreateTorrent(files, 16_384, -1, CreateFlags.calculateFileHashes)
  await setPieceHashes(torrent, directory, { workerCount })
  const made = infoOf(torrent).files()
  expect(made.filePath(1)).toBe('tree/Cap')
  expect(made.hash(1)).toEqual(sha1(CONTENT['tree/Cap']))
})

test('links stay links, wherever in the tree they lead', async () => {
  const directory = scene()
  symlinkSync('../z', join(directory, 'tree/sub/up'))
  symlinkSync('sub', join(directory, 'tree/0first'))
  symlinkSync(join(directory, 'tree/a b'), join(directory, 'tree/absolute'))
  for (const padFiles of [false, true]) {
    const torrent = await createTorrentFromPath(join(directory, 'tree'), { pieceSize: 16_384, padFiles, workerCount })
    const links = Array.from(infoOf(torrent).files())
      .filter((file) => file.symlinkAttribute)
      .map((file) => [file.path, file.symlinkPath])
    expect(links).toEqual([
      ['tree/0first', 'tree/sub'],
      ['tree/absolute', 'tree/a b'],
      ['tree/sub/up', 'tree/z'],
    ])
  }
})

test('a link given as the path itself is followed', async () => {
  const directory = scene()
  symlinkSync('tree', join(directory, 'alias'))
  const torrent = await createTorrentFromPath(join(directory, 'alias'), { pieceSize: 16_384, workerCount })
  expect(infoOf(torrent).infoHash.toHex()).toBe('a29743c8c260616cf8e3ab6f666949185ea04bb9')
})

test.each([
  ['..', 'leads outside'],
  ['../one', 'leads outside'],
  ['.', 'leads outside'],
  ['/', 'leads outside'],
  ['nothing', 'nowhere'],
  ['odd', 'nowhere'],
])('a link to %s is refused with its path', async (target) => {
  const directory = scene()
  const path = join(directory, 'tree/odd')
  symlinkSync(target, path)
  await expect(createTorrentFromPath(join(directory, 'tree'))).rejects.toMatchObject({ code: 'ELOOP', path })
})

test('what is not there, and what has no bytes, is refused', async () => {
  const directory = temporaryDirectory()
  await expect(createTorrentFromPath(join(directory, 'none'))).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(createTorrentFromPath(directory)).rejects.toMatchObject({ code: 'noFilesInTorrent' })
  writeFileSync(join(directory, 'empty'), '')
  await expect(createTorrentFromPath(directory)).rejects.toMatchObject({ code: 'torrentInvalidLength' })
})

test('a file that became shorter is named', async () => {
  const directory = scene()
  const files = new FileStorage()
  await addFiles(files, join(directory, 'tree'))
  truncateSync(join(directory, 'tree/z'), 60_000)
  const hashing = setPieceHashes(new CreateTorrent(files, 16_384, -1, 0), directory, { workerCount })
  await expect(hashing).rejects.toMatchObject({ code: 'fileTooShort', path: join(directory, 'tree/z') })
})

test('a file that was written to while it was hashed is named', async () => {
  const directory = scene()
  const onProgress = () => writeFileSync(join(directory, 'one'), 'more', { flag: 'a' })
  const hashing = createTorrentFromPath(join(directory, 'one'), { onProgress, workerCount })
  await expect(hashing).rejects.toMatchObject({ code: 'mismatchingFileTimestamp', path: 'one' })
})

test('hashing ends when it is aborted', async () => {
  const controller = new AbortController()
  const reason = new Error('enough')
  const options = { workerCount, signal: controller.signal, onProgress: () => controller.abort(reason) }
  await expect(createTorrentFromPath(join(scene(), 'one'), options)).rejects.toBe(reason)
  await expect(createTorrentFromPath(join(scene(), 'one'), options)).rejects.toBe(reason)
})

test('hashFiles tells pieces that are right, wrong and absent', async () => {
  const directory = scene()
  const torrent = infoOf(await createTorrentFromPath(join(directory, 'one'), { pieceSize: 16_384, workerCount }))
  writeFileSync(join(directory, 'one'), pattern(50_000, 13))
  writeFileSync(join(directory, 'one'), 'X', { flag: 'r+' })
  const accept = (piece: number, digest: Uint8Array) => torrent.isPieceHash(piece, digest)
  const { have, absent, stats } = await hashFiles(torrent.files(), directory, accept, { workerCount })
  expect([0, 1, 2, 3, 4, 5, 6].filter((piece) => have.get(piece))).toEqual([1, 2])
  expect([0, 1, 2, 3, 4, 5, 6].filter((piece) => absent.get(piece))).toEqual([3, 4, 5, 6])
  expect(stats[0].size).toBe(50_000)
})
