import { describe, expect, test } from 'vitest'
import { FileFlags } from '../../../src/metainfo/fileEntry.ts'
import { FileStorage, MAX_TOTAL_SIZE, storageFiles } from '../../../src/metainfo/fileStorage.ts'
import { samePeerRequest } from '../../../src/metainfo/peerRequest.ts'
import { Sha1Hash } from '../../../src/util/digest.ts'

/** Files of these sizes, `root/0` and so on, in pieces of 16 bytes. */
function storage(sizes: readonly number[], pieceLength = 16): FileStorage {
  const files = new FileStorage()
  files.setPieceLength(pieceLength)
  sizes.forEach((size, index) => {
    files.addFile(`root/${index}`, size)
  })
  return files
}

const names = (files: FileStorage) => Array.from(files, ({ path }) => path)

describe('adding files', () => {
  test('puts each behind the one before and sums their sizes', () => {
    const files = storage([10, 0, 7])
    expect([files.numFiles, files.totalSize, files.numPieces]).toEqual([3, 17, 2])
    expect([0, 1, 2].map((i) => files.fileOffset(i))).toEqual([0, 10, 10])
    expect([files.pieceSize(0), files.pieceSize(1)]).toEqual([16, 1])
    expect(files.isValid).toBe(true)
    expect(new FileStorage().isValid).toBe(false)
  })

  test('takes the torrent name from the first path', () => {
    const files = storage([1])
    expect(files.name).toBe('root')
    files.setName('other')
    expect(files.filePath(0)).toBe('other/0')
    expect(files.filePath(0, '/save')).toBe('/save/other/0')
    expect(files.fileName(0)).toBe('0')
  })

  test('refuses paths that leave the save path, a second root, and impossible sizes', () => {
    const files = storage([1])
    const code = (code: string) => expect.objectContaining({ code })
    expect(() => files.addFile('/root/x', 1)).toThrow(code('torrentInvalidName'))
    expect(() => files.addFile('root/../x', 1)).toThrow(code('torrentInvalidName'))
    expect(() => files.addFile('elsewhere/x', 1)).toThrow(code('torrentFileParseFailed'))
    expect(() => files.addFile('root', 1)).toThrow(code('torrentFileParseFailed'))
    expect(() => files.addFile('root/x', -1)).toThrow(code('torrentInvalidLength'))
    expect(() => files.addFile('root/x', MAX_TOTAL_SIZE)).toThrow(code('torrentInvalidLength'))
    expect(files.numFiles).toBe(1)
  })

  test('keeps flags, times, links, base and hash, also when given as an entry', () => {
    const files = new FileStorage()
    files.addFile('root/a', 1, FileFlags.executable | FileFlags.hidden, 99)
    files.addFile('root/l', 0, FileFlags.symlink, 0, 'a')
    files.addFile({ path: 'root/p', size: 5, padFile: true, fileBase: 7, filehash: Sha1Hash.zero })
    const copy = new FileStorage()
    for (const entry of files) copy.addFile(entry)
    for (const each of [files, copy, files.clone()]) {
      expect(each.at(0)).toMatchObject({ executableAttribute: true, hiddenAttribute: true, mtime: 99 })
      expect(each.at(1)).toMatchObject({ symlinkAttribute: true, symlinkPath: 'root/a' })
      expect(each.at(2)).toMatchObject({ padFile: true, fileBase: 7, filehash: Sha1Hash.zero })
      expect(each.internalSymlink(1)).toBe('a')
      expect([each.isExecutable(0), each.isHidden(0), each.isSymlink(1), each.padFileAt(2)]).toEqual([
        ...[true, true, true, true],
      ])
    }
  })

  test('a link that comes first points below the root all the same, also when the root is in its target', () => {
    const files = new FileStorage()
    files.addFile({ path: 'root/dir/l', size: 0, symlinkPath: 'root/a' })
    files.addFile('root/a', 1)
    expect([files.name, files.internalSymlink(0), files.symlink(0)]).toEqual(['root', 'a', 'root/a'])
    expect(storageFiles(files)[0]).toMatchObject({ path: 'root/dir/l', symlink: 'root/a' })
    const copy = new FileStorage()
    for (const entry of files) copy.addFile(entry)
    expect(Array.from(copy)).toEqual(Array.from(files))
  })

  test('an index that no file has is a RangeError', () => {
    const files = storage([1])
    for (const index of [-1, 1, Number.NaN]) expect(() => files.at(index)).toThrow(RangeError)
  })
})

