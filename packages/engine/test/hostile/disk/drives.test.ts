import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BLOCK_SIZE_BYTES } from '../../../src/util/flavored.ts'
import { contentOf, expectBytes, sha1Of } from '../../integration/disk/storageDriver.ts'
import { canMount } from './canMount.ts'
import { FakeDisk } from './fakeDisk.ts'

// Hostile inputs, line 54: what a disk can do to files beside failing (see failingDisk).

const BLOCK = BLOCK_SIZE_BYTES

const mayMount = canMount('1m')

test.skipIf(!mayMount)(
  'a drive that is unmounted while the torrent is idle: all is missing, and there again with the drive',
  async () => {
    const fake = new FakeDisk()
    mkdirSync(fake.savePath)
    // the mount below is of a directory of this one, so that it can come back
    const drive = join(fake.root, 'drive')
    mkdirSync(drive)
    execFileSync('mount', ['--bind', drive, fake.savePath])
    let isMounted = true
    try {
      const driver = fake.open([{ path: 'dir/file', size: 4 * BLOCK }], 2 * BLOCK)
      const content = contentOf(4 * BLOCK)
      await driver.writeAll(content)
      await driver.release()
      execFileSync('umount', [fake.savePath])
      isMounted = false
      expect(await driver.sizes()).toEqual([-1])
      expect(await driver.hash(0)).toMatchObject({ code: 'ENOENT' })
      expect(await driver.check(1)).toMatchObject({ code: 'ENOENT' })
      expect(await driver.read(0, 0, BLOCK)).toMatchObject({ code: 'ENOENT' })
      expect(await driver.flush()).toBeNull()
      expect(readdirSync(fake.savePath)).toEqual([])
      execFileSync('mount', ['--bind', drive, fake.savePath])
      isMounted = true
      expect(await driver.sizes()).toEqual([4 * BLOCK])
      expect(await driver.hash(0)).toEqual(sha1Of(content.subarray(0, 2 * BLOCK)))
      expectBytes(await driver.read(1, 0, BLOCK), content.subarray(2 * BLOCK, 3 * BLOCK))
      await driver.release()
    } finally {
      if (isMounted) execFileSync('umount', [fake.savePath])
      expect(await fake.end()).toEqual({ slots: 0, queued: 0 })
    }
  },
)

test.skipIf(!mayMount)(
  'a file system that becomes read-only fails writes, goes on reading, and can be moved away from',
  async () => {
    const fake = new FakeDisk()
    mkdirSync(fake.savePath)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'lt-test', fake.savePath])
    try {
      const driver = fake.open([{ path: 'file', size: 4 * BLOCK }], 2 * BLOCK)
      const content = contentOf(4 * BLOCK)
      await driver.writePiece(content, 0)
      await driver.release()
      execFileSync('mount', ['-o', 'remount,ro', fake.savePath])
      expect(await driver.write(1, 0, contentOf(BLOCK))).toMatchObject({ code: 'EROFS', operation: 'fileOpen' })
      expect(await driver.hash(0)).toEqual(sha1Of(content.subarray(0, 2 * BLOCK)))
      expect(await driver.rename(0, 'other')).toMatchObject({ code: 'EROFS', operation: 'fileRename' })
      expect(await driver.delete()).toMatchObject({ code: 'EROFS', operation: 'fileRemove' })
      // the copy is the torrent's file from then on; that the original cannot be removed is no reason to stay
      expect(await driver.move(join(fake.root, 'elsewhere'))).toBeNull()
      expect(await driver.write(1, 0, contentOf(BLOCK))).toBeNull()
      expect(await driver.hash(0)).toEqual(sha1Of(content.subarray(0, 2 * BLOCK)))
      expectBytes(readFileSync(join(fake.savePath, 'file')), content.subarray(0, 2 * BLOCK))
      await driver.release()
    } finally {
      await new Promise<void>((resolve) => fake.disk.stop(resolve))
      execFileSync('umount', [fake.savePath])
      expect(await fake.end()).toEqual({ slots: 0, queued: 0 })
    }
  },
)

test('a path too long for the system is an error of that file, and the others are stored', async () => {
  const fake = new FakeDisk()
  const deep = Array.from({ length: 30 }, () => 'n'.repeat(200)).join('/')
  const driver = fake.open(
    [
      { path: `${deep}/file`, size: BLOCK },
      { path: 'file', size: BLOCK },
    ],
    BLOCK,
  )
  expect(await driver.write(0, 0, contentOf(BLOCK))).toMatchObject({ code: 'ENAMETOOLONG' })
  expect(await driver.write(1, 0, contentOf(BLOCK))).toBeNull()
  expect(await driver.hash(1)).toEqual(sha1Of(contentOf(BLOCK)))
  expect(await driver.rename(1, `${deep}/other`)).toMatchObject({ code: 'ENAMETOOLONG' })
  expectBytes(await driver.read(1, 0, BLOCK), contentOf(BLOCK))
  await driver.release()
  expect(await fake.end()).toEqual({ slots: 0, queued: 0 })
})
