import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nodeFs } from '../../../src/disk/store/storeFs.ts'
import { MoveFlags } from '../../../src/platform/moveFlags.ts'
import { BLOCK_SIZE_BYTES } from '../../../src/util/flavored.ts'
import { FakeDisk } from '../../hostile/disk/fakeDisk.ts'
import { contentOf, expectBytes, type StorageDriver, sha1Of } from './storageDriver.ts'

const BLOCK = BLOCK_SIZE_BYTES
let fake: FakeDisk

beforeEach(() => {
  fake = new FakeDisk()
})

afterEach(async () => {
  expect(await fake.end()).toEqual({ slots: 0, queued: 0 })
})

const inSavePath = (...parts: string[]) => join(fake.savePath, ...parts)

const twoFiles = [
  { path: 'top/a', size: BLOCK },
  { path: 'top/sub/b', size: BLOCK },
]

test('a move takes the files along and removes the empty directories, but no file that is not the torrent’s', async () => {
  const driver = fake.open(twoFiles, BLOCK)
  const content = contentOf(2 * BLOCK)
  await driver.writeAll(content)
  writeFileSync(inSavePath('top/notes.txt'), 'mine')
  const target = join(fake.root, 'new/place')
  expect(await driver.move(target)).toBeNull()
  expect(readdirSync(inSavePath('top'))).toEqual(['notes.txt'])
  expectBytes(readFileSync(join(target, 'top/sub/b')), content.subarray(BLOCK))
  expect(await driver.hash(1)).toEqual(sha1Of(content.subarray(BLOCK)))
})

test('a move to where the files already are does nothing, even by another name', async () => {
  const driver = fake.open(twoFiles, BLOCK)
  await driver.writeAll(contentOf(2 * BLOCK))
  symlinkSync(fake.savePath, join(fake.root, 'alias'))
  expect(await driver.move(fake.savePath)).toBeNull()
  expect(await driver.move(join(fake.root, 'alias'))).toBeNull()
  expect(await driver.hash(1)).toEqual(sha1Of(contentOf(2 * BLOCK).subarray(BLOCK)))
})

function acrossDevices() {
  fake.faults.renameSync = (from, to) => {
    // within one of the two trees renaming works
    if (String(from).startsWith(fake.savePath) === String(to).startsWith(fake.savePath))
      return nodeFs.renameSync(from, to)
    throw Object.assign(new Error('EXDEV: injected'), { code: 'EXDEV', errno: -18 })
  }
}

test('a move to another device copies content, time, permissions and holes, then removes the original', async () => {
  acrossDevices()
  const driver = fake.open([{ path: 'file', size: 8 * 2 ** 20 }], 2 ** 20)
  await driver.write(0, 0, contentOf(BLOCK))
  await driver.write(5, 0, contentOf(BLOCK, 2))
  utimesSync(inSavePath('file'), 1_500_000_000, 1_600_000_000)
  chmodSync(inSavePath('file'), 0o640)
  const target = join(fake.root, 'other')
  expect(await driver.move(target)).toBeNull()
  const { size, mtimeMs, mode, blocks } = statSync(join(target, 'file'))
  expect([size, mtimeMs, mode & 0o777]).toEqual([5 * 2 ** 20 + BLOCK, 1_600_000_000_000, 0o640])
  expect(blocks * 512).toBeLessThan(3 * 2 ** 20)
  expect(existsSync(inSavePath('file'))).toBe(false)
  expectBytes(await driver.read(5, 0, BLOCK), contentOf(BLOCK, 2))
})

const otherDevice = existsSync('/dev/shm') && statSync('/dev/shm').dev !== statSync(tmpdir()).dev

test.skipIf(!otherDevice)('a move to a file system that really is another one', async () => {
  const driver = fake.open(twoFiles, BLOCK)
  const content = contentOf(2 * BLOCK)
  await driver.writeAll(content)
  const target = mkdtempSync('/dev/shm/lt-disk-')
  try {
    expect(await driver.move(target)).toBeNull()
    expect(readdirSync(fake.savePath)).toEqual([])
    expect(await driver.hash(1)).toEqual(sha1Of(content.subarray(BLOCK)))
  } finally {
    rmSync(target, { recursive: true })
  }
})