describe('renaming', () => {
  test('moves a file inside the root, out of it, or to the top', () => {
    const files = storage([1, 1, 1])
    files.renameFile(0, 'root/sub/a')
    files.renameFile(1, 'other/b')
    files.renameFile(2, 'c')
    expect(names(files)).toEqual(['root/sub/a', 'other/b', 'c'])
    files.setName('new')
    expect(names(files)).toEqual(['new/sub/a', 'other/b', 'c'])
    files.renameFile(1, 'new/back')
    expect(files.filePath(1)).toBe('new/back')
  })
})

describe('renaming to an absolute path', () => {
  test('needs to be allowed, and takes the file out of save path and root', () => {
    const files = storage([1, 1])
    expect(() => files.renameFile(0, '/abs/a')).toThrow(expect.objectContaining({ code: 'torrentInvalidName' }))
    files.renameFile(0, '/abs/a', true)
    expect([files.filePath(0), files.filePath(0, '/save'), files.fileName(0)]).toEqual(['/abs/a', '/abs/a', 'a'])
    expect([files.fileAbsolutePath(0), files.fileAbsolutePath(1)]).toEqual([true, false])
    expect(files.pathIndex(0)).toBe(-1)
    expect(files.fileFlags(0)).toBe(0)
    files.setName('new')
    expect(names(files.clone())).toEqual(['/abs/a', 'new/1'])
    expect(storageFiles(files)).toEqual([
      { path: '/abs/a', absolute: true, size: 1, offset: 0, pad: false },
      { path: 'new/1', size: 1, offset: 1, pad: false },
    ])
  })

  test('can be taken back', () => {
    const files = storage([1])
    files.renameFile(0, '/abs/a', true)
    files.renameFile(0, 'root/back')
    expect([files.filePath(0, '/save'), files.fileAbsolutePath(0)]).toEqual(['/save/root/back', false])
  })

  test('survives a new order of the files', () => {
    const files = storage([1, 20])
    files.renameFile(0, '/abs/a', true)
    files.renameFile(1, 'elsewhere/b')
    files.optimize()
    expect(names(files)).toEqual(['elsewhere/b', '/abs/a'])
  })
})

test('a link moved out of the root still leads to its target', () => {
  const files = new FileStorage()
  files.addFile('root/a', 1)
  files.addFile('root/l', 0, 0, 0, 'a')
  files.renameFile(1, 'l')
  expect(files.at(1)).toMatchObject({ path: 'l', symlinkPath: 'root/a' })
})

describe('mapping', () => {
  const files = storage([10, 0, 7, 40])

  test('a block is cut at the ends of files, empty ones passed over', () => {
    expect(files.mapBlock(0, 8, 12)).toEqual([
      { fileIndex: 0, offset: 8, size: 2 },
      { fileIndex: 2, offset: 0, size: 7 },
      { fileIndex: 3, offset: 0, size: 3 },
    ])
    expect(files.mapBlock(1, 1, 5)).toEqual([{ fileIndex: 3, offset: 0, size: 5 }])
  })

  test('what reaches beyond the end is cut off', () => {
    expect(files.mapBlock(3, 0, 16)).toEqual([{ fileIndex: 3, offset: 31, size: 9 }])
    expect(files.mapBlock(4, 0, 16)).toEqual([])
    expect(files.mapBlock(0, 0, 0)).toEqual([])
    expect(new FileStorage().mapBlock(0, 0, 1)).toEqual([])
  })

  test('a range of a file is found in the pieces', () => {
    expect(files.mapFile(0, 0, 10)).toEqual({ piece: 0, start: 0, length: 10 })
    expect(files.mapFile(3, 16, 4)).toEqual({ piece: 2, start: 1, length: 4 })
    expect(samePeerRequest(files.mapFile(3, 39, 9), { piece: 3, start: 8, length: 1 })).toBe(true)
  })

  test('a file or offset that does not exist maps to no bytes behind the last piece', () => {
    const none = { piece: files.numPieces, start: 0, length: 0 }
    expect(files.mapFile(9, 0, 1)).toEqual(none)
    expect(files.mapFile(3, 40, 1)).toEqual(none)
  })

  test('the file at an offset is the one with that byte', () => {
    expect([0, 9, 10, 16, 17, 56, 57, -1].map((at) => files.fileIndexAtOffset(at))).toEqual([0, 0, 2, 2, 3, 3, -1, -1])
    expect([0, 1, 3, 4].map((piece) => files.fileIndexAtPiece(piece))).toEqual([0, 2, 3, -1])
    expect([0, 1, 2, 3].map((file) => files.pieceIndexAtFile(file))).toEqual([0, 0, 0, 1])
    expect([0, 1, 2, 3].map((file) => files.lastPieceIndexAtFile(file))).toEqual([0, 0, 1, 3])
  })

  test('offsets beyond 4 GiB are exact', () => {
    const large = storage([2 ** 40, 2 ** 40], 2 ** 24)
    expect(large.mapBlock(2 ** 16 - 1, 2 ** 24 - 1, 2)).toEqual([
      { fileIndex: 0, offset: 2 ** 40 - 1, size: 1 },
      { fileIndex: 1, offset: 0, size: 1 },
    ])
    expect(large.mapFile(1, 5, 1)).toEqual({ piece: 2 ** 16, start: 5, length: 1 })
  })
})

