import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeDirectory } from '../../src/makeDirectory.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lt-make-'))
})

afterEach(() => rm(directory, { recursive: true }))

test('what is missing is made, and what is there is left alone', async () => {
  const deep = join(directory, 'a/b/c')
  await makeDirectory(deep)
  await makeDirectory(deep)
  await makeDirectory('/')
  expect((await stat(deep)).isDirectory()).toBe(true)
})

test('a link to a directory is one', async () => {
  await makeDirectory(join(directory, 'a'))
  await symlink('a', join(directory, 'link'))
  await makeDirectory(join(directory, 'link/b'))
  expect((await stat(join(directory, 'a/b'))).isDirectory()).toBe(true)
})

test('many at once make the same directory', async () => {
  const deep = join(directory, 'a/b/c')
  await Promise.all(Array.from({ length: 10 }, () => makeDirectory(deep)))
  expect((await stat(deep)).isDirectory()).toBe(true)
})

test('a file in the way is what the system says', async () => {
  await writeFile(join(directory, 'file'), '')
  await expect(makeDirectory(join(directory, 'file'))).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(makeDirectory(join(directory, 'file/a/b'))).rejects.toMatchObject({ code: 'ENOTDIR' })
})

test.runIf(process.platform === 'linux')('where nothing can be made it ends with an error', async () => {
  await expect(makeDirectory('/proc/nope/deep')).rejects.toMatchObject({ code: 'ENOENT' })
})