test('a move that fails half-way leaves everything where it was, what lay at the target included', async () => {
  acrossDevices()
  const driver = fake.open(twoFiles, BLOCK)
  const content = contentOf(2 * BLOCK)
  await driver.writeAll(content)
  const target = join(fake.root, 'other')
  mkdirSync(join(target, 'top'), { recursive: true })
  writeFileSync(join(target, 'top/a'), 'older')
  fake.fail('writeSync', 'ENOSPC', 28)
  const original = fake.faults.writeSync
  let writes = 0
  fake.faults.writeSync = ((...args: Parameters<typeof nodeFs.writeSync>) =>
    (++writes === 1 ? nodeFs.writeSync : (original as typeof nodeFs.writeSync))(...args)) as typeof nodeFs.writeSync
  expect(await driver.move(target)).toMatchObject({ code: 'ENOSPC', operation: 'fileRename' })
  expect(readFileSync(join(target, 'top/a'), 'utf8')).toBe('older')
  expect(readdirSync(join(target, 'top'))).toEqual(['a'])
  expect(await driver.hash(0)).toEqual(sha1Of(content.subarray(0, BLOCK)))
  expect(await driver.hash(1)).toEqual(sha1Of(content.subarray(BLOCK)))
  fake.heal()
  expect(await driver.move(target)).toBeNull()
  expectBytes(readFileSync(join(target, 'top/a')), content.subarray(0, BLOCK))
  expect(readdirSync(join(target, 'top')).sort()).toEqual(['a', 'sub'])
})

test('a move into a directory of the torrent never overwrites a file that is still to be moved', async () => {
  const driver = fake.open(
    [
      { path: 'x', size: BLOCK },
      { path: 'a/x', size: BLOCK },
    ],
    BLOCK,
  )
  const content = contentOf(2 * BLOCK)
  await driver.writeAll(content)
  expect(await driver.move(inSavePath('a'))).toMatchObject({ code: 'EEXIST' })
  expect(await driver.hash(0)).toEqual(sha1Of(content.subarray(0, BLOCK)))
  expect(await driver.hash(1)).toEqual(sha1Of(content.subarray(BLOCK)))
})