describe('optimize', () => {
  const layout = (files: FileStorage) =>
    Array.from(files, ({ path, size, padFile }) => (padFile ? `pad ${size}` : `${path.slice(5)}: ${size}`))

  test('without a pad limit puts the largest file wherever the next byte is aligned', () => {
    const files = storage([3, 50, 13, 32])
    files.optimize()
    expect(layout(files)).toEqual(['1: 50', '0: 3', '2: 13', '3: 32'])
    expect(files.totalSize).toBe(98)
  })

  test('with limit 0 aligns every file with a pad file before it', () => {
    const files = storage([20, 5, 16])
    files.optimize(0)
    expect(layout(files)).toEqual(['0: 20', 'pad 12', '2: 16', '1: 5'])
    expect(Array.from(files, ({ offset, padFile }) => padFile || offset % 16 === 0)).not.toContain(false)
  })

  test('fills a gap with a file that fits rather than with padding', () => {
    const files = storage([28, 17, 4])
    files.optimize(16)
    expect(layout(files)).toEqual(['0: 28', '2: 4', '1: 17'])
  })

  test('takes a file with all that belongs to it along', () => {
    const files = new FileStorage()
    files.setPieceLength(16)
    files.addFile('root/small', 1, FileFlags.executable, 11)
    files.addFile('root/link', 0, FileFlags.symlink, 0, 'small')
    files.addFile('root/sub/large', 20, FileFlags.hidden, 22)
    files.setFileHash(2, Sha1Hash.zero)
    files.optimize()
    expect(files.at(0)).toMatchObject({ path: 'root/sub/large', hiddenAttribute: true, mtime: 22, offset: 0 })
    expect(files.at(0).filehash).toEqual(Sha1Hash.zero)
    expect(files.at(1)).toMatchObject({ path: 'root/small', executableAttribute: true, mtime: 11, offset: 20 })
    expect(files.at(2)).toMatchObject({ path: 'root/link', symlinkPath: 'root/small' })
  })
})

test('swap exchanges two storages', () => {
  const one = storage([1])
  const two = storage([2, 3], 32)
  one.swap(two)
  expect([one.numFiles, one.pieceLength, two.numFiles, two.pieceLength]).toEqual([2, 32, 1, 16])
})

test('reversed gives the files from the last to the first', () => {
  expect(Array.from(storage([1, 2, 3]).reversed(), ({ size }) => size)).toEqual([3, 2, 1])
})

test('the disk layer gets path, place and nature of each file', () => {
  const files = new FileStorage()
  files.addFile('root/a', 5, FileFlags.executable)
  files.addFile('root/p', 3, FileFlags.padFile)
  files.addFile('root/l', 0, FileFlags.symlink, 0, 'a')
  expect(storageFiles(files)).toEqual([
    { path: 'root/a', size: 5, offset: 0, pad: false, executable: true },
    { path: 'root/p', size: 3, offset: 5, pad: true },
    { path: 'root/l', size: 0, offset: 8, pad: false, symlink: 'root/a' },
  ])
})
