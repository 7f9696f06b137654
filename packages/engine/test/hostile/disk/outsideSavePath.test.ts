import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BLOCK_SIZE_BYTES } from '../../../src/util/flavored.ts'
import { contentOf, expectBytes, sha1Of } from '../../integration/disk/storageDriver.ts'
import { FakeDisk } from './fakeDisk.ts'

const BLOCK = BLOCK_SIZE_BYTES
let fake: FakeDisk
let outside: string

beforeEach(() => {
  fake = new FakeDisk()
  outside = join(fake.root, 'outside')
  mkdirSync(outside)
  mkdirSync(fake.savePath)
  writeFileSync(join(outside, 'precious'), 'do not touch')
})

afterEach(async () => {
  expect(readdirSync(outside)).toEqual(['precious'])
  expect(readFileSync(join(outside, 'precious'), 'utf8')).toBe('do not touch')
  expect(await fake.end()).toEqual({ slots: 0, queued: 0 })
})

test('a directory that is a link to the outside is not followed, for writing, reading, hashing, making or deleting', async () => {
  symlinkSync(outside, join(fake.savePath, 'dir'))
  const files = [
    { path: 'dir/precious', size: 12 },
    { path: 'dir/deep/new', size: BLOCK },
    { path: 'dir/empty', size: 0 },
  ]
  const driver = fake.open(files, 2 * BLOCK)
  expect(await driver.write(0, 0, contentOf(BLOCK))).toMatchObject({ code: 'ELOOP', operation: 'fileOpen' })
  expect(await driver.read(0, 0, 12)).toMatchObject({ code: 'ELOOP' })
  expect(await driver.hash(0)).toMatchObject({ code: 'ELOOP' })
  expect(await driver.initialize()).toMatchObject({ code: 'ELOOP' })
  expect(await driver.delete()).toMatchObject({ code: 'ELOOP' })
})

test('a file that is a link to the outside is neither read nor written; deleting removes the link alone', async () => {
  symlinkSync(join(outside, 'precious'), join(fake.savePath, 'file'))
  const driver = fake.open([{ path: 'file', size: 12 }], BLOCK)
  expect(await driver.write(0, 0, contentOf(12))).toMatchObject({ code: 'ELOOP' })
  expect(await driver.hash(0)).toMatchObject({ code: 'ELOOP' })
  expect(await driver.delete()).toBeNull()
  expect(readdirSync(fake.savePath)).toEqual([])
})

test('a link to a file that does not exist is not followed to make it', async () => {
  symlinkSync(join(outside, 'new'), join(fake.savePath, 'file'))
  const driver = fake.open([{ path: 'file', size: 12 }], BLOCK)
  expect(await driver.write(0, 0, contentOf(12))).not.toBeNull()
})

test('links that stay inside the save path are followed', async () => {
  mkdirSync(join(fake.savePath, 'real'))
  writeFileSync(join(fake.savePath, 'real/file'), '')
  symlinkSync('real', join(fake.savePath, 'dir'))
  symlinkSync('real/file', join(fake.savePath, 'alias'))
  const files = [
    { path: 'alias', size: BLOCK },
    { path: 'dir/other', size: BLOCK },
  ]
  const content = contentOf(2 * BLOCK)
  const driver = fake.open(files, 2 * BLOCK)
  await driver.writePiece(content, 0)
  expect(await driver.hash(0)).toEqual(sha1Of(content))
  expectBytes(readFileSync(join(fake.savePath, 'real/file')), content.subarray(0, BLOCK))
  expect(existsSync(join(fake.savePath, 'real/other'))).toBe(true)
})

test('a save path that is itself a link is where the user wants it', async () => {
  const real = join(fake.root, 'real')
  mkdirSync(real)
  const link = join(fake.root, 'link')
  symlinkSync(real, link)
  const driver = fake.open([{ path: 'dir/file', size: 12 }], BLOCK, { savePath: link })
  expect(await driver.write(0, 0, contentOf(12))).toBeNull()
  expect(readdirSync(join(real, 'dir'))).toEqual(['file'])
})

test('a torrent cannot make a link to the outside and then write through it', async () => {
  const driver = fake.open(
    [
      { path: 'a', size: 0, symlink: '../outside' },
      { path: 'a/precious', size: 12 },
    ],
    BLOCK,
  )
  expect(await driver.initialize()).toMatchObject({ code: 'EINVAL' })
  await driver.write(0, 0, contentOf(12))
})