describe('files that are at the new place already', () => {
  const target = () => join(fake.root, 'other')
  const content = contentOf(2 * BLOCK)

  /** The torrent downloaded, and `found` at the new place. */
  async function scene(found: Readonly<Record<string, string>>) {
    const driver = fake.open(twoFiles, BLOCK)
    await driver.writeAll(content)
    for (const [path, text] of Object.entries(found)) {
      mkdirSync(dirname(join(target(), path)), { recursive: true })
      writeFileSync(join(target(), path), text)
    }
    return driver
  }

  async function expectUnmoved(driver: StorageDriver) {
    for (const [piece, { path }] of twoFiles.entries()) {
      const part = content.subarray(piece * BLOCK, (piece + 1) * BLOCK)
      expectBytes(readFileSync(inSavePath(path)), part)
      expect(await driver.hash(piece)).toEqual(sha1Of(part))
    }
  }

  for (const across of [false, true]) {
    describe(across ? 'of another device' : 'of the same device', () => {
      beforeEach(() => {
        if (across) acrossDevices()
      })

      test('alwaysReplaceFiles: are replaced, and nothing else there is touched', async () => {
        const driver = await scene({ 'top/a': 'older', 'top/mine': 'mine' })
        expect(await driver.move(target(), MoveFlags.alwaysReplaceFiles)).toBeNull()
        expect(driver.needFullCheck).toBe(false)
        expectBytes(readFileSync(join(target(), 'top/a')), content.subarray(0, BLOCK))
        expect(readdirSync(join(target(), 'top')).sort()).toEqual(['a', 'mine', 'sub'])
        expect(readdirSync(fake.savePath)).toEqual([])
      })

      test('failIfExist: the move fails before anything is touched, and says which file it is', async () => {
        const driver = await scene({ 'top/sub/b': 'older' })
        const error = await driver.move(target(), MoveFlags.failIfExist)
        expect(error).toMatchObject({ code: 'EEXIST', value: 17, category: 'system', operation: 'fileRename' })
        expect(error?.path).toBe(join(target(), 'top/sub/b'))
        expect(fake.calls.get('renameSync')).toBeUndefined()
        expect(readdirSync(join(target(), 'top'))).toEqual(['sub'])
        expect(readFileSync(join(target(), 'top/sub/b'), 'utf8')).toBe('older')
        await expectUnmoved(driver)
        rmSync(join(target(), 'top'), { recursive: true })
        expect(await driver.move(target(), MoveFlags.failIfExist)).toBeNull()
        expect(await driver.hash(1)).toEqual(sha1Of(content.subarray(BLOCK)))
        expect(readdirSync(fake.savePath)).toEqual([])
      })

      test('dontReplace: stay and are used, while the files they stand for stay where they were', async () => {
        const driver = await scene({ 'top/a': 'older' })
        expect(await driver.move(target(), MoveFlags.dontReplace)).toBeNull()
        expect(driver.needFullCheck).toBe(true)
        expect(readFileSync(join(target(), 'top/a'), 'utf8')).toBe('older')
        expectBytes(readFileSync(inSavePath('top/a')), content.subarray(0, BLOCK))
        expect(readdirSync(inSavePath('top'))).toEqual(['a'])
        expect(await driver.sizes()).toEqual(['older'.length, BLOCK])
        expect(await driver.hash(0)).toMatchObject({ code: 'fileTooShort' })
        expect(await driver.hash(1)).toEqual(sha1Of(content.subarray(BLOCK)))
      })

      test('dontReplace: with nothing there it is a plain move', async () => {
        const driver = await scene({})
        expect(await driver.move(target(), MoveFlags.dontReplace)).toBeNull()
        expect([driver.needFullCheck, readdirSync(fake.savePath)]).toEqual([false, []])
      })

      test.each(Object.entries(MoveFlags))('%s: what fails half-way leaves all as it was', async (_, flags) => {
        const driver = await scene(flags === MoveFlags.failIfExist ? {} : { 'top/a': 'older' })
        const path = join(target(), 'top/sub')
        mkdirSync(target(), { recursive: true })
        const failing = (...args: Parameters<typeof nodeFs.mkdirSync>) => {
          if (args[0] === path) throw Object.assign(new Error('ENOSPC: injected'), { code: 'ENOSPC', errno: -28 })
          return nodeFs.mkdirSync(...args)
        }
        fake.faults.mkdirSync = failing as typeof nodeFs.mkdirSync
        expect(await driver.move(target(), flags)).toMatchObject({ code: 'ENOSPC' })
        if (flags === MoveFlags.failIfExist) expect(readdirSync(target())).toEqual([])
        else expect(readFileSync(join(target(), 'top/a'), 'utf8')).toBe('older')
        await expectUnmoved(driver)
      })
    })
  }

  test('failIfExist: a file that is not downloaded yet counts, too: it would have to be there', async () => {
    const driver = fake.open(twoFiles, BLOCK)
    await driver.write(0, 0, content.subarray(0, BLOCK))
    mkdirSync(join(target(), 'top/sub'), { recursive: true })
    writeFileSync(join(target(), 'top/sub/b'), 'older')
    expect(await driver.move(target(), MoveFlags.failIfExist)).toMatchObject({ code: 'EEXIST' })
    expect(await driver.move(target(), MoveFlags.dontReplace)).toBeNull()
    expect([driver.needFullCheck, await driver.sizes()]).toEqual([true, [BLOCK, 5]])
  })

  test('a directory in the way is never replaced', async () => {
    for (const flags of Object.values(MoveFlags)) {
      const driver = await scene({ 'top/a/mine': 'mine' })
      expect(await driver.move(target(), flags)).toMatchObject({
        code: flags === MoveFlags.failIfExist ? 'EEXIST' : 'EISDIR',
      })
      await expectUnmoved(driver)
      expect(readFileSync(join(target(), 'top/a/mine'), 'utf8')).toBe('mine')
    }
  })

  test.each(Object.entries(MoveFlags))(
    '%s: a link in the way is itself what is there, not what it leads to',
    async (_, flags) => {
      const precious = join(fake.root, 'precious')
      writeFileSync(precious, 'precious')
      const driver = await scene({})
      mkdirSync(join(target(), 'top'), { recursive: true })
      symlinkSync(precious, join(target(), 'top/a'))
      const error = await driver.move(target(), flags)
      if (flags === MoveFlags.failIfExist) expect(error).toMatchObject({ code: 'EEXIST' })
      else expect(error).toBeNull()
      expect(readFileSync(precious, 'utf8')).toBe('precious')
      expect(lstatSync(join(target(), 'top/a')).isSymbolicLink()).toBe(flags !== MoveFlags.alwaysReplaceFiles)
    },
  )

  test.each(Object.entries(MoveFlags))('%s: of the torrent itself are never in the way', async (_, flags) => {
    const driver = fake.open(
      [
        { path: 'x', size: BLOCK },
        { path: 'a/x', size: BLOCK },
      ],
      BLOCK,
    )
    await driver.writeAll(content)
    expect(await driver.move(inSavePath('a'), flags)).toMatchObject({ code: 'EEXIST' })
    symlinkSync(inSavePath('a'), join(fake.root, 'alias'))
    expect(await driver.move(join(fake.root, 'alias'), flags)).toMatchObject({ code: 'EEXIST' })
    expect(await driver.hash(0)).toEqual(sha1Of(content.subarray(0, BLOCK)))
    expect(await driver.hash(1)).toEqual(sha1Of(content.subarray(BLOCK)))
  })

  test('a hard link to the torrent’s own file is another file, and may be replaced', async () => {
    const driver = await scene({})
    mkdirSync(join(target(), 'top'), { recursive: true })
    linkSync(inSavePath('top/a'), join(target(), 'top/a'))
    expect(await driver.move(target())).toBeNull()
    expect(readdirSync(fake.savePath)).toEqual([])
    expect(await driver.hash(0)).toEqual(sha1Of(content.subarray(0, BLOCK)))
  })
})

test('the copies of a move across devices are on disk before an original is removed', async () => {
  acrossDevices()
  const driver = fake.open(twoFiles, BLOCK)
  await driver.writeAll(contentOf(2 * BLOCK))
  await driver.release()
  const before = fake.calls.get('fsync') ?? 0
  let synced = 0
  const unlink: typeof nodeFs.unlinkSync = (path) => {
    synced = (fake.calls.get('fsync') ?? 0) - before
    return nodeFs.unlinkSync(path)
  }
  fake.faults.unlinkSync = unlink
  expect(await driver.move(join(fake.root, 'other'))).toBeNull()
  // two files in two directories
  expect(synced).toBe(4)
})

test('closing a torrent ends a copy that is under way, and nothing is lost', async () => {
  acrossDevices()
  const driver = fake.open([{ path: 'file', size: 64 * 2 ** 20 }], 2 ** 20)
  await driver.write(63, 0, contentOf(BLOCK))
  const moved = driver.move(join(fake.root, 'other'))
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  await driver.close()
  expect(await moved).toMatchObject({ code: 'ECANCELED' })
  expect(readdirSync(join(fake.root, 'other'))).toEqual([])
  expect(statSync(inSavePath('file')).size).toBe(63 * 2 ** 20 + BLOCK)
})

test('a renamed file is found under its new name, in a directory made for it', async () => {
  const driver = fake.open(twoFiles, BLOCK)
  await driver.writeAll(contentOf(2 * BLOCK))
  expect(await driver.rename(1, 'other/place/c')).toBeNull()
  expect(readdirSync(inSavePath('top'))).toEqual(['a'])
  expectBytes(readFileSync(inSavePath('other/place/c')), contentOf(2 * BLOCK).subarray(BLOCK))
  expect(await driver.hash(1)).toEqual(sha1Of(contentOf(2 * BLOCK).subarray(BLOCK)))
})

test('a file renamed before it exists is made under its new name', async () => {
  const driver = fake.open(twoFiles, BLOCK)
  expect(await driver.rename(0, 'z')).toBeNull()
  await driver.write(0, 0, contentOf(BLOCK))
  expect(readdirSync(fake.savePath)).toEqual(['z'])
})

test('a rename overwrites neither a foreign file nor another of the torrent', async () => {
  const driver = fake.open(twoFiles, BLOCK)
  await driver.write(0, 0, contentOf(BLOCK))
  writeFileSync(inSavePath('taken'), 'mine')
  expect(await driver.rename(0, 'taken')).toMatchObject({ code: 'EEXIST', operation: 'fileRename' })
  expect(await driver.rename(0, 'top/sub/b')).toMatchObject({ code: 'EEXIST' })
  expect(await driver.hash(0)).toEqual(sha1Of(contentOf(BLOCK)))
  expect(readFileSync(inSavePath('taken'), 'utf8')).toBe('mine')
})

test('a file renamed to an absolute path leaves the save path, stays when the torrent moves, and is deleted with it', async () => {
  const content = contentOf(2 * BLOCK)
  const elsewhere = join(fake.root, 'my/own/place')
  const driver = fake.open(twoFiles, BLOCK)
  await driver.writePiece(content, 1)
  expect(await driver.rename(1, join(elsewhere, 'c'))).toBeNull()
  expect(await driver.rename(0, join(elsewhere, 'a'))).toBeNull()
  // nothing of the torrent is left there
  expect(readdirSync(fake.savePath)).toEqual([])
  await driver.writePiece(content, 0)
  expect(readdirSync(elsewhere)).toEqual(['a', 'c'])
  expect(await driver.sizes()).toEqual([BLOCK, BLOCK])
  expect(await driver.flush()).toBeNull()
  expect(await driver.move(join(fake.root, 'moved'))).toBeNull()
  expect(readdirSync(elsewhere)).toEqual(['a', 'c'])
  expect(await driver.release()).toBeNull()
  for (const piece of [0, 1]) {
    expect(await driver.hash(piece)).toEqual(sha1Of(content.subarray(piece * BLOCK, (piece + 1) * BLOCK)))
  }
  expect(await driver.rename(0, 'back')).toBeNull()
  expectBytes(readFileSync(join(fake.root, 'moved/back')), content.subarray(0, BLOCK))
  expect(await driver.delete()).toBeNull()
  expect(readdirSync(elsewhere)).toEqual([])
  expect(readdirSync(join(fake.root, 'moved'))).toEqual([])
})