test('paths that are not below the save path are refused, whatever let them through', async () => {
  for (const path of [
    '../outside/precious',
    '/etc/hostname',
    'a/../../outside/precious',
    'a//b',
    './a',
    '',
    'a\0b',
    'a/',
  ]) {
    const driver = fake.open([{ path, size: 12 }], BLOCK)
    expect(await driver.write(0, 0, contentOf(12))).toMatchObject({ code: 'EINVAL' })
    expect(await driver.hash(0)).toMatchObject({ code: 'EINVAL' })
    expect(await driver.stat()).toMatchObject({ code: 'EINVAL' })
    expect(await driver.delete()).toMatchObject({ code: 'EINVAL' })
  }
  const driver = fake.open([{ path: 'fine', size: 12 }], BLOCK)
  await driver.write(0, 0, contentOf(12))
  expect(await driver.rename(0, '../outside/stolen')).toMatchObject({ code: 'EINVAL' })
  expect(await driver.sizes()).toEqual([12])
})

test('a move does not go through links in the new place', async () => {
  const target = join(fake.root, 'target')
  mkdirSync(target)
  symlinkSync(outside, join(target, 'dir'))
  const driver = fake.open([{ path: 'dir/precious', size: 12 }], BLOCK)
  await driver.write(0, 0, contentOf(12))
  expect(await driver.move(target)).toMatchObject({ code: 'ELOOP' })
  expect(await driver.hash(0)).toEqual(sha1Of(contentOf(12)))
})

test('links of the torrent are made relative, and stay whole when it is moved', async () => {
  const files = [
    { path: 'top/sub/link', size: 0, symlink: 'top/file' },
    { path: 'top/file', size: 12 },
  ]
  const driver = fake.open(files, BLOCK)
  expect(await driver.initialize()).toBeNull()
  expect(await driver.initialize()).toBeNull()
  await driver.write(0, 0, contentOf(12))
  expect(readlinkSync(join(fake.savePath, 'top/sub/link'))).toBe('../file')
  const target = join(fake.root, 'target')
  expect(await driver.move(target)).toBeNull()
  expectBytes(readFileSync(join(target, 'top/sub/link')), contentOf(12))
  expect(await driver.delete()).toBeNull()
  expect(readdirSync(target)).toEqual([])
})

test('an absolute path is for the file it was given to, not for what a link there leads to', async () => {
  const place = join(fake.root, 'place')
  mkdirSync(place)
  symlinkSync(join(outside, 'precious'), join(place, 'a'))
  const driver = fake.open(
    [
      { path: 'a', size: 12 },
      { path: 'b', size: 12 },
    ],
    12,
  )
  expect(await driver.write(1, 0, contentOf(12))).toBeNull()
  expect(await driver.rename(1, join(place, 'a'))).toMatchObject({ code: 'EEXIST' })
  expect(await driver.rename(1, join(place, 'b'))).toBeNull()
  // nothing is there yet to be in the way of
  expect(await driver.rename(0, join(place, 'a'))).toBeNull()
  expect(await driver.write(0, 0, contentOf(12))).toMatchObject({ code: 'ELOOP' })
  expect(await driver.read(0, 0, 12)).toMatchObject({ code: 'ELOOP' })
  expect(await driver.hash(0)).toMatchObject({ code: 'ELOOP' })
  expect(await driver.delete()).toBeNull()
  expect(readdirSync(place)).toEqual([])
})

test('an absolute path given by anyone but the user is refused', async () => {
  const driver = fake.open([{ path: join(outside, 'precious'), size: 12 }], 12)
  expect(await driver.write(0, 0, contentOf(12))).toMatchObject({ code: 'EINVAL' })
  expect(await driver.delete()).toMatchObject({ code: 'EINVAL' })
})

test('a pipe in the place of a file does not hang the disk', async () => {
  execFileSync('mkfifo', [join(fake.savePath, 'file')])
  const driver = fake.open([{ path: 'file', size: 12 }], BLOCK)
  expect(await driver.read(0, 0, 12)).toMatchObject({ code: 'EISDIR' })
  expect(await driver.write(0, 0, contentOf(12))).not.toBeNull()
  expect(lstatSync(join(fake.savePath, 'file')).isFIFO()).toBe(true)
})