test('a torrent opened with an absolute path for a file finds it there', async () => {
  const path = join(fake.root, 'elsewhere/a')
  mkdirSync(join(fake.root, 'elsewhere'))
  writeFileSync(path, contentOf(BLOCK))
  const files = [
    { path, absolute: true, size: BLOCK },
    { path: 'empty', size: 0 },
  ]
  const driver = fake.open(files, BLOCK)
  expect(await driver.initialize()).toBeNull()
  expect(await driver.hash(0)).toEqual(sha1Of(contentOf(BLOCK)))
  expect(await driver.sizes()).toEqual([BLOCK, 0])
})

test('a file renamed to another device is copied, and its original is removed once that is safe', async () => {
  acrossDevices()
  const driver = fake.open(twoFiles, BLOCK)
  const content = contentOf(2 * BLOCK)
  await driver.writeAll(content)
  const target = join(fake.root, 'other/a')
  expect(await driver.rename(0, target)).toBeNull()
  // the copy, and the directory it is in
  expect(fake.calls.get('fsync')).toBe(2)
  expectBytes(readFileSync(target), content.subarray(0, BLOCK))
  expect(readdirSync(inSavePath('top'))).toEqual(['sub'])
  expect(await driver.hash(0)).toEqual(sha1Of(content.subarray(0, BLOCK)))
})

test('a rename to another device that fails leaves the file where it was and nothing where it was to be', async () => {
  acrossDevices()
  const driver = fake.open(twoFiles, BLOCK)
  const content = contentOf(2 * BLOCK)
  await driver.writeAll(content)
  const target = join(fake.root, 'other/deep/a')
  mkdirSync(join(fake.root, 'other'))
  fake.fail('writeSync', 'ENOSPC', 28, 1)
  expect(await driver.rename(0, target)).toMatchObject({ code: 'ENOSPC', operation: 'fileRename' })
  expect(readdirSync(join(fake.root, 'other/deep'))).toEqual([])
  fake.fail('unlinkSync', 'EACCES', 13, 1)
  expect(await driver.rename(0, target)).toMatchObject({ code: 'EACCES', operation: 'fileRename' })
  expect(readdirSync(join(fake.root, 'other/deep'))).toEqual([])
  expect(await driver.hash(0)).toEqual(sha1Of(content.subarray(0, BLOCK)))
  expect(await driver.rename(0, target)).toBeNull()
})

test('an absolute path is refused when another file of the torrent has the place, even if it is not made yet', async () => {
  const driver = fake.open(twoFiles, BLOCK)
  await driver.write(0, 0, contentOf(BLOCK))
  expect(await driver.rename(0, inSavePath('top/sub/b'))).toMatchObject({ code: 'EEXIST' })
  expect(await driver.rename(0, inSavePath('TOP/sub/B'))).toMatchObject({ code: 'EEXIST' })
  expect(await driver.rename(0, inSavePath('top/a'))).toBeNull()
  expect(await driver.rename(1, 'top/a')).toMatchObject({ code: 'EEXIST' })
  expect(await driver.hash(0)).toEqual(sha1Of(contentOf(BLOCK)))
})

test('a move never replaces a file of the torrent that has an absolute path there', async () => {
  const target = join(fake.root, 'target')
  const driver = fake.open(twoFiles, BLOCK)
  const content = contentOf(2 * BLOCK)
  await driver.writeAll(content)
  expect(await driver.rename(1, join(target, 'top/a'))).toBeNull()
  expect(await driver.move(target)).toMatchObject({ code: 'EEXIST' })
  expect(await driver.hash(0)).toEqual(sha1Of(content.subarray(0, BLOCK)))
  expect(await driver.hash(1)).toEqual(sha1Of(content.subarray(BLOCK)))
})
